"""What the galleries of the posts share: committed pictures, and what makes them."""

import pathlib
import shutil
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from common.program import cli
from reproductions import posts

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Picture(NamedTuple):
    """A committed picture. It is drawn from the .npz of the same stem beside it."""

    part: str  # of make_figures.py, that makes it
    draw: Callable  # path -> None, or for a film a generator that draws it frame by frame
    shows: str  # what it shows, in the words of the post's page
    in_post: bool = True  # whether the post has such a figure


def command(post, directory, *flags):
    """Runs the command line of a post, by its name, into a directory; raises SystemExit where it fails."""
    print(f'python -m reproductions.{post}', *flags, flush=True)
    if cli.call(posts.part(post, '__main__').main, [post, *flags, f'--output_dir={directory}']):
        raise SystemExit(f'failed: {flags}')


def keep(scratch, out, name):
    """Keeps as <name>_* what shows an ensemble, run in scratch/many, and one seed of it with its film, run in scratch/one."""
    kept = {
        'many': ('ensemble.png', 'ensemble.npz', 'results.csv'),
        'one': ('figure.png', 'figure.npz', 'animation.gif', 'animation.npz'),
    }
    for directory, names in kept.items():
        for source in names:
            shutil.copy(scratch / directory / source, out / f'{name}_{source.replace("figure", "final")}')


def quartiles(values):
    """Median and quartiles of the numbers that are none of them NaN, as text; of a single number, itself."""
    if len(values) == 1:
        return f'{values[0]:.3g}'
    return '{:.3g} ({:.3g} .. {:.3g})'.format(*np.nanquantile(values, [0.5, 0.25, 0.75]))
