"""Faithful TensorFlow 2 reproductions of the classic GAN tutorials, one folder per post."""

import importlib.util
import os
import pathlib
import signal
import sys

_AS_PROGRAM = sys.argv[:1] == ['-m']  # while `python -m` looks for the module to run
_COMMON = pathlib.Path(__file__).parent.parent / 'common'

if _AS_PROGRAM and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(130))  # until `common.program.cli` runs the command


def _foreign() -> str | None:
    """A line about another package named `common` that Python finds before the suite's own, or None."""
    try:
        spec = importlib.util.find_spec('common')
    except ValueError:  # a module of that name without a spec
        return None
    places = [*(spec.submodule_search_locations or ()), spec.origin] if spec else []
    if not places or any(pathlib.Path(place).resolve() == _COMMON.resolve() for place in places if place):
        return None
    return (
        f'{places[-1] or places[0]} is found instead of the suite\'s own package "common" ({_COMMON}); '
        'run from another directory, rename it, or take its directory off PYTHONPATH'
    )


if _found := _foreign():
    if _AS_PROGRAM:
        print(f'error: {_found}', file=sys.stderr)
        raise SystemExit(2)
    raise ImportError(_found)

from reproductions.api import load, posts, replay, sweep, train  # noqa: E402  after the check

__all__ = ['load', 'posts', 'replay', 'sweep', 'train']


def __dir__() -> list[str]:
    return __all__
