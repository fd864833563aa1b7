"""What every command does: flags, progress, training with a stop, files."""
