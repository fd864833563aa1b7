"""The figures of Aylien's post: what data each holds, and how it is drawn from that data alone."""

import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from common.nn.random import Stream
from common.plotting import densities, figures
from common.program import session
from reproductions.aylien import gan


def real_density(settings: gan.Settings) -> np.ndarray:
    """Density histogram of 10,000 real samples, as the post plots the data, [99]."""
    seeds = tf.constant([gan.SEED], tf.uint32)
    return figures.density(gan.real_samples(settings, seeds, 0, gan.PLOT_POINTS, Stream.FIGURE).numpy().ravel(), gan.BINS)


def draw(
    settings: gan.Settings, directory: pathlib.Path, seeds: np.ndarray, trained: session.Trained, table: dict[str, np.ndarray]
) -> None:
    """Writes figure.png for the first seed and, for several seeds, ensemble.png; each with its data as .npz."""
    evaluation, real = gan.make_evaluation(settings), real_density(settings)
    heading = f'1-D GAN {"with" if settings.minibatch else "without"} minibatch discrimination ({settings.variant}'
    densities.final(directory, f'{heading}, seed {seeds[0]})', evaluation, gan.BINS, real, trained.train_state)
    if len(seeds) > 1:
        title = f'{heading}, {len(seeds):,} seeds)'
        densities.ensemble(directory, title, evaluation, gan.BINS, real, seeds, trained.train_state, table, trained.history)


def curves_of(settings: gan.Settings, d: Any, g: Any) -> densities.Curves:
    """What the explorer shows of the networks of some runs."""
    return densities.curves_of_many(gan.make_evaluation(settings, densities.SAMPLES), settings.noise_range, d, g)


def draw_animation(settings: gan.Settings, path: pathlib.Path, frames: list[tuple[int, Any]], seed: int) -> Iterator[int]:
    """Writes the animation's data and returns the generator that draws it; `frames` are those of `session.Trained`."""
    evaluation, shown = gan.make_evaluation(settings), (-6, 6, 1.4)  # the axes of the post's animation
    title = f'{settings.variant}, seed {seed}'
    return densities.draw_film(path, title, evaluation, gan.BINS, real_density(settings), frames, shown)


DRAWN = {'figure': figures.distributions, 'ensemble': figures.ensemble}
