"""What the suite returns to Python: a finished training, sweep or replay, with tables, figures and samples."""

import json
import operator
import pathlib
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from common import quiet
from common.program import flags
from common.sizes import SEEDS
from common.storage import directories, files
from reproductions import contract, declaration

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

    from common.nn.layers import Linear


class Table(dict):
    """A table as {column: array}; a column of whole numbers is one of integers."""

    def __init__(self, columns: Mapping[str, Any]):
        super().__init__({name: as_integers(np.asarray(values)) for name, values in columns.items()})

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        shown = {n: np.array2string(v, precision=4, threshold=8, max_line_width=np.inf) for n, v in self.items()}
        return '\n'.join(f'{name:{width}}  {values[1:-1]}' for name, values in shown.items())

    def to_pandas(self) -> 'pandas.DataFrame':
        """The table as a DataFrame. Raises ImportError where pandas is not installed."""
        import pandas

        return pandas.DataFrame(dict(self))


def as_integers(values: np.ndarray) -> np.ndarray:
    """The values, as int64 if they all are whole numbers."""
    numbers = values.dtype.kind in 'iuf' and np.isfinite(values).all() and (np.abs(values) < 2**53).all()
    return values.astype(np.int64) if numbers and (values == np.floor(values)).all() else values


class Result:
    """A finished training: what its command wrote, read back. Copies of a result have files of their own.

    Attributes:
      post: its name.
      config: as in config.json: `flags`, `versions`, `devices`, ...
      table: the columns of results.csv, {name: [runs]}.
      history: the records of the training, {name: array}: `step` [records], losses and distances [runs, records].
      text: what the command printed.
      directory: where the files are; without `output_dir` a temporary one, which lasts as long as the result.
    """

    def __init__(self, directory: pathlib.Path, text: str = '', temporary: bool = False):
        """Reads a directory that a post's command has written; a temporary one is removed with the result.

        Raises ValueError if it is none, or holds files of several commands.
        """
        quiet.import_tensorflow()
        self.directory, self.text, self.temporary = directory, text, temporary
        if temporary:
            weakref.finalize(self, shutil.rmtree, directory, ignore_errors=True)
        self.identity = directories.read(directory).identity
        try:
            self.config = json.loads(directories.file(directory, 'config.json').read_text(encoding='utf-8'))
            self.post = self.config['post']
            self.table = Table(files.read_csv(directories.file(directory, 'results.csv')))
            self.history = files.read_npz(directories.file(directory, 'history.npz'))
        except (OSError, ValueError, KeyError, TypeError, files.BadTable, files.BadArchive) as error:
            raise ValueError(f'{directory} is not the directory of a finished training ({error})') from error

    def __repr__(self) -> str:
        return f'<{self.post}: {len(self.seeds):,} seeds from {self.seeds[0]}, {self.table["success"].sum()} succeed>'

    def __reduce__(self) -> tuple:
        if not self.temporary:
            return Result, (self.directory, self.text)
        names = [*directories.names(self.directory), directories.LISTING]
        return unpacked, ({name: (self.directory / name).read_bytes() for name in names}, self.text)

    @property
    def seeds(self) -> np.ndarray:
        """uint32 [runs]."""
        return self.table['seed'].astype(np.uint32)

    @property
    def settings(self) -> Any:
        """The post's `Settings`."""
        return declaration.recorded_settings(contract.post(self.post), self.config)

    def plot(self, name: str | None = None) -> 'Figure':
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
        return drawn(draw[name], directories.file(self.directory, f'{name}.npz'))

    def sample(
        self, seed: int | None = None, n: int = 1000, noise_seed: int = 0, label: int | Sequence[int] | None = None
    ) -> np.ndarray:
        """Samples of a trained generator, float32 [n, 1] (MNIST: [n, 784]): those of the SavedModel that --export writes.

        Args:
          seed: of the run; None: the first.
          n: number of samples.
          noise_seed: the samples depend on it alone.
          label: of a conditional generator: one class, or one per sample; None or -1 for an even mix.

        Raises:
          ValueError: there is no run of that seed, a number cannot be, or there is a label for a generator without labels.

        Examples:
          >>> import reproductions
          >>> found = reproductions.train('aylien', runs=3, seed=7, num_steps=20, pretrain_steps=0)
          >>> found.sample(8, n=5).shape
          (5, 1)
        """
        seed = as_whole('seed', self.seeds[0] if seed is None else seed)
        n, noise_seed = as_whole('n', n), as_whole('noise_seed', noise_seed)
        if seed not in self.seeds:
            raise ValueError(f'seed={seed} is not one of this training; its seeds are {self.seeds[0]} to {self.seeds[-1]}')
        if not 0 <= n < 2**31:
            raise ValueError(f'n={n} must be a whole number, 0 or more')
        if not 0 <= noise_seed < SEEDS:
            raise ValueError(f'noise_seed={noise_seed} must be from 0 to 2^32 - 1')
        conditional = contract.post(self.post).conditional(self.settings)
        if label is not None and not conditional:
            raise ValueError(f'label={label} cannot be given: this generator takes no labels; leave it out')
        from reproductions import trained

        row = int(np.flatnonzero(self.seeds == seed)[0])
        _, g = self.networks(slice(row, row + 1))
        label = (-1 if label is None else label) if conditional else None
        return trained.sample(contract.part(self.post, 'gan'), self.settings, g, n, noise_seed, label)

    def networks(self, rows: slice = slice(None)) -> tuple[tuple['Linear', ...], tuple['Linear', ...]]:
        """D and G of some runs at the end, as they were judged.

        Raises ValueError if the checkpoint is gone, damaged or of another training.
        """
        from reproductions import trained

        whose, d, g = trained.networks_of(self.directory, rows)
        if self.identity and {'post': self.post} | whose != self.identity:
            raise ValueError(f'the checkpoint in {self.directory} is of another training; train again')
        return d, g

    def save(self, directory: str | pathlib.Path) -> pathlib.Path:
        """Copies the command's files into a directory, which it creates; --resume and --export work there. Returns its path.

        What another command left there is removed. Raises ValueError for no path on this machine, or one in use by a command;
        files.CannotWrite.
        """
        path = local(directory)
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


class Sweep(NamedTuple):
    """A finished sweep."""

    cells: Table  # the columns of sweep.csv, a row per cell that is done
    results: Table  # those of results.csv, a row per run, cell after cell
    map: dict[str, Any]  # the numbers of the map

    def plot(self) -> 'Figure':
        """The map of the sweep, which shows itself in a notebook."""
        from reproductions.sweeps import figures

        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch, 'map.npz')
            files.write_npz(path, self.map)
            return drawn(figures.draw, path)


class Replay(NamedTuple):
    """A recorded run beside ours."""

    table: Table  # the columns of replay.csv
    agrees: bool  # whether the first 20 steps agree within the tolerance
    worst: float  # largest relative error in them
    text: str  # what the command printed


# --- What these share ---------------------------------------------------------------------------------------------------------


def read(path: pathlib.Path) -> Result | Sweep:
    """What a command has written into a directory. Raises ValueError if it is neither a training nor a sweep."""
    kind = directories.read(path).kind or ('sweep' if (path / 'sweep.npz').exists() else 'training')
    if kind != 'sweep':
        return Result(path)
    from reproductions.sweeps import results

    return of_outcome(results.load(path))


def local(path: str | pathlib.Path, name: str = 'directory') -> pathlib.Path:
    """A path, absolute and so not moved by `os.chdir`, without ~. Raises ValueError for an address; `name`: of the argument."""
    return pathlib.Path(flags.local_path(name, str(path))).absolute()


def as_whole(name: str, value: Any) -> int:
    """The value of an argument that is a whole number, of Python or NumPy. Raises ValueError."""
    try:
        return operator.index(value)
    except TypeError as error:
        raise ValueError(f'{name}={value!r} must be a whole number') from error


def unpacked(contents: dict[str, bytes], text: str) -> Result:
    """A result in a temporary directory of its own, from its files: a copy, or one from another process."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix='reproductions-'))
    for name, content in contents.items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_bytes(content)
    return Result(directory, text, temporary=True)


def drawn(draw: Callable, numbers: pathlib.Path) -> 'Figure':
    """A figure from the .npz with its numbers, as a picture for IPython, which otherwise shows only those of pyplot."""
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch, numbers.name).with_suffix('.png')
        shutil.copy(numbers, scratch)
        figure = draw(path)
        picture = path.read_bytes()
    figure._repr_png_ = lambda: picture
    return figure


def of_outcome(outcome: Any) -> Sweep:
    """A `reproductions.sweeps.plan.Outcome` as a `Sweep`. Raises KeyboardInterrupt if it was stopped."""
    if outcome.stop:
        raise KeyboardInterrupt
    return Sweep(Table(outcome.cells), Table(outcome.results), outcome.map)
