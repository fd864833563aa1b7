"""One process at a time on an output directory.

A lock is the kernel's (`flock` on the file .lock), which gives it back however the process ends: a crash leaves no lock behind.
Where there is no `flock` (Windows, some network file systems) nothing is locked.
"""

import contextlib
import os

try:
    import fcntl
except ImportError:
    fcntl = None

_held = []  # (path, descriptor) of the locks of the command that runs in this process


class Taken(Exception):
    """Another process holds the lock."""


def take(directory):
    """Locks a directory (pathlib.Path, which must exist) until `give_back`. Raises Taken, or OSError from opening the file."""
    path = directory / '.lock'
    while fcntl:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise Taken from error
        except OSError:  # not to be had on this file system
            os.close(descriptor)
            return
        _held.append((path, descriptor))
        if _is_at(path, descriptor):
            return
        _held.pop()  # its holder gave it back, and removed the file, after it was opened here
        os.close(descriptor)


def give_back():
    """Gives back all locks of this process, and removes their files."""
    while _held:
        path, descriptor = _held.pop()
        with contextlib.suppress(OSError):  # the directory may be gone
            if _is_at(path, descriptor):
                path.unlink()
        os.close(descriptor)


def _is_at(path, descriptor):
    """Whether the file at `path` is the one that is open."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except OSError:
        return False
