"""What runs inside the compiled loops: random numbers, layers, losses, update rules."""
