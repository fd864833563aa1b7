"""Data that comes with the suite; see LICENCE.md beside it."""
