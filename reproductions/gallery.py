"""What the posts' galleries share: the committed figures, and helpers that make them."""

import pathlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from common import markdown
from common.evaluation import two_sample
from common.program import cli
from common.storage import files
from reproductions import contract
from reproductions.sweeps import command as sweeps
from reproductions.sweeps import figures as sweep_figures

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Part(NamedTuple):
    """A part of scripts/make_figures.py."""

    make: Callable  # its directory, and the number of seeds if it trains ensembles -> None
    trains: bool = False

    def run(self, out: pathlib.Path, runs: int) -> None:
        """Writes the files of the part; `runs` seeds per ensemble."""
        self.make(out, runs) if self.trains else self.make(out)


class Picture(NamedTuple):
    """A committed figure, drawn from the .npz file of the same name beside it."""

    part: str  # the part of make_figures.py that makes it
    draw: Callable  # path -> the figure, or for an animation a generator that draws it frame by frame
    shows: str  # a caption
    in_post: bool = True  # whether the post shows this figure


def command(post: str, directory: pathlib.Path, *flags: str) -> None:
    """Runs a post's command with its output in a directory; raises SystemExit if it fails."""
    print(f'python -m reproductions.{post}', *flags, flush=True)
    if cli.call(contract.part(post, '__main__').main, [post, *flags, f'--output_dir={directory}']):
        raise SystemExit(f'failed: {flags}')


def copied(post: str, out: pathlib.Path, flags: Sequence[str], names: dict[str, str]) -> None:
    """Runs a post's command and copies some of its pictures, {file: new name}, with their numbers."""
    with tempfile.TemporaryDirectory() as scratch:
        command(post, pathlib.Path(scratch), *flags)
        for source, target in names.items():
            for suffix in (pathlib.Path(source).suffix, '.npz'):
                shutil.copy(pathlib.Path(scratch, source).with_suffix(suffix), (out / target).with_suffix(suffix))


class Map(NamedTuple):
    """A sweep of the atlas: figures/<post>/map_<name>.png, its numbers, and its cells as map_<name>.csv."""

    title: str
    flags: tuple[str, ...]  # of `python -m reproductions sweep <post>`


def maps(post: str, chosen: dict[str, Map], out: pathlib.Path) -> None:
    """Runs the sweeps of a post's maps, 48 seeds a cell unless their flags say otherwise; a stopped one goes on."""
    for name, one in chosen.items():
        directory = ROOT / 'output' / 'atlas' / f'{post}_{name}'
        resume = ['--resume'] if (directory / 'config.json').exists() else []
        print(f'python -m reproductions sweep {post}', *one.flags, flush=True)
        if cli.call(sweeps.main, [post, *one.flags, f'--output_dir={directory}', *resume]):
            raise SystemExit(f'failed: {one.flags}')
        arrays = files.read_npz(directory / 'sweep.npz')
        arrays = {key: value for key, value in arrays.items() if not key.startswith(('run/', 'identity'))} | {
            'title': one.title
        }
        shutil.copy(directory / 'sweep.csv', out / f'map_{name}.csv')
        files.write_npz(out / f'map_{name}.npz', arrays | {'title': one.title})
        sweep_figures.draw(out / f'map_{name}.png')


def map_pictures(chosen: dict[str, Map]) -> dict[str, Picture]:
    """The rows of PICTURES for a post's maps."""
    return {f'map_{name}.png': Picture('maps', sweep_figures.draw, one.title, in_post=False) for name, one in chosen.items()}


def outcomes_beside(programs: dict[str, tuple[dict, dict]], columns: Sequence[str]) -> str:
    """A row per program: our outcomes and the author's, {column: [runs]} each, and the smallest p of the tests of `columns`."""

    def cells(table):
        return [f'{np.mean(table["finite"]):.1%}', *(quartiles(table[column]) for column in ('mean', 'std'))]

    head = ['program', 'success', 'finite', 'mean', 'std', "authors' *n*", 'finite', 'mean', 'std', '*p*']
    return markdown.table(head, [
        (name, f'{np.mean(ours["success"]):.1%}', *cells(ours), len(theirs['seed']), *cells(theirs),
         f'{min(two_sample.compare(ours, theirs, columns).values()):.2g}')
        for name, (ours, theirs) in programs.items()
    ])  # fmt: skip


def keep(scratch: pathlib.Path, out: pathlib.Path, name: str) -> None:
    """Copies the figures of an ensemble (scratch/many) and of one of its seeds (scratch/one) to out/<name>_*."""
    kept = {
        'many': ('ensemble.png', 'ensemble.npz', 'results.csv'),
        'one': ('figure.png', 'figure.npz', 'animation.gif', 'animation.npz'),
    }
    for directory, names in kept.items():
        for source in names:
            shutil.copy(scratch / directory / source, out / f'{name}_{source.replace("figure", "final")}')


def quartiles(values: np.ndarray) -> str:
    """Median and quartiles as text, ignoring NaN; a single number as itself."""
    if len(values) == 1:
        return f'{values[0]:.3g}'
    return '{:.3g} ({:.3g} .. {:.3g})'.format(*np.nanquantile(values, [0.5, 0.25, 0.75]))
