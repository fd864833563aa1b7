"""What every command does: flags, progress bars, training that can be stopped, output files."""
