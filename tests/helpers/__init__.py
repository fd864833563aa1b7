"""What several test files use; `several_devices.py` is run as a program too."""
