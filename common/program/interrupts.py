"""Ctrl-C in a program: an exception that its commands handle, except while a large library is imported."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType


def interrupt(number: int, frame: FrameType | None) -> None:
    """The handler of SIGINT in the suite's own programs. Raises KeyboardInterrupt, as Python's does."""
    raise KeyboardInterrupt


def leave(number: int, frame: FrameType | None) -> None:
    """A handler of SIGINT that ends the program at once, with a line and the status of Ctrl-C."""
    os.write(2, b'interrupted\n')
    os._exit(130)


def begin() -> None:
    """Sets the handler at the start of a program, unless it is run with Ctrl-C ignored."""
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, interrupt)


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Inside the block Ctrl-C ends the suite's own programs at once: an import may lose an exception or turn it into another.

    Nothing is lost, as nothing has been computed yet. In any other process, such as a notebook, nothing changes.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not interrupt:
        yield
        return
    signal.signal(signal.SIGINT, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, interrupt)
