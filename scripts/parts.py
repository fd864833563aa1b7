"""What the scripts behind make_figures.py share."""

import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from common import app  # noqa: E402


def command(post, directory, *flags):
    """Runs a post's command line into a directory; raises SystemExit where it fails."""
    name = post.__name__.rpartition('.')[2]
    print(f'python -m reproductions.{name}', *flags, flush=True)
    if app.call(post.main, [name, *flags, f'--output_dir={directory}']):
        raise SystemExit(f'failed: {flags}')


def quartiles(values):
    """Median and quartiles of the numbers that are none of them NaN, as text."""
    return '{:.3g} ({:.3g} .. {:.3g})'.format(*np.nanquantile(values, [0.5, 0.25, 0.75]))
