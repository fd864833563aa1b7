"""Only one command at a time may use an output directory.

Locks are the kernel's (`flock` on the file .lock) and are released however the process ends, so a crash leaves no lock behind.
Where there is no `flock` (Windows, some network file systems) nothing is locked.
"""

import contextlib
import os
import pathlib
from collections.abc import Iterator

try:
    import fcntl
except ImportError:
    fcntl = None

NAME = '.lock'


class Taken(Exception):
    """Another command holds the lock."""


@contextlib.contextmanager
def held(directory: pathlib.Path) -> Iterator[None]:
    """Locks an existing directory until the block ends. Raises Taken, or OSError if the lock file cannot be opened."""
    path = directory / NAME
    descriptor = _take(path)
    try:
        yield
    finally:
        if descriptor is not None:
            with contextlib.suppress(OSError):  # the directory may be gone
                if _is_at(path, descriptor):
                    path.unlink()
            os.close(descriptor)


def _take(path):
    """The descriptor of the locked file, or None where nothing can be locked."""
    while fcntl:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise Taken from error
        except OSError:  # this file system has no locks
            os.close(descriptor)
            return None
        if _is_at(path, descriptor):
            return descriptor
        os.close(descriptor)  # its holder released it and removed the file after it was opened here
    return None


def _is_at(path, descriptor):
    """Whether the file at `path` is the one that is open."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except OSError:
        return False
