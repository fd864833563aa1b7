"""Devices and processes that train."""

STRATEGIES = ('auto', 'cpu', 'gpu', 'mirrored', 'multiworker')


class LostWorker(Exception):
    """Another worker of the cluster has ended or cannot be reached; the message is one line."""
