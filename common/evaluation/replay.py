"""Replaying a recorded run of an author's own program: the same batches, the same weights, our update rules.

GANs are chaotic: float rounding grows to order one within 30 to 200 steps for some seeds. So the first `JUDGED` steps decide,
and the later ones are reported.
"""

import json

import numpy as np
import tensorflow as tf

from common import training
from common.devices import distribution
from common.nn import layers
from common.storage import files

JUDGED = 20  # steps
TOLERANCE = 1e-3  # relative, with the floor below on the denominator
FLOOR = 1e-3


class BadTrace(Exception):
    """The file is no usable trace; the message says why in one line."""


def load(path, post):
    """Reads a trace of a post: (meta, {key: array}). Raises BadTrace: it cannot be read, or is none of this post."""
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


def check_shapes(arrays, shapes):
    """Raises BadTrace unless the arrays are floats of these shapes: {key: shape}."""
    for key, shape in shapes.items():
        if key not in arrays:
            raise BadTrace(f'lacks {key}')
        if arrays[key].shape != shape or arrays[key].dtype != np.float32:
            raise BadTrace(f'has {key} as {arrays[key].dtype} {arrays[key].shape}, not float32 {shape}')


def relative_error(recorded, reproduced):
    """|a - b| / max(|a|, FLOOR), elementwise; 0 where both are NaN or the same infinity, inf where only one is."""
    recorded, reproduced = np.asarray(recorded, np.float64), np.asarray(reproduced, np.float64)
    same = (recorded == reproduced) | (np.isnan(recorded) & np.isnan(reproduced))
    with np.errstate(invalid='ignore'):
        error = np.abs(recorded - reproduced) / np.maximum(np.abs(recorded), FLOOR)
    return np.where(same, 0.0, np.where(np.isfinite(error), error, np.inf))


def compare(pairs):
    """The columns of `replay.csv` from {quantity: (steps [n], recorded [n], reproduced [n])}."""
    columns = {name: [] for name in ('step', 'quantity', 'recorded', 'reproduced', 'relative_error')}
    for quantity, (steps, recorded, reproduced) in pairs.items():
        columns['step'] += [int(step) for step in steps]
        columns['quantity'] += [quantity] * len(steps)
        columns['recorded'] += list(np.asarray(recorded))
        columns['reproduced'] += list(np.asarray(reproduced))
        columns['relative_error'] += list(relative_error(recorded, reproduced))
    return columns


def worst_judged(columns):
    """The largest relative error among the first `JUDGED` steps; the replay passes if it is at most `TOLERANCE`."""
    steps, errors = np.array(columns['step']), np.array(columns['relative_error'])
    return float(errors[steps < JUDGED].max())


def linears(arrays, names):
    """Layers of a trace, weights [in, out] and biases [out], as `layers.Linear` of one run."""
    return tuple(
        layers.Linear(tf.constant(arrays[f'{name}/w'].T[None]), tf.constant(arrays[f'{name}/b'][None, :, None]))
        for name in names
    )


def compare_run(experiment, meta, arrays, losses):
    """Trains an experiment that draws from a trace, recording every step, and compares: the columns of `replay.csv`.

    Args:
      experiment: `training.Experiment` of one run.
      meta, arrays: of the trace.
      losses: {name in our records: name in the trace}; names that a trace lacks are passed over.
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
