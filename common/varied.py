"""Numbers that differ from run to run inside one compiled program, such as a learning rate of its own for every run.

`Runs` takes the place of the seeds wherever an experiment is given them, so its numbers are sharded over devices and cut into
groups with their runs. Inside the loop the post's settings hold tensors [runs, 1, 1] in place of these numbers. Broadcasting
does the rest: a post's functions are written once, for one number and for one per run.
"""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from common import training
from common.settings import changed


def in_settings(values: tf.Tensor) -> tf.Tensor:
    """As a post's functions broadcast them: [runs] -> [runs, 1, 1], [runs, n] -> [runs, 1, n]."""
    return tf.reshape(values, [values.shape[0], 1, -1])


class Runs(NamedTuple):
    """Seeds with what differs between their runs besides."""

    seeds: np.ndarray | tf.Tensor  # uint32 [runs]
    numbers: dict[str, np.ndarray | tf.Tensor]  # {field of the post's settings: float64 [runs], or [runs, n] for n numbers}


def make_experiment(make: Callable, settings: Any, dtypes: dict[str, str]) -> training.Experiment:
    """The experiment of `make(settings)` for `Runs` whose numbers replace those of the settings.

    Args:
      make: a post's `make_experiment`.
      settings: the post's, with everything that is the same for all runs.
      dtypes: {field: 'float32' or 'float64'}, the dtype that a number is computed in: that of the constant it replaces.
    """
    make = inspect.unwrap(make)  # settings that hold tensors cannot be looked up in a cache
    plain = make(settings)

    def experiment_of(runs: Runs) -> training.Experiment:
        numbers = {name: in_settings(tf.cast(value, dtypes[name])) for name, value in runs.numbers.items()}
        return make(changed(settings, numbers))

    return plain._replace(
        init=lambda runs: experiment_of(runs).init(runs.seeds),
        pretrain_loop=training.compile_loop(
            lambda runs, state: training.take_pretrain_step(experiment_of(runs).pretrain_step, runs.seeds, state), ['loss']
        ),
        train_loop=training.compile_loop(
            lambda runs, state: experiment_of(runs).iteration(runs.seeds, state),
            plain.losses,
            lambda runs, state: experiment_of(runs).measure(state),
            plain.group,
        ),
    )
