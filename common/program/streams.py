"""The program's standard streams. Whatever happens to them, a training goes on and its files are written.

A stream may be closed before the program starts; its reader or terminal may leave; its device may be full; its encoding may not
have a character. None of this raises an exception here.
"""

import errno
import io
import os
import select
import sys

GONE = (errno.EPIPE, errno.EIO)  # the reader has left, or the terminal is closed: nobody is there to be told


class Raw(io.RawIOBase):
    """A descriptor to write to. After the first failure, which is kept in `error`, everything written to it is dropped."""

    def __init__(self, descriptor: int):
        super().__init__()
        self.descriptor, self.error = descriptor, None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.descriptor

    def isatty(self) -> bool:
        return os.isatty(self.descriptor)

    def write(self, data) -> int:
        while self.error is None:
            try:
                return os.write(self.descriptor, data)
            except BlockingIOError:  # a pipe that does not wait for its reader
                select.select([], [self.descriptor], [])
            except OSError as error:
                self.error = error
        return len(data)


def secure() -> Raw:
    """Replaces sys.stdout and sys.stderr by streams that never raise; returns that of stdout, for `status`.

    Descriptors 0, 1 and 2 that are closed are opened on the null device, so that no other file takes their place.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number: this one
    raws = {}
    for descriptor, name in ((1, 'stdout'), (2, 'stderr')):
        stream, raw = getattr(sys, name), Raw(descriptor)
        if stream is not None:
            stream.flush()
        encoding = getattr(stream, 'encoding', None) or 'utf-8'
        buffered = io.BufferedWriter(raw)
        lines = name == 'stderr' or raw.isatty()
        setattr(sys, name, io.TextIOWrapper(buffered, encoding, 'backslashreplace', line_buffering=lines))
        raws[name] = raw
    return raws['stdout']


def status(stdout: Raw, wanted: int) -> int:
    """Flushes both streams and returns the program's exit status: `wanted`, or 1 where that is 0 and output was lost.

    Output whose reader has left does not count as lost. The loss is reported in one line.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if stdout.error is None or stdout.error.errno in GONE or wanted:
        return wanted
    print(f'error: not all output could be written ({stdout.error.strerror}); the files are complete', file=sys.stderr)
    return 1
