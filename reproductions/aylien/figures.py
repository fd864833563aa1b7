"""The figures of Aylien's post: what data each holds, and how it is drawn from that data alone."""

import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from common.nn.random import Stream
from common.plotting import densities, figures
from common.program.command import Finished
from reproductions.aylien import gan
from reproductions.aylien.settings import PLOT_POINTS, SEED


def real_density(settings: gan.Settings) -> np.ndarray:
    """Density histogram of 10,000 real samples, as the post plots the data, [99]."""
    samples = gan.real_samples(settings, tf.constant([SEED], tf.uint32), 0, PLOT_POINTS, Stream.FIGURE)
    return figures.density(samples.numpy().ravel(), gan.BINS)


def draw(run: Finished) -> None:
    """Writes figure.png for the first seed and, for several seeds, ensemble.png; each with its data as .npz."""
    settings, real = run.settings, real_density(run.settings)
    heading = f'1-D GAN {"with" if settings.minibatch else "without"} minibatch discrimination ({settings.variant}'
    densities.final(run, f'{heading}, seed {run.seeds[0]})', gan.BINS, real)
    densities.ensemble(run, f'{heading}, {len(run.seeds):,} seeds)', gan.BINS, real)


def seen(settings: gan.Settings, seeds: np.ndarray, d: Any, g: Any) -> densities.Curves:
    """What the explorer shows of the networks of some runs."""
    return densities.curves_of_many(gan.evaluation(settings, densities.SAMPLES), settings.noise_range, d, g)


def draw_animation(settings: gan.Settings, path: pathlib.Path, frames: list[tuple[int, Any]], seed: int) -> Iterator[int]:
    """Writes the animation's data and returns the generator that draws it; `frames` are those of `session.Trained`."""
    evaluation, shown = gan.evaluation(settings), (-6, 6, 1.4)  # the axes of the post's animation
    title = f'{settings.variant}, seed {seed}'
    return densities.draw_film(path, title, evaluation, gan.BINS, real_density(settings), frames, shown)


DRAWN = {'figure': figures.distributions, 'ensemble': figures.ensemble}
