"""Files that are written completely or not at all: results, checkpoints, locks, exported models."""
