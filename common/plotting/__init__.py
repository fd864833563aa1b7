"""Figures, each drawn from numbers that are saved beside it as .npz."""
