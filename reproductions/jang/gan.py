"""The GAN of Jang's post, to be read beside it from top to bottom.

Data, noise, networks, losses, schedule, outcomes.
"""

import functools
import itertools

import numpy as np
import tensorflow as tf

from common import training
from common.evaluation import metrics, outcomes
from common.nn import layers, losses, optimizers, random, sorting
from common.nn.random import Stream
from reproductions.jang.settings import (  # noqa: F401  all that the post fixes, for readers of this file
    CLAMP,
    DECAY,
    DECAYS,
    DEFAULT,
    HALF_RANGE,
    LEARNING_RATE,
    MOMENTUM,
    MU,
    NUM_STEPS,
    OUTPUT_SCALE,
    PLOT_POINTS,
    SIGMA,
    VARIANTS,
    Settings,
    Variant,
    make_settings,
)

# --- Data and noise -----------------------------------------------------------------------------------------------------------


def real_samples(settings, seeds, step):
    """N(-1, 1), [runs, 1, batch], in ascending order if the settings say so."""
    return in_order(settings, MU + SIGMA * random.normal(seeds, Stream.DATA, step, settings.batch_size)[:, None, :])


def noise(settings, seeds, stream, step):
    """The input of G, [runs, 1, batch]: a fixed grid over +-5 jittered by U(0, 1) * 0.01, or independent U(-5, 5)."""
    if settings.stratify:
        return random.stratified(seeds, stream, step, settings.batch_size, HALF_RANGE)
    return in_order(settings, independent(settings, seeds, stream, step))


def independent(settings, seeds, stream, step):
    """U(-5, 5), [runs, 1, batch]."""
    return HALF_RANGE * (2 * random.uniform(seeds, stream, step, settings.batch_size)[:, None, :] - 1)


def in_order(settings, samples):
    """The samples of each batch in ascending order, or as they are."""
    return sorting.ascending(samples) if settings.sort else samples


def pretraining_batch(settings, seeds, step):
    """x ~ U(-5, 5) and the true density at x, each [runs, 1, batch]."""
    x = independent(settings, seeds, Stream.PRETRAIN, step)
    return x, tf.exp(-0.5 * tf.square((x - MU) / SIGMA)) / (SIGMA * np.sqrt(2 * np.pi))


# --- Networks -----------------------------------------------------------------------------------------------------------------


def init_mlp(settings, seeds, stream):
    """The one shape of both networks: 1 -> 6 -> 5 -> 1, weights N(0, 1), biases 0."""
    widths = [1, *settings.hidden_sizes, 1]
    return layers.normal_linears(seeds, stream, [(b, a) for a, b in itertools.pairwise(widths)])


def mlp(settings, params, x):
    """tanh on every layer, the last one too: [runs, 1, batch] -> [runs, 1, batch] within +-1.

    With `activation='relu'` the hidden layers are relu and the last one stays tanh: a relu at the output could not give G a
    negative sample.
    """
    *_, hidden = hidden_units(settings, params, x)
    return tf.tanh(layers.dense(hidden, params[-1]))


def hidden_units(settings, params, x):
    """The outputs of the hidden layers, a list of [runs, width, batch]."""
    activation = {'tanh': tf.tanh, 'relu': tf.nn.relu}[settings.activation]
    units = []
    for layer in params[:-1]:
        x = activation(layers.dense(x, layer))
        units.append(x)
    return units


def generator(settings, g, z):
    """5 * mlp(z): [runs, 1, batch] -> [runs, 1, batch]."""
    return OUTPUT_SCALE * mlp(settings, g, z)


def discriminator(settings, d, x):
    """The probability that x is real, mlp(x) clamped to [0.01, 0.99]: [runs, 1, batch] -> [runs, 1, batch]."""
    return tf.clip_by_value(mlp(settings, d, x), *CLAMP)


# --- Losses and schedule ------------------------------------------------------------------------------------------------------


def make_train_step(settings):
    """The adversarial training. The post maximises the objectives obj_d and obj_g; the losses here are their negatives."""
    return training.TrainStep(
        loss_d=lambda d, g, x, z: losses.discriminator_loss(
            discriminator(settings, d, x), discriminator(settings, d, generator(settings, g, z))
        ),
        loss_g=lambda d, g, z: losses.generator_loss(discriminator(settings, d, generator(settings, g, z))),
        draw_d=lambda seeds, step: (real_samples(settings, seeds, step), noise(settings, seeds, Stream.NOISE_D, step)),
        draw_g=lambda seeds, step: noise(settings, seeds, Stream.NOISE_G, step),
        optimizer_d=make_optimizer(settings),
        optimizer_g=make_optimizer(settings),
    )


def make_pretrain_step(settings):
    """D, not yet clamped, regressed onto the true density; its optimiser is the game's, with a counter of its own."""
    return training.PretrainStep(
        loss=lambda d, x, y: losses.mean_squared_error(mlp(settings, d, x), y),
        draw=lambda seeds, step: pretraining_batch(settings, seeds, step),
        optimizer=make_optimizer(settings),
    )


def make_optimizer(settings):
    """Momentum with a decaying rate."""
    every = max(1, settings.num_steps // DECAYS)
    return optimizers.momentum(optimizers.exponential_decay(settings.learning_rate, DECAY, every), MOMENTUM)


@functools.cache
def make_experiment(settings):
    """The settings made runnable; cached, so that a second training compiles nothing."""
    return training.make_experiment(
        init=lambda seeds: tuple(init_mlp(settings, seeds, stream) for stream in (Stream.WEIGHTS_D, Stream.WEIGHTS_G)),
        train_step=make_train_step(settings),
        measure=lambda state: measure(settings, state.d, state.g),
        pretrain_step=make_pretrain_step(settings),
        pretrain_steps=settings.pretrain_steps,
    )


# --- Outcomes -----------------------------------------------------------------------------------------------------------------


def truth(settings):
    """The data's distribution."""
    del settings  # it is always N(-1, 1)
    return metrics.gaussian(MU, SIGMA)


def success_bound(settings):
    """A run succeeds if its Wasserstein distance to the data is below a quarter of the data's standard deviation, and has
    converged at the first record where it is.

    A Gaussian of the right mean passes if it keeps 69 % of the std, one of the right std if its mean is less than a quarter of
    a std off; noise that G passes on unchanged, U(-5, 5), is 1.84 away and a G collapsed onto the mean 0.80.
    """
    del settings
    return SIGMA / 4


def measure(settings, d, g):
    """What is recorded on the way, [runs] each: mean, deviation and Wasserstein distance of G on 64 points over +-5, and the
    share of hidden units of each network that are flat there (their output moves by less than a hundredth)."""
    points = outcomes.middles(64, HALF_RANGE)
    samples = generator(settings, g, points)
    edges = np.linspace(-OUTPUT_SCALE, OUTPUT_SCALE, 201)
    return {
        'mean': tf.reduce_mean(samples, axis=[1, 2]),
        'std': tf.math.reduce_std(samples, axis=[1, 2]),
        'wasserstein': metrics.wasserstein_on_grid(samples, edges, truth(settings).cdf(edges)),
        'flat_d': flat_share(settings, d, points),
        'flat_g': flat_share(settings, g, points),
    }


def flat_share(settings, params, points):
    """Share of a network's hidden units whose output moves by less than 0.01 over the points, [runs]: saturated or dead."""
    units = tf.concat(hidden_units(settings, params, points), axis=1)
    moves = tf.reduce_max(units, axis=2) - tf.reduce_min(units, axis=2)
    return tf.reduce_mean(tf.cast(moves < 0.01, tf.float32), axis=1)


@functools.cache
def make_evaluation(settings):
    """What the final networks are judged on: the grid of the post's figures, the true distribution, the bound for success."""
    return outcomes.make_evaluation(
        discriminator=lambda d, x: discriminator(settings, d, x),
        generator=lambda g, z: generator(settings, g, z),
        grid=np.linspace(-HALF_RANGE, HALF_RANGE, PLOT_POINTS),
        batch_size=PLOT_POINTS,
        truth=truth(settings),
        success_bound=success_bound(settings),
    )


def results_table(settings, seeds, train_state, history):
    """The columns of results.csv, a value a run: `outcomes.results_table`."""
    return outcomes.results_table(make_evaluation(settings), seeds, train_state, history)


def train_many(settings, seed, runs, num_steps=None, every=50):
    """Trains seeds seed .. seed+runs-1 on the CPU: `outcomes.Ensemble`."""
    table_of = functools.partial(results_table, settings)
    return outcomes.train_many(make_experiment(settings), table_of, seed, runs, num_steps or settings.num_steps, every)
