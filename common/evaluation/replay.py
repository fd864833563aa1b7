"""Replays a recorded run of an author's own program: the same batches and initial weights, with our update rules.

GAN training is chaotic: for some seeds rounding errors grow to order one within 30 to 200 steps. So the verdict is on the first
`JUDGED` steps, and the later ones are only reported.
"""

import json
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from common import training
from common.devices import distribution
from common.nn import layers
from common.storage import files

JUDGED = 20  # steps
TOLERANCE = 1e-3  # relative, with the floor below on the denominator
FLOOR = 1e-3
LOSSES = {'pretrain_loss': 'pre_loss', 'loss_d': 'loss_d', 'loss_g': 'loss_g'}  # {name in our records: name in a trace}


class BadTrace(Exception):
    """The file is not a usable trace; the message says why in one line."""


def load(path: pathlib.Path | str, post: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Reads a trace of a post: (meta, {key: array}). Raises BadTrace if it cannot be read or is of another post."""
    try:
        arrays = files.read_npz(path)
        meta = json.loads(str(arrays.pop('meta')))
    except files.BadArchive as error:
        raise BadTrace(str(error)) from error
    except (KeyError, ValueError, RecursionError) as error:
        raise BadTrace('has no readable description (meta)') from error
    if not isinstance(meta, dict) or meta.get('post') != post:
        raise BadTrace(f'is not a trace of {post}')
    return meta, arrays


def check_shapes(arrays: dict[str, np.ndarray], shapes: dict[str, tuple[int, ...]]) -> None:
    """Raises BadTrace unless the arrays are float32 with these shapes, {key: shape}."""
    for key, shape in shapes.items():
        if key not in arrays:
            raise BadTrace(f'lacks {key}')
        if arrays[key].shape != shape or arrays[key].dtype != np.float32:
            raise BadTrace(f'has {key} as {arrays[key].dtype} {arrays[key].shape}, not float32 {shape}')


def relative_error(recorded: np.ndarray, reproduced: np.ndarray) -> np.ndarray:
    """|a - b| / max(|a|, FLOOR), elementwise; 0 if both are NaN or the same infinity, inf if only one is."""
    recorded, reproduced = np.asarray(recorded, np.float64), np.asarray(reproduced, np.float64)
    same = (recorded == reproduced) | (np.isnan(recorded) & np.isnan(reproduced))
    with np.errstate(invalid='ignore'):
        error = np.abs(recorded - reproduced) / np.maximum(np.abs(recorded), FLOOR)
    return np.where(same, 0.0, np.where(np.isfinite(error), error, np.inf))


def compare(pairs: dict[str, tuple]) -> dict[str, list]:
    """The columns of replay.csv from {quantity: (steps [n], recorded [n], reproduced [n])}."""
    columns = {name: [] for name in ('step', 'quantity', 'recorded', 'reproduced', 'relative_error')}
    for quantity, (steps, recorded, reproduced) in pairs.items():
        columns['step'] += [int(step) for step in steps]
        columns['quantity'] += [quantity] * len(steps)
        columns['recorded'] += list(np.asarray(recorded))
        columns['reproduced'] += list(np.asarray(reproduced))
        columns['relative_error'] += list(relative_error(recorded, reproduced))
    return columns


def worst_judged(columns: dict[str, list]) -> float:
    """The largest relative error among the first `JUDGED` steps; the replay passes if it is at most `TOLERANCE`."""
    steps, errors = np.array(columns['step']), np.array(columns['relative_error'])
    return float(errors[steps < JUDGED].max())


def linears(arrays: dict[str, np.ndarray], names: Sequence[str]) -> tuple[layers.Linear, ...]:
    """Layers of a trace, weights [in, out] and biases [out], as `layers.Linear` of one run."""
    return tuple(
        layers.Linear(tf.constant(arrays[f'{name}/w'].T[None]), tf.constant(arrays[f'{name}/b'][None, :, None]))
        for name in names
    )


def batches(arrays: dict[str, np.ndarray], *names: str) -> Callable:
    """(seeds, step) -> the batches of a trace at a step, [steps, batch, 1] each, as [1, 1, batch]."""
    return lambda seeds, step: tuple(tf.transpose(tf.gather(arrays[name], step))[None] for name in names)


def on_trace(
    arrays: dict[str, np.ndarray],
    init: Callable,
    train_step: training.TrainStep,
    pretrain_step: training.PretrainStep,
    pretrain_steps: int,
) -> training.Experiment:
    """The experiment of one run on the batches x, z_d, z_g, pre_x and pre_y of a trace; the others are a post's."""
    draw_g = batches(arrays, 'z_g')
    return training.make_experiment(
        init=init,
        train_step=train_step._replace(draw_d=batches(arrays, 'x', 'z_d'), draw_g=lambda *at: draw_g(*at)[0]),
        pretrain_step=pretrain_step._replace(draw=batches(arrays, 'pre_x', 'pre_y')),
        pretrain_steps=pretrain_steps,
    )


def compare_run(
    experiment: training.Experiment, meta: dict[str, Any], arrays: dict[str, np.ndarray], losses: dict[str, str] = LOSSES
) -> dict[str, list]:
    """Trains on the batches of a trace, records every step, and compares. Returns the columns of replay.csv.

    Args:
      experiment: of one run, whose batches and initial weights are those of the trace.
      meta: of the trace.
      arrays: of the trace.
      losses: {name in our records: name in the trace}; names that the trace lacks are skipped.
    """
    strategy = distribution.make_strategy('cpu', 1)
    seeds = np.zeros(1, np.uint32)
    parts = [records for _, records in training.train(experiment, strategy, seeds, meta['steps'], every=1)]
    ours = training.join_records(parts)
    return compare(
        {
            theirs: (range(len(arrays[theirs])), arrays[theirs], ours[name][0])
            for name, theirs in losses.items()
            if theirs in arrays
        }
    )
