"""The networks of a finished training, from its checkpoint."""

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from common import remedies
from common.nn.layers import Linear
from common.program import command
from common.storage import checkpoints, networks, saved_model


def networks_of(directory: pathlib.Path, rows: slice) -> tuple[dict[str, Any], tuple[Linear, ...], tuple[Linear, ...]]:
    """(settings of the checkpoint, D, G) of some runs, as they were judged. Raises ValueError if it is gone or damaged."""
    try:
        whose, arrays = checkpoints.newest(directory)
    except checkpoints.CannotResume as error:
        raise ValueError(str(error)) from error
    state = 'state/train_state'
    d, linears = (networks.found(f'{state}/{name}', arrays, rows) for name in ('d', 'd/linears'))
    if linears:  # with spectral normalization
        directions = tuple(arrays[f'{state}/d/directions/{i}'][rows] for i in range(len(linears)))
        d = tf.nest.map_structure(np.asarray, remedies.normalized(remedies.Normalized(linears, directions)))
    average, g = (networks.found(f'{state}/{name}', arrays, rows) for name in ('opt_state_g/average', 'g'))
    return whose, d, average or g


def sample(
    gan: Any, settings: Any, g: tuple[Linear, ...], n: int, noise_seed: int, label: int | Sequence[int] | None
) -> np.ndarray:
    """n samples of a generator, those of its SavedModel, [n, outputs]; `label` is None for one that takes none."""
    generator = saved_model.module(*command.sampler(gan, settings, g, label is not None))
    try:
        asked = () if label is None else (tf.constant(label, tf.int32),)
        return generator.sample(tf.constant(n), tf.constant(noise_seed, tf.int64), *asked).numpy()
    except (tf.errors.InvalidArgumentError, TypeError, ValueError) as error:
        raise ValueError(f'label={label} must be -1, a class, or one class per sample') from error
