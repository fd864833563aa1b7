"""Small pure functions that the reproductions share. Nothing here depends on a post."""
