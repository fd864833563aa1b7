"""Progress bars of long commands, and stopping them without losing what was done."""

import contextlib
import signal
import sys
import threading
import warnings
from collections.abc import Iterator

from tqdm import std

with warnings.catch_warnings(action='ignore', category=std.TqdmWarning):  # in a notebook without ipywidgets
    from tqdm import auto


@contextlib.contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Inside the block, Ctrl-C, SIGTERM and a closed terminal only append their signal's number to the yielded list.

    A loop checks it between calls. A second signal ends the program as usual. Signals reach the main thread alone, so in any
    other this does nothing; nor does it heed a closed terminal where that is to be ignored (nohup).
    """
    received = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def handle(number, frame):
        received.append(number)
        signal.signal(number, previous[number])
        print('\nstopping after this call; the training so far is kept', file=sys.stderr)

    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, 'SIGHUP') and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    previous = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def progress_bar(total: int, label: str, unit: str) -> std.tqdm:
    """A bar with speed and time left, shown on a terminal or in a notebook from the third second on."""
    in_notebook = auto.notebook_tqdm is not std.tqdm
    return auto.tqdm(total=total, desc=label, unit=f' {unit}', delay=2, leave=False, disable=False if in_notebook else None)
