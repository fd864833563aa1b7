"""Replays recorded runs of Dev Nag's programs: the arrays a trace must contain, and its updates one by one."""

import itertools
import pathlib
from typing import Any

import numpy as np
import tensorflow as tf

from common import training
from common.compiled import compiled
from common.evaluation import replay
from common.nn import layers
from reproductions.devnag import gan
from reproductions.devnag.settings import DRAWS, VARIANTS, make_settings

VIEWS = {'Only 4 moments': 'moments', 'Raw data': 'raw', 'Data and variances': 'variances', 'Data and diffs': 'diffs'}
LOSSES = ('loss_d_real', 'loss_d_fake', 'loss_g')


def trace_settings(meta: dict[str, Any]) -> gan.Settings:
    """The settings a trace was recorded with. Raises replay.BadTrace if its metadata does not give valid ones."""
    whole = [meta.get(name) for name in ('batch_size', 'd_steps', 'g_steps', 'epochs')]
    variant, preprocess = str(meta.get('variant')), VIEWS.get(str(meta.get('preprocess')))
    if variant not in VARIANTS or preprocess not in make_settings(variant).views:
        raise replay.BadTrace('names no known variant')
    if not all(type(number) is int and 0 < number <= DRAWS for number in whole):
        raise replay.BadTrace('names an impossible size')
    batch_size, d_steps, g_steps, _ = whole
    return make_settings(variant, preprocess=preprocess, batch_size=batch_size, d_steps=d_steps, g_steps=g_steps)


def trace_shapes(settings: gan.Settings, rounds: int) -> dict[str, tuple[int, ...]]:
    """The arrays a trace with these settings must contain: {name: shape}; weights are [out, in]."""
    seeds = tf.zeros([1], tf.uint32)
    networks = {'D': gan.init_discriminator(settings, seeds), 'G': gan.init_generator(settings, seeds)}
    shapes = {}
    for name, network in networks.items():
        for i, layer in enumerate(network, start=1):
            shapes[f'init/{name}/map{i}/w'] = tuple(layer.w.shape[1:])
            shapes[f'init/{name}/map{i}/b'] = tuple(layer.b.shape[1:2])
    d_updates, g_updates = rounds * settings.d_steps, rounds * settings.g_steps
    shapes |= dict.fromkeys(('x', 'z_d'), (d_updates, settings.batch_size)) | {'z_g': (g_updates, settings.batch_size)}
    return shapes | dict.fromkeys(('loss_d_real', 'loss_d_fake'), (d_updates,)) | {'loss_g': (g_updates,)}


def replay_trace(path: str | pathlib.Path) -> dict[str, list]:
    """Repeats a recorded run from its initial weights, on its batches, and compares losses: the columns of replay.csv.

    Every update is compared, not only the last of each round, so a step is one update.

    Raises:
      replay.BadTrace: the file is not a usable trace.
    """
    meta, arrays = replay.load(path, 'devnag')
    settings = trace_settings(meta)
    replay.check_shapes(arrays, trace_shapes(settings, meta['epochs']))
    ours, _ = retrain(settings, meta['epochs'], arrays)
    return replay.compare({name: (range(len(arrays[name])), arrays[name], ours[name]) for name in LOSSES})


def retrain(
    settings: gan.Settings, rounds: int, arrays: dict[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], training.TrainState]:
    """Repeats the training of a trace: ({loss: [updates]}, the final `training.TrainState`)."""

    def batch(name, update):
        return tf.gather(tf.constant(arrays[name]), update)[None, None]

    train_step = gan.make_train_step(settings)._replace(
        draw_d=lambda seeds, update: (batch('x', update), batch('z_d', update)),
        draw_g=lambda seeds, update: batch('z_g', update),
    )

    @compiled
    def update_d(state):
        x, z = train_step.draw_d(None, state.step)
        real, fake = gan.losses_of_d(settings, state.d, x, train_step.generate(state.g, z))
        return training.take_step(train_step._replace(d_steps=1, g_steps=0), None, state)[0], real[0], fake[0]

    @compiled
    def update_g(state):
        state, losses = training.take_step(train_step._replace(d_steps=0, g_steps=1), None, state)
        return state, losses['loss_g'][0]

    state = training.start_training(train_step, weights(arrays, 'D'), weights(arrays, 'G'))
    ours = {name: [] for name in LOSSES}
    for number in range(rounds):
        for k in range(settings.d_steps):  # each network counts its own updates
            state, real, fake = update_d(state._replace(step=tf.constant(number * settings.d_steps + k)))
            ours['loss_d_real'].append(float(real))
            ours['loss_d_fake'].append(float(fake))
        for k in range(settings.g_steps):
            state, loss = update_g(state._replace(step=tf.constant(number * settings.g_steps + k)))
            ours['loss_g'].append(float(loss))
    return {name: np.array(values) for name, values in ours.items()}, state


def weights(arrays: dict[str, np.ndarray], network: str) -> tuple[layers.Linear, ...]:
    """The initial layers of a trace's network, weights [out, in] and biases [out], as `layers.Linear` of one run."""
    names = itertools.takewhile(lambda name: f'{name}/w' in arrays, (f'init/{network}/map{i}' for i in itertools.count(1)))
    return tuple(
        layers.Linear(tf.constant(arrays[f'{name}/w'][None]), tf.constant(arrays[f'{name}/b'][None, :, None])) for name in names
    )
