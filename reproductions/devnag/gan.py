"""The GAN of Dev Nag's post, to be read beside it from top to bottom.

What was published, data, noise, networks, losses, schedule.
"""

import functools
from typing import NamedTuple

import tensorflow as tf

from common import training
from common.nn import layers, losses, optimizers, random
from common.nn.random import Stream

# --- What was published -------------------------------------------------------------------------------------------------------


class Variant(NamedTuple):
    """One published state of the program, devnag/pytorch-generative-adversarial-networks on GitHub."""

    published: str  # commit
    views: tuple[str, ...]  # what D can be given of a batch; the first is the one that was published switched on
    g_hidden_size: int
    d_hidden_size: int
    g_activations: tuple[str, str]  # of the two hidden layers; G's output is linear
    d_activations: tuple[str, str]  # likewise; D's output is a sigmoid
    optimizer: str
    learning_rate: float
    batch_size: int
    num_steps: int  # rounds
    d_steps: int  # updates of D in a round
    g_steps: int  # updates of G after them


VARIANTS = {
    '2018-11': Variant(
        '26db8c9', ('moments', 'raw', 'variances', 'diffs'), 5, 10, ('tanh', 'tanh'), ('sigmoid', 'sigmoid'),
        'momentum', 0.001, 500, 5000, 20, 20,
    ),
    '2017-02': Variant(
        'a01e362', ('variances',), 50, 50, ('elu', 'sigmoid'), ('elu', 'elu'), 'adam', 0.0002, 100, 30_000, 1, 1
    ),
}  # fmt: skip
DEFAULT_VARIANT = '2018-11'
SEED = 0  # the post has none

MOST_UPDATES = 10_000  # of a network in a round, which is one compiled call at least: some seconds, in which nothing stops it
DRAWS = 10_000  # of U(0, 1), on which the final G is judged


class Settings(NamedTuple):
    """Everything that decides what is computed, but for seeds and the number of rounds."""

    variant: str
    preprocess: str
    batch_size: int
    d_steps: int
    g_steps: int
    learning_rate: float
    momentum: float
    mu: float
    sigma: float


def make_settings(variant=DEFAULT_VARIANT, **changes):
    """The settings of a variant; `changes` may name any other field, and None stands for the variant's own value."""
    published = VARIANTS[variant]
    settings = Settings(
        variant=variant,
        preprocess=published.views[0],
        batch_size=published.batch_size,
        d_steps=published.d_steps,
        g_steps=published.g_steps,
        learning_rate=published.learning_rate,
        momentum=0.9,
        mu=4.0,
        sigma=1.25,
    )
    return settings._replace(**{name: value for name, value in changes.items() if value is not None})


# --- Data and noise -----------------------------------------------------------------------------------------------------------


def real_samples(settings, seeds, step, count, stream=Stream.DATA):
    """N(mu, sigma), [runs, 1, count]."""
    return settings.mu + settings.sigma * random.normal(seeds, stream, step, count)[:, None, :]


def noise(seeds, stream, step, count):
    """U(0, 1), [runs, 1, count]."""
    return random.uniform(seeds, stream, step, count)[:, None, :]


# --- What D sees of a batch ---------------------------------------------------------------------------------------------------


@tf.custom_gradient
def moments(x):
    """Mean, population deviation, skewness and excess kurtosis of a whole batch: [runs, 1, batch] -> [runs, 4, 1].

    With z = (x - mean) / deviation, their derivatives by one of the n samples are 1 / n times 1, z,
    3 (z^2 - 1 - skewness z) / deviation and 4 (z^3 - skewness - (kurtosis + 3) z) / deviation: no sum over the batch is left
    for the way back.
    """
    mean = tf.reduce_mean(x, axis=2, keepdims=True)
    centred = x - mean
    square = tf.square(centred)
    variance = tf.reduce_mean(square, axis=2, keepdims=True)
    deviation = tf.sqrt(variance)
    skewness = tf.reduce_mean(square * centred, axis=2, keepdims=True) / (variance * deviation)
    fourth = tf.reduce_mean(square * square, axis=2, keepdims=True) / (variance * variance)

    def gradient(upstream):
        to_mean, to_deviation, to_skewness, to_kurtosis = tf.split(upstream / x.shape[2], 4, axis=1)
        three, four = 3 * to_skewness / deviation, 4 * to_kurtosis / deviation
        z = centred / deviation
        constant = to_mean - three - four * skewness
        linear = to_deviation - three * skewness - four * fourth
        return constant + z * (linear + z * (three + z * four))

    return tf.concat([mean, deviation, skewness, fourth - 3], axis=1), gradient


def view(settings, x):
    """What D is given of a whole batch, one column: [runs, 1, batch] -> [runs, features, 1].

    The mean that is taken from the samples is not differentiated, as in the original.
    """
    if settings.preprocess == 'moments':
        return moments(x)
    column = tf.transpose(x, [0, 2, 1])
    if settings.preprocess == 'raw':
        return column
    centred = column - tf.stop_gradient(tf.reduce_mean(column, axis=1, keepdims=True))
    return tf.concat([column, tf.square(centred) if settings.preprocess == 'variances' else centred], axis=1)


# --- Networks -----------------------------------------------------------------------------------------------------------------

ACTIVATIONS = {'tanh': tf.tanh, 'sigmoid': tf.sigmoid, 'elu': tf.nn.elu}


def init_generator(settings, seeds):
    """G: three linear layers, 1 -> h -> h -> 1."""
    h = VARIANTS[settings.variant].g_hidden_size
    return layers.uniform_linears(seeds, Stream.WEIGHTS_G, [(h, 1), (h, h), (1, h)])


def generator(settings, g, z):
    """[runs, 1, batch] -> [runs, 1, batch]."""
    first, second = (ACTIVATIONS[name] for name in VARIANTS[settings.variant].g_activations)
    return layers.dense(second(layers.dense(first(layers.dense(z, g[0])), g[1])), g[2])


def init_discriminator(settings, seeds):
    """D: three linear layers, features -> h -> h -> 1."""
    h = VARIANTS[settings.variant].d_hidden_size
    features = {'moments': 4, 'raw': settings.batch_size}.get(settings.preprocess, 2 * settings.batch_size)
    return layers.uniform_linears(seeds, Stream.WEIGHTS_D, [(h, features), (h, h), (1, h)])


def discriminator(settings, d, views):
    """The probability that a whole batch is real, for each of the batches side by side: [runs, features, n] -> [runs, 1, n]."""
    first, second = (ACTIVATIONS[name] for name in VARIANTS[settings.variant].d_activations)
    return tf.sigmoid(layers.dense(second(layers.dense(first(layers.dense(views, d[0])), d[1])), d[2]))


# --- Losses and schedule ------------------------------------------------------------------------------------------------------


def losses_of_d(settings, d, g, x, z):
    """D's losses on a real and on a generated batch, each [runs]; D is trained on their sum."""
    views = tf.concat([view(settings, x), view(settings, generator(settings, g, z))], axis=2)
    real, fake = tf.split(discriminator(settings, d, views)[:, 0], 2, axis=1)
    return losses.binary_cross_entropy(real, 1)[:, 0], losses.binary_cross_entropy(fake, 0)[:, 0]


def loss_of_g(settings, d, g, z):
    """G's loss [runs]: its batch labelled as real."""
    decision = discriminator(settings, d, view(settings, generator(settings, g, z)))
    return losses.binary_cross_entropy(decision, 1)[:, 0, 0]


def make_optimizer(settings):
    """Gradient descent with momentum (2018) or Adam (2017), as in PyTorch."""
    if VARIANTS[settings.variant].optimizer == 'adam':
        return optimizers.adam_of_pytorch(settings.learning_rate)
    return optimizers.momentum(settings.learning_rate, settings.momentum)


def make_game(settings):
    """The adversarial training. An iteration is a round: `d_steps` updates of D, then `g_steps` of G."""
    return training.Game(
        loss_d=lambda d, g, x, z: tf.add(*losses_of_d(settings, d, g, x, z)),
        loss_g=lambda d, g, z: loss_of_g(settings, d, g, z),
        draw_d=lambda seeds, update: (
            real_samples(settings, seeds, update, settings.batch_size),
            noise(seeds, Stream.NOISE_D, update, settings.batch_size),
        ),
        draw_g=lambda seeds, update: noise(seeds, Stream.NOISE_G, update, settings.batch_size),
        optimizer_d=make_optimizer(settings),
        optimizer_g=make_optimizer(settings),
        d_steps=settings.d_steps,
        g_steps=settings.g_steps,
    )


def play_round(settings, game, seeds, state):
    """A round; beside its losses, mean and deviation [runs] of the last generated batch that D is trained on in it."""
    last = (state.step + 1) * settings.d_steps - 1
    samples = generator(settings, state.g, noise(seeds, Stream.NOISE_D, last, settings.batch_size))
    moved, recorded = training.play(game, seeds, state)
    recorded['mean'] = tf.reduce_mean(samples, axis=[1, 2])
    recorded['std'] = tf.math.reduce_std(samples, axis=[1, 2])
    return moved, recorded


@functools.cache
def make_experiment(settings):
    """The settings made runnable; cached, so that a second training compiles nothing."""
    game = make_game(settings)
    loop = training.compile_loop(
        lambda seeds, state: play_round(settings, game, seeds, state), ['loss_d', 'loss_g', 'mean', 'std']
    )
    no_regression = training.Regression(loss=None, draw=None, optimizer=optimizers.gradient_descent(0.0))
    return training.Experiment(
        init=lambda seeds: (init_discriminator(settings, seeds), init_generator(settings, seeds)),
        game=game,
        regression=no_regression,
        pretrain_steps=0,
        fit_loop=None,
        play_loop=loop,
        call=training.CALL // (settings.d_steps + settings.g_steps),
    )
