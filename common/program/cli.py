"""How a command ends: one-line errors for wrong input and for what cannot be written, and the exit status."""

import sys

from common.devices import LostWorker
from common.storage import files, locks

MOST_SHOWN = 1000  # characters of a message


class UserError(Exception):
    """Wrong input: its message is the one line that the user sees, before exit status 2."""


def run(main) -> None:
    """Runs `main(argv)` as the program and exits with its status."""
    sys.exit(call(main, sys.argv))


def call(main, argv: list[str]) -> int:
    """The exit status of `main(argv)`: 2 for wrong input, 1 for a file that cannot be written (a line each), 130 for Ctrl-C."""
    try:
        return main(argv) or 0
    except UserError as error:
        print(f'error: {_one_line(error)}', file=sys.stderr)
        return 2
    except files.BadTable as error:
        print(f'error: {_one_line(error)}; make it anew, or install the suite again', file=sys.stderr)
        return 2
    except files.CannotWrite as error:
        remedy = 'make room for it, or its directory writable, and run again (with --resume from the last checkpoint, if any)'
        print(f'error: {_one_line(error)}; {remedy}', file=sys.stderr)
        return 1
    except LostWorker as error:
        print(f'error: {error}; start all workers again, with --resume from the last checkpoint', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        return 130
    finally:
        locks.give_back()


def _one_line(error):
    """A message with whatever breaks the line or cannot be shown escaped, and its middle left out where it is very long."""
    text = ''.join(char if char.isprintable() else ascii(char)[1:-1] for char in str(error))
    return text if len(text) <= MOST_SHOWN else f'{text[: MOST_SHOWN // 2]} ... {text[-MOST_SHOWN // 2 :]}'
