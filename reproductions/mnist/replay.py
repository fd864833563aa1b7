"""Replays recorded runs of the post's listing: the arrays a trace must contain, and a train step that reads its batches."""

import itertools
import pathlib
from typing import Any

import numpy as np
import tensorflow as tf

from common.evaluation import replay
from reproductions.mnist import gan


def trace_settings(meta: dict[str, Any]) -> gan.Settings:
    """The settings a trace was recorded with. Raises replay.BadTrace if its metadata does not give valid ones."""
    if not all(type(meta.get(name)) is int and 0 < meta[name] <= 10_000 for name in ('batch_size', 'steps')):
        raise replay.BadTrace('names an impossible size')
    for name in ('d_arch', 'g_arch'):
        widths = meta.get(name)
        if not isinstance(widths, list) or not all(type(w) is int and 0 < w <= 10_000 for w in widths) or len(widths) < 2:
            raise replay.BadTrace(f'has no widths in {name}')
    if meta['d_arch'][0] != meta['g_arch'][-1] or meta['d_arch'][-1] != 1:
        raise replay.BadTrace('has networks of shapes that do not match')
    return gan.make_settings(d_widths=tuple(meta['d_arch']), g_widths=tuple(meta['g_arch']), batch_size=meta['batch_size'])


def trace_shapes(settings: gan.Settings, steps: int) -> dict[str, tuple[int, ...]]:
    """The float arrays a trace with these settings must contain: {name: shape}; weights are [in, out]."""
    shapes = {'z': (steps, settings.batch_size, settings.g_widths[0]), 'loss_d': (steps,), 'loss_g': (steps,)}
    for network, widths in (('D', settings.d_widths), ('G', settings.g_widths)):
        for i, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
            shapes |= {f'init/{network}/l{i}/w': (inputs, outputs), f'init/{network}/l{i}/b': (outputs,)}
    return shapes


def replay_trace(path: str | pathlib.Path) -> dict[str, list]:
    """Runs a recorded training again from its own initial weights, on its own digits and noise: the columns of replay.csv.

    Raises:
      replay.BadTrace: the file is not a usable trace.
    """
    meta, arrays = replay.load(path, 'mnist')
    settings = trace_settings(meta)
    replay.check_shapes(arrays, trace_shapes(settings, meta['steps']))
    wanted = (meta['steps'], settings.batch_size, settings.d_widths[0])
    if 'x' not in arrays or arrays['x'].dtype != np.uint8 or arrays['x'].shape != wanted:
        raise replay.BadTrace(f'has no x of bytes {wanted}')

    def draw(seeds, step):
        x, z = (tf.transpose(tf.gather(arrays[name], step))[None] for name in 'xz')
        return tf.cast(x, tf.float32) / 255, z

    def network(name, widths):
        return replay.linears(arrays, [f'init/{name}/l{i}' for i in range(len(widths) - 1)])

    train_step = gan.make_train_step(settings, np.zeros([1, settings.d_widths[0]], np.uint8))._replace(draw_d=draw)
    experiment = gan.experiment_of(settings, train_step)._replace(
        init=lambda seeds: (network('D', settings.d_widths), network('G', settings.g_widths))
    )
    return replay.compare_run(experiment, meta, arrays, {'loss_d': 'loss_d', 'loss_g': 'loss_g'})
