"""What the posts' galleries share: the committed figures, and helpers that make them."""

import pathlib
import shutil
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from common.program import cli
from common.storage import files
from reproductions import contract
from reproductions.sweeps import command as sweeps
from reproductions.sweeps import figures as sweep_figures

ROOT = pathlib.Path(__file__).resolve().parent.parent


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


class Map(NamedTuple):
    """A sweep of the atlas: figures/<post>/map_<name>.png, its numbers, and its cells as map_<name>.csv."""

    title: str
    flags: tuple[str, ...]  # of `python -m reproductions sweep <post>`


def maps(post: str, chosen: dict[str, Map], runs: int, out: pathlib.Path) -> None:
    """Runs the sweeps of a post's maps, 48 seeds a cell unless their flags say otherwise; a stopped one goes on."""
    del runs
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
