"""The GAN of Aylien's post, meant to be read beside it.

From top to bottom: data, noise, networks, losses, schedule, outcomes.
"""

import functools
import itertools
from typing import Any

import numpy as np
import tensorflow as tf

from common import remedies, training
from common.evaluation import metrics, outcomes
from common.nn import layers, losses, minibatch, optimizers, random
from common.nn.random import Stream
from common.plotting import figures
from common.sizes import minibatch_group
from reproductions.aylien.settings import DECAY_EVERY, NOISE_RANGE, PLOT_POINTS, PRETRAIN_RANGE, Settings

# --- Data and noise -----------------------------------------------------------------------------------------------------------


def real_samples(settings: Settings, seeds: tf.Tensor, step: tf.Tensor, count: int, stream: Stream = Stream.DATA) -> tf.Tensor:
    """N(mu, sigma), [runs, 1, count]. The post sorts them; we do not, since no loss depends on the order."""
    return settings.mu + settings.sigma * random.normal(seeds, stream, step, count)[:, None, :]


def noise(settings: Settings, seeds: tf.Tensor, stream: Stream, step: tf.Tensor) -> tf.Tensor:
    """The post's stratified noise, [runs, 1, batch]: a fixed grid, jittered by U(0, 1) * 0.01."""
    return random.stratified(seeds, stream, step, settings.batch_size, settings.noise_range)


def pretraining_batch(settings: Settings, seeds: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """x ~ U(-5, 5) and the true density at x, each [runs, 1, batch]."""
    x = PRETRAIN_RANGE * (2 * random.uniform(seeds, Stream.PRETRAIN, step, settings.batch_size)[:, None, :] - 1)
    density = tf.exp(-0.5 * tf.square((x - settings.mu) / settings.sigma)) / (settings.sigma * np.sqrt(2 * np.pi))
    return x, density


# --- Networks -----------------------------------------------------------------------------------------------------------------


def init_generator(settings: Settings, seeds: tf.Tensor) -> tuple[layers.Linear, ...]:
    """G: linear 1 -> h, linear h -> 1; weights N(0, 1)."""
    h = settings.hidden_size
    return layers.scaled(layers.normal_linears(seeds, Stream.WEIGHTS_G, [(h, 1), (1, h)]), settings.init_scale)


def generator(settings: Settings, g: Any, z: tf.Tensor) -> tf.Tensor:
    """Softplus between two linear layers: [runs, 1, batch] -> [runs, 1, batch]."""
    return layers.dense(tf.nn.softplus(layers.dense(z, g[0])), g[1])


def init_discriminator(settings: Settings, seeds: tf.Tensor) -> tuple[layers.Linear, ...]:
    """D: three hidden layers of 2h and linear -> 1; the minibatch layer, if used, replaces the last hidden one."""
    widths = [1, *settings.d_hidden_sizes]
    if not settings.minibatch:
        shapes = [(b, a) for a, b in itertools.pairwise([*widths, 1])]
        return layers.scaled(layers.normal_linears(seeds, Stream.WEIGHTS_D, shapes), settings.init_scale)
    *hidden, projection, last = layers.normal_linears(seeds, Stream.WEIGHTS_D, minibatch.shapes(widths[:-1]))
    projection = layers.scaled([projection], minibatch.STDDEV)[0]
    return layers.scaled([*hidden, projection, last], settings.init_scale)


def discriminator(settings: Settings, d: Any, x: tf.Tensor) -> tf.Tensor:
    """The probability that x is real: [runs, 1, batch] -> [runs, 1, batch]."""
    return tf.sigmoid(discriminator_logits(settings, d, x))


def discriminator_logits(settings: Settings, d: Any, x: tf.Tensor) -> tf.Tensor:
    """Logits of the probability that x is real: [runs, 1, batch] -> [runs, 1, batch]."""
    activation = {'tanh': tf.tanh, 'relu': tf.nn.relu}[settings.activation]
    *hidden, last = remedies.normalized(d)
    if settings.minibatch:
        *hidden, projection = hidden
    for layer in hidden:
        x = activation(layers.dense(x, layer))
    if settings.minibatch:
        features = minibatch.features(layers.dense(x, projection), settings.self_distance)
        x = tf.concat([x, features], axis=1)
    return layers.dense(x, last)


# --- Losses and schedule ------------------------------------------------------------------------------------------------------


def make_train_step(settings: Settings) -> training.TrainStep:
    """The adversarial training. D sees real and generated batches separately, so minibatch features never mix them."""
    log = functools.partial(losses.clamped_log, floor=settings.log_floor) if settings.log_floor else tf.math.log
    return training.TrainStep(
        generate=lambda g, z: generator(settings, g, z),
        loss_d=lambda d, x, fake: losses.discriminator_loss(
            discriminator(settings, d, x), discriminator(settings, d, fake), log, settings.remedies.label_smoothing
        ),
        loss_g=lambda d, fake: losses.generator_loss(discriminator(settings, d, fake), log),
        draw_d=lambda seeds, step: (
            real_samples(settings, seeds, step, settings.batch_size),
            noise(settings, seeds, Stream.NOISE_D, step),
        ),
        draw_g=lambda seeds, step: noise(settings, seeds, Stream.NOISE_G, step),
        optimizer_d=make_optimizer(settings, settings.d_learning_rate),
        optimizer_g=make_optimizer(settings, settings.g_learning_rate),
        d_steps=settings.d_steps,
        g_steps=settings.g_steps,
    )


def make_pretrain_step(settings: Settings) -> training.PretrainStep:
    """Pre-training: D regressed onto the true density. Optimizer as in adversarial training, with its own step counter."""
    return training.PretrainStep(
        loss=lambda d, x, y: losses.mean_squared_error(discriminator(settings, d, x), y),
        draw=lambda seeds, step: pretraining_batch(settings, seeds, step),
        optimizer=make_optimizer(settings, settings.d_learning_rate),
    )


def make_optimizer(settings: Settings, rate: float | None = None) -> optimizers.Optimizer:
    """Gradient descent with a decaying learning rate (2016) or Adam (2017); `rate` replaces the common learning rate."""
    rate = settings.learning_rate if rate is None else rate
    if settings.optimizer == 'adam':
        return optimizers.adam(rate, settings.beta1, settings.beta2, settings.epsilon)
    return optimizers.gradient_descent(optimizers.exponential_decay(rate, settings.decay, DECAY_EVERY))


@functools.cache
def make_experiment(settings: Settings) -> training.Experiment:
    """The experiment for these settings; cached, so that a second run does not compile again."""
    return remedies.make_experiment(
        settings.remedies,
        rows=1,
        output=lambda d, x: discriminator_logits(settings, d, x),
        init=lambda seeds: (init_discriminator(settings, seeds), init_generator(settings, seeds)),
        train_step=make_train_step(settings),
        measure=lambda state: measure(settings, state.g),
        pretrain_step=make_pretrain_step(settings),
        pretrain_steps=settings.pretrain_steps,
        group=minibatch_group(settings),
    )


# --- Outcomes -----------------------------------------------------------------------------------------------------------------

BINS = figures.Bins(np.linspace(-8, 8, 100), np.linspace(-8, 8, 99))  # plotted, as in the post, not at the bin centers


def truth(settings: Settings) -> Any:
    """The data's distribution."""
    return metrics.gaussian(settings.mu, settings.sigma)


def success_threshold(settings: Settings) -> float:
    """A run succeeds if its Wasserstein distance to the data is below half the data's standard deviation (std).

    A generator collapsed onto the data's mean is sqrt(2 / pi) = 0.80 stds away and fails. A Gaussian with the right mean passes
    if it keeps at least 37 % of the std.
    """
    return settings.sigma / 2


def measure(settings: Settings, g: Any) -> dict[str, tf.Tensor]:
    """Recorded during training: mean, std and Wasserstein distance of G on 64 points over the noise range, [runs]."""
    samples = generator(settings, g, outcomes.middles(64, settings.noise_range))
    edges = settings.mu + settings.sigma * np.sinh(np.linspace(-5.5, 5.5, 257))  # fine near the data, out to 122 stds
    return {
        'mean': tf.reduce_mean(samples, axis=[1, 2]),
        'std': tf.math.reduce_std(samples, axis=[1, 2]),
        'wasserstein': metrics.wasserstein_on_grid(samples, edges, metrics.gaussian_cdf(edges, settings.mu, settings.sigma)),
    }


@functools.cache
def evaluation(settings: Settings, points: int = PLOT_POINTS) -> outcomes.Evaluation:
    """The networks on the post's grid, which for G is scaled to the noise."""
    return outcomes.on_grid(settings, discriminator, generator, NOISE_RANGE, points, settings.batch_size, truth(settings))


@functools.cache
def judge(settings: Settings) -> outcomes.Judge:
    """How runs with these settings are judged."""
    targets = {'mean': settings.mu, 'std': settings.sigma, 'wasserstein': 0, 'd_mean': 0.5}
    return outcomes.of_grid(evaluation(settings), success_threshold(settings), targets)
