"""The GAN of the post, meant to be read beside it: data, noise, networks, losses, schedule, outcomes."""

import functools
from typing import Any

import numpy as np
import tensorflow as tf
from reproductions.corners.settings import MEANS, STD, Settings

from common import remedies, training
from common.evaluation import outcomes, plane
from common.nn import layers, losses, optimizers, random
from common.nn.random import Stream

SAMPLES = 1000  # of G, on which a run is judged


def real_samples(settings: Settings, seeds: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
    """Points of the data, [runs, 2, batch], in turn from each of the four."""
    means = tf.gather(tf.constant(MEANS), tf.range(settings.batch_size) % len(MEANS))
    normal = tf.reshape(random.normal(seeds, Stream.DATA, step, 2 * settings.batch_size), [-1, 2, settings.batch_size])
    return tf.transpose(means)[None] + STD * normal


def noise(settings: Settings, seeds: tf.Tensor, stream: Stream, step: tf.Tensor, count: int | None = None) -> tf.Tensor:
    """G's input, U(-1, 1), [runs, 2, count]; `count` defaults to the batch size."""
    count = count or settings.batch_size
    return settings.noise_range * tf.reshape(2 * random.uniform(seeds, stream, step, 2 * count) - 1, [-1, 2, count])


def init(settings: Settings, seeds: tf.Tensor) -> tuple[tuple[layers.Linear, ...], tuple[layers.Linear, ...]]:
    """D, 2 -> h -> h -> 1, and G, 2 -> h -> h -> 2."""
    h = settings.hidden_size
    d = layers.uniform_linears(seeds, Stream.WEIGHTS_D, [(h, 2), (h, h), (1, h)])
    return d, layers.uniform_linears(seeds, Stream.WEIGHTS_G, [(h, 2), (h, h), (2, h)])


def mlp(params: Any, x: tf.Tensor) -> tf.Tensor:
    """Two hidden layers of relu and a linear one: [runs, inputs, batch] -> [runs, outputs, batch]."""
    first, second, last = remedies.normalized(params)
    return layers.dense(tf.nn.relu(layers.dense(tf.nn.relu(layers.dense(x, first)), second)), last)


def generator(settings: Settings, g: Any, z: tf.Tensor) -> tf.Tensor:
    """[runs, 2, batch] -> [runs, 2, batch]."""
    return mlp(g, z)


def discriminator(settings: Settings, d: Any, x: tf.Tensor) -> tf.Tensor:
    """The probability that a point is real, [runs, 2, batch] -> [runs, 1, batch]."""
    return tf.sigmoid(mlp(d, x))


def make_train_step(settings: Settings) -> training.TrainStep:
    """The adversarial training."""
    rates = (settings.learning_rate if rate is None else rate for rate in (settings.d_learning_rate, settings.g_learning_rate))
    optimizer_d, optimizer_g = (optimizers.adam(rate, 0.5, 0.999, 1e-8) for rate in rates)
    return training.TrainStep(
        generate=lambda g, z: generator(settings, g, z),
        loss_d=lambda d, x, fake: losses.discriminator_loss(
            discriminator(settings, d, x), discriminator(settings, d, fake), smoothing=settings.remedies.label_smoothing
        ),
        loss_g=lambda d, fake: losses.generator_loss(discriminator(settings, d, fake)),
        draw_d=lambda seeds, step: (real_samples(settings, seeds, step), noise(settings, seeds, Stream.NOISE_D, step)),
        draw_g=lambda seeds, step: noise(settings, seeds, Stream.NOISE_G, step),
        optimizer_d=optimizer_d,
        optimizer_g=optimizer_g,
        d_steps=settings.d_steps,
        g_steps=settings.g_steps,
    )


@functools.cache
def make_experiment(settings: Settings) -> training.Experiment:
    """The experiment for these settings; cached, so that a second run does not compile again."""
    return remedies.make_experiment(
        settings.remedies,
        rows=2,
        output=lambda d, x: mlp(d, x),
        init=functools.partial(init, settings),
        train_step=make_train_step(settings),
    )


@functools.cache
def judge(settings: Settings) -> outcomes.Judge:
    """A run succeeds if its sliced Wasserstein distance to the data is below 1.5 stds of a mode."""

    def evaluate(seeds, d, g):
        samples = generator(settings, g, noise(settings, tf.constant(seeds), Stream.FIGURE, 0, SAMPLES))
        return discriminator(settings, d, samples)[:, 0], tf.transpose(samples, [0, 2, 1])

    return plane.judge(evaluate, np.array(MEANS), np.full(len(MEANS), STD), threshold=1.5 * STD)
