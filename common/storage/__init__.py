"""Files that are whole or not there: results, checkpoints, locks, exported models."""
