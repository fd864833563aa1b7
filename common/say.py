"""What a command says: printed, or collected by a caller in Python, who may run several commands in threads of one process."""

import contextlib
import contextvars
import io
from collections.abc import Iterator
from typing import TextIO

_collector: contextvars.ContextVar[TextIO | None] = contextvars.ContextVar('collector', default=None)


def say(text: str) -> None:
    """Prints a line, or adds it to what `collected` collects in this thread."""
    print(text, file=_collector.get())


def collector() -> TextIO | None:
    """Where lines go; None: to stdout."""
    return _collector.get()


@contextlib.contextmanager
def collected() -> Iterator[io.StringIO]:
    """Collects in the yielded text what is said inside the block, by this thread."""
    text = io.StringIO()
    token = _collector.set(text)
    try:
        yield text
    finally:
        _collector.reset(token)
