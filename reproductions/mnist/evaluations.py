"""When a training of the MNIST post is evaluated, and against what."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from common import training
from common.nn.random import Stream
from reproductions.mnist import dataset, gan, quality


def make_evaluator(
    settings: gan.Settings, digits: dataset.Digits, experiment: training.Experiment, seeds: np.ndarray
) -> quality.Evaluator:
    """The `quality.Evaluator` of some digits, with the first run's untrained G among its references.

    The untrained G is the upper reference of the Fréchet distance.
    """
    evaluator = quality.make_evaluator(digits)
    d, g = tf.nest.map_structure(lambda value: value.numpy(), experiment.init(tf.constant(seeds[:1])))
    columns, _ = gan.evaluate(settings, evaluator, seeds[:1], training.TrainState(0, d, g, (), ()))
    evaluator.references['untrained'] = {name: float(values[0]) for name, values in columns.items()}
    return evaluator


def watcher(
    settings: gan.Settings, evaluator: quality.Evaluator, seeds: np.ndarray, num_steps: int, grid_every: int, eval_every: int
) -> tuple[Callable, Callable]:
    """(watch, watched) for `session.train`: records evaluations, and sample grids of the first run, during training.

    Both are taken after iteration 0, at multiples of their interval, and at the end. Records: `eval_step` [1] and every
    column [runs, 1]; `sheet_step` [1] and `sheets` uint8 [1, 100, 784, 1].
    """

    def due(step, every):
        return (step - 1) % every == 0 or step == num_steps

    def watched(step):
        return due(step, grid_every) or due(step, eval_every)

    def watch(step, train_state):
        if due(step, eval_every):
            columns, grids = gan.evaluate(settings, evaluator, seeds, train_state)
            found = {'eval_step': np.array([step - 1])} | {name: values[:, None] for name, values in columns.items()}
        else:
            grids, found = None, {}
        if grids is None or grids.shape[1] < quality.GRID_SIZE:  # there are fewer test digits
            grids = sample_grid(settings, seeds[:1], train_state)
        return found | {'sheet_step': np.array([step - 1]), 'sheets': grids[:1, ..., None]}

    return watch, watched


def sample_grid(settings: gan.Settings, seeds: np.ndarray, train_state: training.TrainState) -> np.ndarray:
    """Samples of the first len(seeds) runs on fixed noise, uint8 [len(seeds), 100, 784]; conditional: 0, ... 9, 0, ..."""
    return quality.as_bytes(samples(settings, seeds, train_state, quality.GRID_SIZE))


def samples(settings: gan.Settings, seeds: np.ndarray, train_state: training.TrainState, count: int) -> np.ndarray:
    """The same in 0 .. 1, float32 [len(seeds), count, 784]."""
    g = tf.nest.map_structure(lambda value: tf.constant(value[: len(seeds)]), train_state.g)
    z = gan.requests(settings, tf.constant(seeds), Stream.FIGURE, 0, count)
    return gan.generator(settings, g, z).numpy().transpose(0, 2, 1)
