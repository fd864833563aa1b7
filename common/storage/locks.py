"""Only one process at a time may use an output directory.

Locks are the kernel's (`flock` on the file .lock) and are released however the process ends, so a crash leaves no lock behind.
Where there is no `flock` (Windows, some network file systems) nothing is locked.
"""

import contextlib
import os
import pathlib

try:
    import fcntl
except ImportError:
    fcntl = None

_held = []  # (path, descriptor) of this process's locks


class Taken(Exception):
    """Another process holds the lock."""


def take(directory: pathlib.Path) -> None:
    """Locks an existing directory until `give_back`. Raises Taken, or OSError if the lock file cannot be opened."""
    path = directory / '.lock'
    while fcntl:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise Taken from error
        except OSError:  # this file system has no locks
            os.close(descriptor)
            return
        _held.append((path, descriptor))
        if _is_at(path, descriptor):
            return
        _held.pop()  # its holder released it and removed the file after it was opened here
        os.close(descriptor)


def give_back() -> None:
    """Releases all locks of this process and removes their files."""
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
