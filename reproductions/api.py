"""The suite from Python: `reproductions.train` and `replay` run the posts' commands and return what they write."""

import contextlib
import csv
import io
import json
import pathlib
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from common import remedies
from common.evaluation import replay as replays
from common.nn.layers import Linear
from common.program import command, flags
from common.sizes import SEEDS
from common.storage import checkpoints, directories, files, networks, saved_model
from reproductions import command as posts_command
from reproductions import contract, declaration
from reproductions.sweeps import results, vary
from reproductions.sweeps.plan import Outcome

if TYPE_CHECKING:
    import pandas

NOT_TRAINING = {'claims': 'the command line with --claims', 'replay': 'reproductions.replay'}  # {flag: what to use}


class Table(dict):
    """A table as {column: array}."""

    def to_pandas(self) -> 'pandas.DataFrame':
        """The table as a DataFrame. Raises ImportError where pandas is not installed."""
        import pandas

        return pandas.DataFrame(dict(self))


class Result:
    """A finished training: what its command wrote, read back.

    Attributes:
      post: its name.
      config: as in config.json: `flags`, `versions`, `devices`, ...
      table: the columns of results.csv, {name: [runs]}.
      history: the records of the training, {name: array}: `step` [records], losses and distances [runs, records].
      text: what the command printed.
      directory: where the files are; without `output_dir` a temporary one, which lasts as long as the result.
    """

    def __init__(self, directory: pathlib.Path, text: str = ''):
        """Reads a directory that a post's command has written. Raises ValueError if it is none, or holds files of several."""
        self.directory, self.text = directory, text
        self.identity = directories.read(directory).identity
        try:
            self.config = json.loads(directories.file(directory, 'config.json').read_text(encoding='utf-8'))
            self.post = self.config['post']
            self.table = Table(files.read_csv(directories.file(directory, 'results.csv')))
            self.history = files.read_npz(directories.file(directory, 'history.npz'))
        except (OSError, ValueError, KeyError, TypeError, files.BadTable, files.BadArchive) as error:
            raise ValueError(f'{directory} is not the directory of a finished training ({error})') from error

    def __repr__(self) -> str:
        done, runs = self.table['success'].sum(), len(self.table['seed'])
        return f'<{self.post}: {runs:,} seeds from {self.table["seed"][0]:.0f}, {done:.0f} succeed>'

    @property
    def seeds(self) -> np.ndarray:
        """uint32 [runs]."""
        return self.table['seed'].astype(np.uint32)

    @property
    def settings(self) -> Any:
        """The post's `Settings`."""
        return declaration.recorded_settings(contract.post(self.post), self.config)

    def plot(self, name: str | None = None) -> Figure:
        """One of the command's figures, which shows itself in a notebook.

        Args:
          name: of the figure, such as 'figure' or 'ensemble'; None: the spread over seeds if there are several, else the first
            seed's.

        Raises:
          ValueError: the training has no such figure; the message names those that it has.

        Examples:
          >>> import reproductions
          >>> found = reproductions.train('aylien', num_steps=20, pretrain_steps=0)
          >>> found.plot().axes[0].get_xlabel()
          'Data values'
        """
        draw = {
            each: function
            for each, function in contract.part(self.post, 'figures').DRAWN.items()
            if (self.directory / f'{each}.npz').exists()
        }
        name = name or ('ensemble' if 'ensemble' in draw else 'figure')
        if name not in draw:
            raise ValueError(f'{name!r} is not a figure of this training; it has {", ".join(sorted(draw))}')
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch, f'{name}.png')
            shutil.copy(directories.file(self.directory, f'{name}.npz'), scratch)
            figure = draw[name](path)
            picture = path.read_bytes()
        figure._repr_png_ = lambda: picture  # for IPython, which otherwise shows only figures that were made by pyplot
        return figure

    def sample(
        self, seed: int | None = None, n: int = 1000, noise_seed: int = 0, label: int | Sequence[int] = -1
    ) -> np.ndarray:
        """Samples of a trained generator, float32 [n, 1] (MNIST: [n, 784]): those of the SavedModel that --export writes.

        Args:
          seed: of the run; None: the first.
          n: number of samples.
          noise_seed: the samples depend on it alone.
          label: for a conditional generator: one class, or one per sample; -1 for an even mix.

        Raises:
          ValueError: there is no run of that seed, or a number cannot be.

        Examples:
          >>> import reproductions
          >>> found = reproductions.train('aylien', runs=3, seed=7, num_steps=20, pretrain_steps=0)
          >>> found.sample(8, n=5).shape
          (5, 1)
        """
        seed = int(self.seeds[0]) if seed is None else seed
        if seed not in self.seeds:
            raise ValueError(f'seed={seed} is not one of this training; its seeds are {self.seeds[0]} to {self.seeds[-1]}')
        if not 0 <= n < 2**31:
            raise ValueError(f'n={n} must be a whole number, 0 or more')
        if not 0 <= noise_seed < SEEDS:
            raise ValueError(f'noise_seed={noise_seed} must be from 0 to 2^32 - 1')
        settings, gan = self.settings, contract.part(self.post, 'gan')
        row = int(np.flatnonzero(self.seeds == seed)[0])
        _, g = self.networks(slice(row, row + 1))
        conditional = contract.post(self.post).conditional(settings)
        generator = saved_model.module(*command.sampler(gan, settings, g, conditional))
        try:
            asked = (tf.constant(label, tf.int32),) if conditional else ()
            return generator.sample(tf.constant(n), tf.constant(noise_seed, tf.int64), *asked).numpy()
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(f'label={label} must be -1, a class, or one class per sample') from error

    def networks(self, rows: slice = slice(None)) -> tuple[tuple[Linear, ...], tuple[Linear, ...]]:
        """D and G of some runs at the end, as they were judged.

        Raises ValueError if the checkpoint is gone, damaged or of another training.
        """
        try:
            whose, arrays = checkpoints.newest(self.directory)
        except checkpoints.CannotResume as error:
            raise ValueError(str(error)) from error
        if self.identity and {'post': self.post} | whose != self.identity:
            raise ValueError(f'the checkpoint in {self.directory} is of another training; train again')
        state = 'state/train_state'
        d, linears = (networks.found(f'{state}/{name}', arrays, rows) for name in ('d', 'd/linears'))
        if linears:  # with spectral normalization
            directions = tuple(arrays[f'{state}/d/directions/{i}'][rows] for i in range(len(linears)))
            d = tf.nest.map_structure(np.asarray, remedies.normalized(remedies.Normalized(linears, directions)))
        average, g = (networks.found(f'{state}/{name}', arrays, rows) for name in ('opt_state_g/average', 'g'))
        return d, average or g

    def save(self, directory: str | pathlib.Path) -> pathlib.Path:
        """Copies the command's files into a directory, which it creates; --resume and --export work there. Returns its path.

        What another command left there is removed. Raises ValueError if a command is writing there, files.CannotWrite.
        """
        path = pathlib.Path(directory)
        if path.exists() and path.samefile(self.directory):
            return path
        try:
            with files.writing(path), directories.held(path, 'training') as held:
                for name in directories.names(self.directory):
                    (path / name).parent.mkdir(exist_ok=True)
                    shutil.copyfile(self.directory / name, path / name)
                config = self.config | {'flags': self.config['flags'] | {'output_dir': str(path)}}
                files.write_json(path / 'config.json', config)
                directories.settle(held, self.identity)
        except directories.Taken as error:
            raise ValueError(f'{path} is in use by another command') from error
        return path


def load(directory: str | pathlib.Path) -> Result | Outcome:
    """`reproductions.load`, which see."""
    path = pathlib.Path(directory)
    kind = directories.read(path).kind or ('sweep' if (path / 'sweep.npz').exists() else 'training')
    if kind == 'sweep':
        return tables_of(results.load(path))
    return Result(path)


def tables_of(outcome: Outcome) -> Outcome:
    """The outcome of a sweep with its columns as `Table`s."""
    return outcome._replace(cells=Table(outcome.cells), results=Table(outcome.results))


def run(name: str, given: dict[str, Any], directory: pathlib.Path) -> tuple[int, str]:
    """Runs a post's command: (exit status, what it printed). Raises ValueError with the line that the command would print."""
    post = contract.post(name)
    opts = flags.given((*post.flags, *flags.COMMON), given | {'output_dir': directory})
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = posts_command.execute(post, opts)
    return status, printed.getvalue()


def train(post: str, runs: int, output_dir: str | pathlib.Path | None, given: dict[str, Any]) -> Result:
    """`reproductions.train`, which see."""
    for name, instead in NOT_TRAINING.items():
        if given.get(name):
            raise ValueError(f'{name} trains nothing that could be returned; use {instead}')
    directory = pathlib.Path(output_dir or tempfile.mkdtemp(prefix='reproductions-'))
    with contextlib.ExitStack() as stack:
        if output_dir is None:
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
        status, text = run(post, {'runs': runs} | given, directory)
        if status >= 128:
            raise KeyboardInterrupt
        result = Result(directory, text)
        weakref.finalize(result, stack.pop_all().close)  # the temporary directory lasts as long as the result
    return result


class Replay(NamedTuple):
    """A recorded run beside ours."""

    table: Table  # the columns of replay.csv
    agrees: bool  # whether the first 20 steps agree within the tolerance
    worst: float  # largest relative error in them
    text: str  # what the command printed


def replay(post: str, trace: str | pathlib.Path) -> Replay:
    """`reproductions.replay`, which see."""
    with tempfile.TemporaryDirectory() as directory:
        status, text = run(post, {'replay': trace}, pathlib.Path(directory))
        with open(pathlib.Path(directory, 'replay.csv'), newline='', encoding='utf-8') as file:
            rows = list(csv.DictReader(file))
    table = Table({name: vary.as_numbers([row[name] for row in rows]) for name in rows[0]})
    return Replay(table, status == 0, replays.worst_judged(table), text)
