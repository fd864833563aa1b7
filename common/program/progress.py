"""What a user sees and does during a long command: progress bars, and a stop that keeps what was done."""

import contextlib
import signal
import sys

from tqdm import tqdm


@contextlib.contextmanager
def stop_signals():
    """Inside, Ctrl-C and SIGTERM only add their number to the yielded list, for a loop to look at between calls.

    A second signal ends the program as usual.
    """
    received = []

    def handle(number, frame):
        received.append(number)
        signal.signal(number, previous[number])
        print('\nstopping after this call; what was trained is kept', file=sys.stderr)

    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def progress_bar(total, label, unit):
    """A bar with rate and time left, on a terminal, once something takes more than 2 seconds."""
    return tqdm(total=total, desc=label, unit=f' {unit}', delay=2, leave=False, disable=None)
