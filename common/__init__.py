"""Small pure functions that the reproductions share. Nothing here knows a post."""
