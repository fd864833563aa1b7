"""Progress bars of long commands, and stopping them without losing what was done."""

import contextlib
import signal
import sys
from collections.abc import Iterator

from tqdm import tqdm


@contextlib.contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Inside the block, Ctrl-C and SIGTERM only append their number to the yielded list, which a loop checks between calls.

    A second signal ends the program as usual.
    """
    received = []

    def handle(number, frame):
        received.append(number)
        signal.signal(number, previous[number])
        print('\nstopping after this call; the training so far is kept', file=sys.stderr)

    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def progress_bar(total: int, label: str, unit: str) -> tqdm:
    """A bar with speed and time left, shown on a terminal from the third second on."""
    return tqdm(total=total, desc=label, unit=f' {unit}', delay=2, leave=False, disable=None)
