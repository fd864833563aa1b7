"""Which devices and which processes train."""
