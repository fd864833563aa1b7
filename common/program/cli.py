"""How a command ends: the exit status, and one-line errors for invalid input and for files that cannot be written."""

import os
import sys
from collections.abc import Callable

from common.devices import LostWorker
from common.program import interrupts, streams
from common.storage import files

MOST_SHOWN = 1000  # characters of a message; longer ones are shortened


class UserError(ValueError):
    """Invalid input; the user sees its one-line message, and the exit status is 2."""


def run(main: Callable) -> None:
    """Runs `main(argv)` as the program and exits with its status."""
    stdout = streams.secure()
    interrupts.begin()
    # Pictures are written to files and drawn in the suite's own style: no window and no settings of the user's are needed.
    os.environ |= {'MPLBACKEND': 'Agg', 'MATPLOTLIBRC': os.devnull}
    try:
        status = call(main, sys.argv)
    except SystemExit as leaving:
        status = leaving.code or 0
    sys.exit(streams.status(stdout, status))


def call(main: Callable, argv: list[str]) -> int:
    """Exit status of `main(argv)`: 2 for invalid input, 1 for an unwritable file or a lost worker, 130 for Ctrl-C.

    Each of these is reported in one line. `main` returns an exit status; None means 0.
    """
    try:
        return main(argv) or 0
    except UserError as error:
        print(f'error: {_one_line(error)}', file=sys.stderr)
        return 2
    except files.BadTable as error:
        print(f'error: {_one_line(error)}; regenerate it, or reinstall the suite', file=sys.stderr)
        return 2
    except files.CannotWrite as error:
        remedy = 'free disk space or make its directory writable, then run again (with --resume if there is a checkpoint)'
        print(f'error: {_one_line(error)}; {remedy}', file=sys.stderr)
        return 1
    except LostWorker as error:
        print(f'error: {error}; start all workers again, with --resume from the last checkpoint', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        return 130


def _one_line(error):
    """A message with line breaks and unprintable characters escaped, and its middle left out if it is very long."""
    text = ''.join(char if char.isprintable() else ascii(char)[1:-1] for char in str(error))
    return text if len(text) <= MOST_SHOWN else f'{text[: MOST_SHOWN // 2]} ... {text[-MOST_SHOWN // 2 :]}'
