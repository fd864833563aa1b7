"""Which devices and which processes train."""

STRATEGIES = ('auto', 'cpu', 'gpu', 'mirrored', 'multiworker')


class LostWorker(Exception):
    """Another worker of the cluster ended or cannot be reached; the message says so in one line."""
