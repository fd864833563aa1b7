"""The figures of the post, each drawn from numbers that are saved beside it."""

import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from reproductions.corners import gan
from reproductions.corners.settings import MEANS, STD

from common.evaluation import plane
from common.nn.random import Stream
from common.plotting import figures, planes
from common.program.command import Finished

DATA = plane.reference(np.array(MEANS), np.full(len(MEANS), STD), 250)


def samples_of(settings: gan.Settings, seeds: np.ndarray, g: Any) -> np.ndarray:
    """Samples of each run, [runs, n, 2]."""
    z = gan.noise(settings, tf.constant(seeds), Stream.FIGURE, 0, gan.SAMPLES)
    return gan.generator(settings, tf.nest.map_structure(tf.constant, g), z).numpy().transpose(0, 2, 1)


def draw(run: Finished) -> None:
    """Writes figure.png for the first seed and, for several seeds, ensemble.png; each with its data as .npz."""
    planes.draw(run, 'Four corners', DATA, samples_of(run.settings, run.seeds, run.trained.train_state.g))


def draw_animation(settings: gan.Settings, path: pathlib.Path, frames: list[tuple[int, Any]], seed: int) -> Iterator[int]:
    """Writes the animation's data and returns the generator that draws it; `frames` are those of `session.Trained`."""
    samples = np.stack([samples_of(settings, np.array([seed], np.uint32), state.g)[0] for _, state in frames])
    arrays = {'title': f'seed {seed}', 'step': np.array([step for step, _ in frames]), 'data': DATA, 'samples': samples}
    return figures.write(path, planes.animation, arrays)


def seen(settings: gan.Settings, seeds: np.ndarray, d: Any, g: Any) -> np.ndarray:
    """What the explorer shows of the networks of some runs: a picture of each."""
    return np.stack([plane.picture(samples, 1.6) for samples in samples_of(settings, seeds, g)])


DRAWN = {'figure': planes.points, 'ensemble': planes.points}
