"""Faithful TensorFlow 2 reproductions of the classic GAN tutorials, one folder per post."""

import importlib.util
import os
import pathlib
import signal
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reproductions import api, overview
    from reproductions.sweeps.plan import Outcome

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


def train(post: str, runs: int = 1, output_dir: str | pathlib.Path | None = None, **flags: Any) -> 'api.Result':
    """Trains a post: `python -m reproductions.<post>` from Python, with the same numbers and the same files.

    Args:
      post: its name.
      runs: GANs trained at once, with seeds seed .. seed + runs - 1.
      output_dir: where the files go; None: a temporary directory, until `save` of the result.
      flags: any other flag of the command, such as `seed=708`, `minibatch=True` or `d_hidden_sizes=[8, 8, 8]`.

    Returns:
      `reproductions.api.Result`: `table` (the columns of results.csv, {name: [runs]}), `history`, `config`, `plot()`,
      `sample(seed, n)`, `save(directory)`.

    Raises:
      ValueError: what the command line would refuse, with its one line.
      KeyboardInterrupt: Ctrl-C; with `output_dir` the training so far is kept, and `resume=True` goes on.

    Examples:
      >>> import reproductions
      >>> found = reproductions.train('aylien', runs=3, seed=7, num_steps=20, pretrain_steps=0, minibatch=True)
      >>> found.table['seed'].tolist(), found.history['loss_d'].shape, found.config['flags']['minibatch']
      ([7.0, 8.0, 9.0], (3, 3), True)
    """
    from common import quiet

    quiet.import_tensorflow()
    from reproductions import api

    return api.train(post, runs, output_dir, flags)


def replay(post: str, trace: str | pathlib.Path) -> 'api.Replay':
    """Compares with a recorded run of a post's program, step by step: `python -m reproductions.<post> --replay=TRACE`.

    Args:
      post: its name.
      trace: an .npz, such as those in tests/data/.

    Returns:
      `reproductions.api.Replay`: `table` (the columns of replay.csv, {name: [rows]}), `agrees`, `worst`, the largest relative
      error in the steps that are judged, and `text`.

    Raises:
      ValueError: the file is no trace of this post.

    Examples:
      >>> import reproductions
      >>> reproductions.replay('aylien', 'tests/data/aylien_2016-08_plain_seed42.npz').agrees
      True
    """
    from common import quiet

    quiet.import_tensorflow()
    from reproductions import api

    return api.replay(post, trace)


def posts() -> 'dict[str, overview.Post]':
    """The posts, {name: `reproductions.overview.Post`}: title, variants, flags and recorded verdicts, without TensorFlow.

    Examples:
      >>> import reproductions
      >>> list(reproductions.posts()), reproductions.posts()['aylien'].variants
      (['aylien', 'multimodal', 'jang', 'devnag', 'mnist'], ('2016-08', '2016-12', '2017-06'))
    """
    from reproductions import overview

    return overview.posts()


def sweep(post: str, vary: dict[str, Any], runs: int = 48, **flags: Any) -> 'Outcome':
    """Trains a post over a grid of settings: `python -m reproductions sweep` from Python, with the same tables.

    Args:
      post: its name.
      vary: {flag: values}, one to three; values are a list, or a text such as '0.001..0.1:5'.
      runs: seeds per cell, the same in every cell.
      flags: any other flag of the command, such as `minibatch=True`; without `output_dir` nothing is written.

    Returns:
      `reproductions.sweeps.plan.Outcome`: `cells`, the columns of sweep.csv, and `results`, those of results.csv, both
      `reproductions.api.Table`.

    Raises:
      ValueError: what the command line would refuse, with its one line.
      KeyboardInterrupt: Ctrl-C; with `output_dir` the cells that are done are kept, and `resume=True` goes on.

    Examples:
      >>> import reproductions
      >>> found = reproductions.sweep('aylien', {'learning_rate': [0.005, 0.05]}, runs=4, num_steps=20, pretrain_steps=0)
      >>> found.cells['learning_rate'].tolist(), found.results['seed'].size
      ([0.005, 0.05], 8)
    """
    from common import quiet

    quiet.import_tensorflow()
    from reproductions import api
    from reproductions.sweeps import execution

    return api.tables_of(execution.sweep(post, vary, runs, flags))


def load(directory: str | pathlib.Path) -> 'api.Result | Outcome':
    """A finished training or sweep, read back from its directory.

    Args:
      directory: that of a command, or the `output_dir` of `train` or `sweep`, or what `save` returned.

    Returns:
      `reproductions.api.Result` for a training, `reproductions.sweeps.plan.Outcome` for a sweep.

    Raises:
      ValueError: the directory holds neither, or a file in it is damaged or of another command.

    Examples:
      >>> import reproductions
      >>> found = reproductions.train('aylien', runs=2, seed=7, num_steps=20, pretrain_steps=0)
      >>> reproductions.load(found.directory).table['seed'].tolist()
      [7.0, 8.0]
    """
    from common import quiet

    quiet.import_tensorflow()
    from reproductions import api

    return api.load(directory)
