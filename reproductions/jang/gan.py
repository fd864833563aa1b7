"""The GAN of Jang's post, meant to be read beside it.

From top to bottom: data, noise, networks, losses, schedule, outcomes.
"""

import functools
import itertools
from typing import Any

import numpy as np
import tensorflow as tf

from common import remedies, training
from common.evaluation import metrics, outcomes
from common.nn import layers, losses, minibatch, optimizers, random, sorting
from common.nn.random import Stream
from common.sizes import minibatch_group
from reproductions.jang.settings import DECAYS, HALF_RANGE, PLOT_POINTS, Settings

# --- Data and noise -----------------------------------------------------------------------------------------------------------


def real_samples(settings: Settings, seeds: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
    """N(mu, sigma), [runs, 1, batch], in ascending order if `settings.sort`."""
    samples = settings.mu + settings.sigma * random.normal(seeds, Stream.DATA, step, settings.batch_size)[:, None, :]
    return in_order(settings, samples)


def noise(settings: Settings, seeds: tf.Tensor, stream: Stream, step: tf.Tensor) -> tf.Tensor:
    """G's input, [runs, 1, batch]: a fixed grid over +-5 jittered by U(0, 1) * 0.01, or independent U(-5, 5)."""
    if settings.stratify:
        return random.stratified(seeds, stream, step, settings.batch_size, settings.noise_range)
    return in_order(settings, tf.cast(settings.noise_range, tf.float32) * signed(settings, seeds, stream, step))


def signed(settings: Settings, seeds: tf.Tensor, stream: Stream, step: tf.Tensor) -> tf.Tensor:
    """U(-1, 1), [runs, 1, batch]."""
    return 2 * random.uniform(seeds, stream, step, settings.batch_size)[:, None, :] - 1


def in_order(settings: Settings, samples: tf.Tensor) -> tf.Tensor:
    """The samples of each batch in ascending order if `settings.sort`, else unchanged."""
    return sorting.ascending(samples) if settings.sort else samples


def pretraining_batch(settings: Settings, seeds: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """x ~ U(-5, 5) and the true density at x, each [runs, 1, batch]."""
    x = HALF_RANGE * signed(settings, seeds, Stream.PRETRAIN, step)
    return x, tf.exp(-0.5 * tf.square((x - settings.mu) / settings.sigma)) / (settings.sigma * np.sqrt(2 * np.pi))


# --- Networks -----------------------------------------------------------------------------------------------------------------


def init_mlp(settings: Settings, seeds: tf.Tensor, stream: Stream) -> tuple[layers.Linear, ...]:
    """The shape of both networks: 1 -> 6 -> 5 -> 1; weights N(0, 1), biases 0."""
    widths = [1, *settings.hidden_sizes, 1]
    shapes = [(b, a) for a, b in itertools.pairwise(widths)]
    return layers.scaled(layers.normal_linears(seeds, stream, shapes), settings.init_scale)


def init_discriminator(settings: Settings, seeds: tf.Tensor) -> tuple[layers.Linear, ...]:
    """D: `init_mlp`; minibatch discrimination, if used, adds its layer behind the last hidden one."""
    if not settings.minibatch:
        return init_mlp(settings, seeds, Stream.WEIGHTS_D)
    shapes = minibatch.shapes([1, *settings.hidden_sizes])
    *hidden, projection, last = layers.normal_linears(seeds, Stream.WEIGHTS_D, shapes)
    projection = layers.scaled([projection], minibatch.STDDEV)[0]
    return layers.scaled([*hidden, projection, last], settings.init_scale)


def mlp(settings: Settings, params: Any, x: tf.Tensor) -> tf.Tensor:
    """tanh after every layer including the last: [runs, 1, batch] -> [runs, 1, batch] within +-1.

    With `activation='relu'` only the hidden layers use relu. The last keeps tanh, since with relu G could not output negative
    samples.
    """
    *hidden, last = remedies.normalized(params)
    *hidden, projection = hidden if len(hidden) > len(settings.hidden_sizes) else (*hidden, None)  # a D with `minibatch`
    *_, units = hidden_units(settings, hidden, x)
    if projection:
        units = minibatch.with_mean_features(units, projection)
    return tf.tanh(layers.dense(units, last))


def hidden_units(settings: Settings, hidden: Any, x: tf.Tensor) -> list[tf.Tensor]:
    """The activations of hidden layers, a list of [runs, width, batch]."""
    activation = {'tanh': tf.tanh, 'relu': tf.nn.relu}[settings.activation]
    units = []
    for layer in hidden:
        x = activation(layers.dense(x, layer))
        units.append(x)
    return units


def generator(settings: Settings, g: Any, z: tf.Tensor) -> tf.Tensor:
    """5 * mlp(z): [runs, 1, batch] -> [runs, 1, batch]."""
    return settings.output_scale * mlp(settings, g, z)


def discriminator(settings: Settings, d: Any, x: tf.Tensor) -> tf.Tensor:
    """The probability that x is real, mlp(x) clamped to [0.01, 0.99]: [runs, 1, batch] -> [runs, 1, batch]."""
    low, high = (tf.cast(bound, tf.float32) for bound in (settings.clamp, 1 - settings.clamp))
    return tf.clip_by_value(mlp(settings, d, x), low, high)


# --- Losses and schedule ------------------------------------------------------------------------------------------------------


def make_train_step(settings: Settings) -> training.TrainStep:
    """The adversarial training. The post maximizes the objectives obj_d and obj_g; the losses here are their negatives."""
    return training.TrainStep(
        generate=lambda g, z: generator(settings, g, z),
        loss_d=lambda d, x, fake: losses.discriminator_loss(
            discriminator(settings, d, x), discriminator(settings, d, fake), smoothing=settings.remedies.label_smoothing
        ),
        loss_g=lambda d, fake: losses.generator_loss(discriminator(settings, d, fake)),
        draw_d=lambda seeds, step: (real_samples(settings, seeds, step), noise(settings, seeds, Stream.NOISE_D, step)),
        draw_g=lambda seeds, step: noise(settings, seeds, Stream.NOISE_G, step),
        optimizer_d=make_optimizer(settings, settings.d_learning_rate),
        optimizer_g=make_optimizer(settings, settings.g_learning_rate),
        d_steps=settings.d_steps,
        g_steps=settings.g_steps,
    )


def make_pretrain_step(settings: Settings) -> training.PretrainStep:
    """Pre-training: D without its clamp, regressed onto the true density. The optimizer has its own step counter."""
    return training.PretrainStep(
        loss=lambda d, x, y: losses.mean_squared_error(mlp(settings, d, x), y),
        draw=lambda seeds, step: pretraining_batch(settings, seeds, step),
        optimizer=make_optimizer(settings, settings.d_learning_rate),
    )


def make_optimizer(settings: Settings, rate: float | None = None) -> optimizers.Optimizer:
    """Gradient descent with momentum and a decaying learning rate; `rate` replaces the common one."""
    every = max(1, settings.num_steps // DECAYS)
    rate = settings.learning_rate if rate is None else rate
    return optimizers.momentum(optimizers.exponential_decay(rate, settings.decay, every), settings.momentum)


@functools.cache
def make_experiment(settings: Settings) -> training.Experiment:
    """The experiment for these settings; cached, so that a second run does not compile again."""
    return remedies.make_experiment(
        settings.remedies,
        rows=1,
        output=lambda d, x: mlp(settings, d, x),  # without the clamp, where its gradient is 0
        init=lambda seeds: (init_discriminator(settings, seeds), init_mlp(settings, seeds, Stream.WEIGHTS_G)),
        train_step=make_train_step(settings),
        measure=lambda state: measure(settings, state.d, state.g),
        pretrain_step=make_pretrain_step(settings),
        pretrain_steps=settings.pretrain_steps,
        group=minibatch_group(settings),
    )


# --- Outcomes -----------------------------------------------------------------------------------------------------------------


def truth(settings: Settings) -> Any:
    """The data's distribution."""
    return metrics.gaussian(settings.mu, settings.sigma)


def success_threshold(settings: Settings) -> float:
    """A run succeeds if its Wasserstein distance to the data is below a quarter of the data's standard deviation (std).

    It has converged at the first record where this holds. A Gaussian with the right mean passes if it keeps 69 % of the std,
    one with the right std if its mean is off by less than a quarter of a std. Noise passed through unchanged, U(-5, 5), is
    1.84 away and a G collapsed onto the mean 0.80: both fail.
    """
    return settings.sigma / 4


def measure(settings: Settings, d: Any, g: Any) -> dict[str, tf.Tensor]:
    """Recorded during training, [runs] each: mean, std and Wasserstein distance of G on 64 points over +-5.

    Also each network's fraction of flat hidden units, see `flat_share`.
    """
    points = outcomes.middles(64, settings.noise_range)
    samples = generator(settings, g, points)
    edges = metrics.edges(settings.output_scale, 201)
    return {
        'mean': tf.reduce_mean(samples, axis=[1, 2]),
        'std': tf.math.reduce_std(samples, axis=[1, 2]),
        'wasserstein': metrics.wasserstein_on_grid(samples, edges, metrics.gaussian_cdf(edges, settings.mu, settings.sigma)),
        'flat_d': flat_share(settings, d, points),
        'flat_g': flat_share(settings, g, points),
    }


def flat_share(settings: Settings, params: Any, points: tf.Tensor) -> tf.Tensor:
    """Fraction of a network's hidden units that vary by less than 0.01 over the points, saturated or dead, [runs]."""
    hidden = remedies.normalized(params)[: len(settings.hidden_sizes)]
    units = tf.concat(hidden_units(settings, hidden, points), axis=1)
    moves = tf.reduce_max(units, axis=2) - tf.reduce_min(units, axis=2)
    return tf.reduce_mean(tf.cast(moves < 0.01, tf.float32), axis=1)


@functools.cache
def evaluation(settings: Settings, points: int = PLOT_POINTS) -> outcomes.Evaluation:
    """The networks on the post's grid, which for G is scaled to the noise."""
    batch_size = settings.batch_size if settings.minibatch else points
    return outcomes.on_grid(settings, discriminator, generator, HALF_RANGE, points, batch_size, truth(settings))


@functools.cache
def judge(settings: Settings) -> outcomes.Judge:
    """How runs with these settings are judged."""
    targets = {'mean': settings.mu, 'std': settings.sigma, 'wasserstein': 0, 'd_mean': 0.5}
    return outcomes.of_grid(evaluation(settings), success_threshold(settings), targets)
