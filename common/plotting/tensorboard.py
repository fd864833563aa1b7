"""Records and figures for TensorBoard, which is an optional dependency (the extra `tensorboard`)."""

import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from common.storage import files

QUANTILES = {'median': 0.5, '05': 0.05, '25': 0.25, '75': 0.75, '95': 0.95}  # a folder each, so that one chart shows them all


def write(folder: pathlib.Path, history: dict[str, np.ndarray], pictures: Sequence[pathlib.Path]) -> None:
    """Writes event files: quantiles over seeds of every record, or a single seed's own values, and the figures as images.

    Args:
      folder: for TensorBoard's --logdir; what an earlier training wrote there is removed, or both would join into one curve.
      history: {name: array}, the joined records of a training.
      pictures: the figures, .png files.

    Raises:
      files.CannotWrite: the folder cannot be written.
    """
    runs = max((values.shape[0] for _, _, values in curves(history)), default=1)
    with files.writing(folder):
        for name in (*QUANTILES, 'run', 'figures'):
            for old in (folder / name).glob('events.out.tfevents.*'):
                old.unlink()
        for name, quantile in QUANTILES.items() if runs > 1 else [('run', 0.5)]:
            with tf.summary.create_file_writer(str(folder / name)).as_default():
                for tag, steps, values in curves(history):
                    for step, number in zip(steps, over_seeds(values, quantile), strict=True):
                        tf.summary.scalar(tag, number, step)
        with tf.summary.create_file_writer(str(folder / 'figures')).as_default():
            for path in sorted(pictures):
                with Image.open(path) as image:
                    tf.summary.image(path.stem, np.array(image.convert('RGB'))[None], 0)


def curves(history: dict[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """(name, iterations [records], values [runs, records]) of every record; each follows the iterations that it belongs to."""
    steps: Any = None
    for name, values in history.items():
        if name == 'step' or name.endswith('_step'):
            steps = values
        elif values.ndim == 2:
            yield name, steps, values


def over_seeds(values: np.ndarray, quantile: float) -> np.ndarray:
    """A quantile over the runs that are finite at each record, [records]; NaN where none is."""
    finite = np.isfinite(values)
    found = np.full(values.shape[1], np.nan)
    some = finite.any(axis=0)
    found[some] = np.nanquantile(np.where(finite, values, np.nan)[:, some], quantile, axis=0)
    return found
