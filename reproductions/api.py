"""The suite from Python: what its commands do, by the same code, with the same numbers and the same files.

Importing this imports no TensorFlow: only training or reading something does.
"""

import csv
import pathlib
import shutil
import tempfile
from typing import Any

from common import quiet, say
from common.program import flags
from reproductions import contract, overview
from reproductions.result import Replay, Result, Sweep, Table, local, of_outcome, read
from reproductions.sweeps import vary as varying

NOT_TRAINING = {'claims': 'the command line with --claims', 'replay': 'reproductions.replay'}  # {flag: what to use}


def train(post: str, runs: int = 1, output_dir: str | pathlib.Path | None = None, **flags: Any) -> Result:
    """Trains a post: `python -m reproductions.<post>` from Python, with the same numbers and the same files.

    Args:
      post: its name.
      runs: GANs trained at once, with seeds seed .. seed + runs - 1.
      output_dir: where the files go; None: a temporary directory, until `save` of the result.
      flags: any other flag of the command, such as `seed=708`, `minibatch=True` or `d_hidden_sizes=[8, 8, 8]`.

    Returns:
      `reproductions.result.Result`: `table` (the columns of results.csv, {name: [runs]}), `history`, `config`, `plot()`,
      `sample(seed, n)`, `save(directory)`.

    Raises:
      ValueError: what the command line would refuse, with its one line.
      KeyboardInterrupt: Ctrl-C; with `output_dir` the training so far is kept, and `resume=True` goes on.

    Examples:
      >>> import reproductions
      >>> found = reproductions.train('aylien', runs=3, seed=7, num_steps=20, pretrain_steps=0, minibatch=True)
      >>> found.table['seed'].tolist(), found.history['loss_d'].shape, found.config['flags']['minibatch']
      ([7, 8, 9], (3, 3), True)
    """
    for name, instead in NOT_TRAINING.items():
        if flags.get(name):
            raise ValueError(f'{name} trains nothing that could be returned; use {instead}')
    directory = local(output_dir, 'output_dir') if output_dir else pathlib.Path(tempfile.mkdtemp(prefix='reproductions-'))
    try:
        status, text = run(post, {'runs': runs} | flags, directory)
        if status >= 128:
            raise KeyboardInterrupt
        return Result(directory, text, temporary=not output_dir)
    except BaseException:
        if not output_dir:
            shutil.rmtree(directory, ignore_errors=True)
        raise


def sweep(post: str, vary: dict[str, Any], runs: int = 48, **flags: Any) -> Sweep:
    """Trains a post over a grid of settings: `python -m reproductions sweep` from Python, with the same tables.

    Args:
      post: its name.
      vary: {flag: values}, one to three; values are a list, or a text such as '0.001..0.1:5'.
      runs: seeds per cell, the same in every cell.
      flags: any other flag of the command, such as `minibatch=True`; without `output_dir` nothing is written.

    Returns:
      `reproductions.result.Sweep`: `cells`, the columns of sweep.csv, and `results`, those of results.csv, both
      `reproductions.result.Table`; `plot()`.

    Raises:
      ValueError: what the command line would refuse, with its one line.
      KeyboardInterrupt: Ctrl-C; with `output_dir` the cells that are done are kept, and `resume=True` goes on.

    Examples:
      >>> import reproductions
      >>> found = reproductions.sweep('aylien', {'learning_rate': [0.005, 0.05]}, runs=4, num_steps=20, pretrain_steps=0)
      >>> found.cells['learning_rate'].tolist(), found.results['seed'].size
      ([0.005, 0.05], 8)
    """
    quiet.import_tensorflow()
    from reproductions.sweeps import execution

    if flags.get('output_dir') is not None:
        flags['output_dir'] = local(flags['output_dir'], 'output_dir')
    return of_outcome(execution.sweep(post, vary, runs, flags))


def load(directory: str | pathlib.Path) -> Result | Sweep:
    """A finished training or sweep, read back from its directory.

    Args:
      directory: that of a command, or the `output_dir` of `train` or `sweep`, or what `save` returned.

    Returns:
      `reproductions.result.Result` for a training, `reproductions.result.Sweep` for a sweep.

    Raises:
      ValueError: the directory holds neither, or a file in it is damaged or of another command.

    Examples:
      >>> import reproductions
      >>> found = reproductions.train('aylien', runs=2, seed=7, num_steps=20, pretrain_steps=0)
      >>> reproductions.load(found.directory).table['seed'].tolist()
      [7, 8]
    """
    return read(local(directory))


def replay(post: str, trace: str | pathlib.Path) -> Replay:
    """Compares with a recorded run of a post's program, step by step: `python -m reproductions.<post> --replay=TRACE`.

    Args:
      post: its name.
      trace: an .npz, such as those in tests/data/.

    Returns:
      `reproductions.result.Replay`: `table` (the columns of replay.csv, {name: [rows]}), `agrees`, `worst`, the largest
      relative error in the steps that are judged, and `text`.

    Raises:
      ValueError: the file is no trace of this post.

    Examples:
      >>> import reproductions
      >>> reproductions.replay('aylien', 'tests/data/aylien_2016-08_plain_seed42.npz').agrees
      True
    """
    with tempfile.TemporaryDirectory() as directory:
        status, text = run(post, {'replay': trace}, pathlib.Path(directory))
        with open(pathlib.Path(directory, 'replay.csv'), newline='', encoding='utf-8') as file:
            rows = list(csv.DictReader(file))
    from common.evaluation import replay as replays

    table = Table({name: varying.as_numbers([row[name] for row in rows]) for name in rows[0]})
    return Replay(table, status == 0, replays.worst_judged(table), text)


posts = overview.posts


def run(name: str, given: dict[str, Any], directory: pathlib.Path) -> tuple[int, str]:
    """Runs a post's command: (exit status, what it printed). Raises ValueError with the line that the command would print."""
    from reproductions import command

    post = contract.post(name)
    opts = flags.given((*post.flags, *flags.COMMON), given | {'output_dir': directory})
    with say.collected() as text:
        status = command.execute(post, opts)
    return status, text.getvalue()
