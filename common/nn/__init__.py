"""Building blocks of the compiled loops: random numbers, layers, losses, optimizers."""
