"""Faithful TensorFlow 2 reproductions of the classic GAN tutorials, one folder per post."""

import importlib.util
import os
import pathlib
import signal
import sys
from typing import Any

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


def sweep(post: str, vary: dict[str, Any], runs: int = 48, **flags: Any) -> Any:
    """Trains a post over a grid of settings: `python -m reproductions sweep` from Python, with the same tables.

    Args:
      post: its name.
      vary: {flag: values}, one to three; values are a list, or a text such as '0.001..0.1:5'.
      runs: seeds per cell, the same in every cell.
      flags: any other flag of the command, such as `minibatch=True`; without `output_dir` nothing is written.

    Returns:
      `reproductions.sweeps.plan.Outcome`: `cells`, the columns of sweep.csv, and `results`, those of results.csv.

    Raises:
      ValueError: what the command line would refuse, with its one line.
      KeyboardInterrupt: Ctrl-C; with `output_dir` the cells that are done are kept, and `resume=True` goes on.

    Example:
      >>> import reproductions
      >>> found = reproductions.sweep('aylien', {'learning_rate': [0.005, 0.05]}, runs=4, num_steps=20, pretrain_steps=0)
      >>> found.cells['learning_rate'].tolist(), found.results['seed'].size
      ([0.005, 0.05], 8)
    """
    from common import quiet

    quiet.import_tensorflow()
    from reproductions.sweeps import execution

    return execution.sweep(post, vary, runs, flags)
