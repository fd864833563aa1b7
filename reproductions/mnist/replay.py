"""Replays recorded runs of the post's author: the arrays a trace must contain, and a train step that reads its batches."""

import itertools
import pathlib
from typing import Any

import numpy as np
import tensorflow as tf

from common import training
from common.evaluation import replay
from reproductions.mnist import dataset, gan
from reproductions.mnist.settings import CLASSES, DEFAULT, VARIANTS, make_settings


def trace_settings(meta: dict[str, Any]) -> gan.Settings:
    """The settings a trace was recorded with. Raises replay.BadTrace if its metadata does not give valid ones."""
    if not all(type(meta.get(name)) is int and 0 < meta[name] <= 10_000 for name in ('batch_size', 'steps')):
        raise replay.BadTrace('names an impossible size')
    for name in ('d_arch', 'g_arch'):
        widths = meta.get(name)
        if not isinstance(widths, list) or not all(type(w) is int and 0 < w <= 10_000 for w in widths) or len(widths) < 2:
            raise replay.BadTrace(f'has no widths in {name}')
    variant = meta.get('variant', DEFAULT)  # traces of the listing do not name it
    if not isinstance(variant, str) or variant not in VARIANTS:
        raise replay.BadTrace('is of an unknown variant')
    published = make_settings(variant)
    labels, epsilon = CLASSES * published.conditional, 1e-8
    if meta['d_arch'][0] != meta['g_arch'][-1] + labels or meta['d_arch'][-1] != 1 or meta['g_arch'][0] <= labels:
        raise replay.BadTrace('has networks of shapes that do not match')
    if meta.get('conditional', labels) != labels:
        raise replay.BadTrace(f'has other labels than {variant}')
    adam = [published.learning_rate, published.beta1, published.beta2, epsilon]
    if meta.get('adam', adam) != adam:
        raise replay.BadTrace(f'has another Adam than {variant}')
    return make_settings(variant, d_widths=tuple(meta['d_arch']), g_widths=tuple(meta['g_arch']), batch_size=meta['batch_size'])


def trace_shapes(settings: gan.Settings, steps: int) -> dict[str, tuple[int, ...]]:
    """The float arrays a trace with these settings must contain: {name: shape}; weights are [in, out]."""
    noise = settings.g_widths[0] - CLASSES * settings.conditional
    shapes = {'z': (steps, settings.batch_size, noise), 'loss_d': (steps,), 'loss_g': (steps,)}
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
    bytes_of = {'x': (meta['steps'], settings.batch_size, settings.g_widths[-1])}
    bytes_of |= {'y': (meta['steps'], settings.batch_size)} if settings.conditional else {}
    for name, shape in bytes_of.items():
        if name not in arrays or arrays[name].dtype != np.uint8 or arrays[name].shape != shape:
            raise replay.BadTrace(f'has no {name} of bytes {shape}')
    if settings.conditional and arrays['y'].max() >= CLASSES:
        raise replay.BadTrace(f'has a label above {CLASSES - 1}')

    def network(name, widths):
        return replay.linears(arrays, [f'init/{name}/l{i}' for i in range(len(widths) - 1)])

    experiment = gan.experiment_of(settings, recorded_step(settings, arrays))._replace(
        init=lambda seeds: (network('D', settings.d_widths), network('G', settings.g_widths))
    )
    return replay.compare_run(experiment, meta, arrays)


def recorded_step(settings: gan.Settings, arrays: dict[str, np.ndarray]) -> training.TrainStep:
    """The adversarial training on the batches of a trace: x and y are bytes, z is noise; both updates use the same."""

    def draw(seeds, step):
        x, z = replay.batches(arrays, 'x', 'z')(seeds, step)
        x = tf.cast(x, tf.float32) / 255
        if not settings.conditional:
            return x, z
        labels = tf.gather(arrays['y'], step)[None]
        return dataset.with_labels(x, labels), dataset.with_labels(z, labels)

    none = np.zeros([1, settings.g_widths[-1]], np.uint8), np.zeros(1, np.uint8)
    return gan.make_train_step(settings, none)._replace(draw_d=draw)
