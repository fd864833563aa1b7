"""The GAN of Dev Nag's post, meant to be read beside it.

From top to bottom: data, noise, D's view of a batch, networks, losses, schedule, outcomes.
"""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from common import remedies, training
from common.compiled import compiled
from common.evaluation import metrics, outcomes
from common.nn import layers, losses, optimizers, random
from common.nn.random import Stream
from reproductions.devnag.settings import DRAWS, Settings

# --- Data and noise -----------------------------------------------------------------------------------------------------------


def real_samples(settings: Settings, seeds: tf.Tensor, step: tf.Tensor, count: int, stream: Stream = Stream.DATA) -> tf.Tensor:
    """N(mu, sigma), [runs, 1, count]."""
    return settings.mu + settings.sigma * random.normal(seeds, stream, step, count)[:, None, :]


def noise(settings: Settings, seeds: tf.Tensor, stream: Stream, step: tf.Tensor, count: int | None = None) -> tf.Tensor:
    """U(0, 1), [runs, 1, count]; `count` defaults to the batch size. `settings.noise_range` replaces the 1."""
    return settings.noise_range * random.uniform(seeds, stream, step, count or settings.batch_size)[:, None, :]


# --- What D sees of a batch ---------------------------------------------------------------------------------------------------


@tf.custom_gradient
def moments(x: tf.Tensor) -> tf.Tensor:
    """Mean, population std, skewness and excess kurtosis of a whole batch: [runs, 1, batch] -> [runs, 4, 1].

    With z = (x - mean) / std, their derivatives with respect to one of the n samples are 1 / n times 1, z,
    3 (z^2 - 1 - skewness z) / std and 4 (z^3 - skewness - (kurtosis + 3) z) / std. So the backward pass needs no sums over the
    batch.
    """
    mean = tf.reduce_mean(x, axis=2, keepdims=True)
    centered = x - mean
    square = tf.square(centered)
    variance = tf.reduce_mean(square, axis=2, keepdims=True)
    std = tf.sqrt(variance)
    skewness = tf.reduce_mean(square * centered, axis=2, keepdims=True) / (variance * std)
    fourth = tf.reduce_mean(square * square, axis=2, keepdims=True) / (variance * variance)

    def gradient(upstream):
        to_mean, to_std, to_skewness, to_kurtosis = tf.split(upstream / x.shape[2], 4, axis=1)
        three, four = 3 * to_skewness / std, 4 * to_kurtosis / std
        z = centered / std
        constant = to_mean - three - four * skewness
        linear = to_std - three * skewness - four * fourth
        return constant + z * (linear + z * (three + z * four))

    return tf.concat([mean, std, skewness, fourth - 3], axis=1), gradient


def view(settings: Settings, x: tf.Tensor) -> tf.Tensor:
    """What D sees of a whole batch, as one column: [runs, 1, batch] -> [runs, features, 1].

    No gradient flows through the mean that is subtracted from the samples, as in the original.
    """
    if settings.preprocess == 'moments':
        return moments(x)
    column = tf.transpose(x, [0, 2, 1])
    if settings.preprocess == 'raw':
        return column
    centered = column - tf.stop_gradient(tf.reduce_mean(column, axis=1, keepdims=True))
    return tf.concat([column, tf.square(centered) if settings.preprocess == 'variances' else centered], axis=1)


# --- Networks -----------------------------------------------------------------------------------------------------------------

ACTIVATIONS = {'tanh': tf.tanh, 'sigmoid': tf.sigmoid, 'elu': tf.nn.elu}


def init_generator(settings: Settings, seeds: tf.Tensor) -> tuple[layers.Linear, ...]:
    """G: three linear layers, 1 -> h -> h -> 1."""
    h = settings.g_hidden_size
    return layers.scaled(layers.uniform_linears(seeds, Stream.WEIGHTS_G, [(h, 1), (h, h), (1, h)]), settings.init_scale)


def generator(settings: Settings, g: Any, z: tf.Tensor) -> tf.Tensor:
    """[runs, 1, batch] -> [runs, 1, batch]."""
    first, second = (ACTIVATIONS[name] for name in settings.g_activations)
    return layers.dense(second(layers.dense(first(layers.dense(z, g[0])), g[1])), g[2])


def init_discriminator(settings: Settings, seeds: tf.Tensor) -> tuple[layers.Linear, ...]:
    """D: three linear layers, features -> h -> h -> 1."""
    h = settings.d_hidden_size
    features = {'moments': 4, 'raw': settings.batch_size}.get(settings.preprocess, 2 * settings.batch_size)
    linears = layers.uniform_linears(seeds, Stream.WEIGHTS_D, [(h, features), (h, h), (1, h)])
    return layers.scaled(linears, settings.init_scale)


def discriminator(settings: Settings, d: Any, x: tf.Tensor) -> tf.Tensor:
    """The probability that a whole batch is real: [runs, 1, batch] -> [runs, 1, 1]."""
    return decisions(settings, d, view(settings, x))


def decisions(settings: Settings, d: Any, views: tf.Tensor) -> tf.Tensor:
    """D's decisions on the views of n batches: [runs, features, n] -> [runs, 1, n]."""
    return tf.sigmoid(decision_logits(settings, d, views))


def decision_logits(settings: Settings, d: Any, views: tf.Tensor) -> tf.Tensor:
    """Logits of D's decisions: [runs, features, n] -> [runs, 1, n]."""
    first, second = (ACTIVATIONS[name] for name in settings.d_activations)
    d = remedies.normalized(d)
    return layers.dense(second(layers.dense(first(layers.dense(views, d[0])), d[1])), d[2])


# --- Losses and schedule ------------------------------------------------------------------------------------------------------


def losses_of_d(settings: Settings, d: Any, x: tf.Tensor, fake: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """D's losses on a real and on a generated batch, each [runs]; D is trained on their sum."""
    views = tf.concat([view(settings, x), view(settings, fake)], axis=2)
    on_real, on_fake = tf.split(decisions(settings, d, views), 2, axis=2)
    label = 1 - settings.remedies.label_smoothing
    return losses.binary_cross_entropy(on_real, label)[:, 0, 0], losses.binary_cross_entropy(on_fake, 0)[:, 0, 0]


def loss_of_g(settings: Settings, d: Any, fake: tf.Tensor) -> tf.Tensor:
    """G's loss [runs]: its batch labeled as real."""
    return losses.binary_cross_entropy(discriminator(settings, d, fake), 1)[:, 0, 0]


def make_optimizer(settings: Settings, rate: float | None = None) -> optimizers.Optimizer:
    """Gradient descent with momentum (2018) or Adam (2017), as in PyTorch; `rate` replaces the common learning rate."""
    rate = settings.learning_rate if rate is None else rate
    if settings.optimizer == 'adam':
        return optimizers.adam_of_pytorch(rate, settings.beta1, settings.beta2, settings.epsilon)
    return optimizers.momentum(rate, settings.momentum)


def make_train_step(settings: Settings) -> training.TrainStep:
    """The adversarial training. One iteration is a round: `d_steps` updates of D, then `g_steps` of G."""
    return training.TrainStep(
        generate=lambda g, z: generator(settings, g, z),
        loss_d=lambda d, x, fake: tf.add(*losses_of_d(settings, d, x, fake)),
        loss_g=lambda d, fake: loss_of_g(settings, d, fake),
        draw_d=lambda seeds, update: (
            real_samples(settings, seeds, update, settings.batch_size),
            noise(settings, seeds, Stream.NOISE_D, update),
        ),
        draw_g=lambda seeds, update: noise(settings, seeds, Stream.NOISE_G, update),
        optimizer_d=make_optimizer(settings, settings.d_learning_rate),
        optimizer_g=make_optimizer(settings, settings.g_learning_rate),
        d_steps=settings.d_steps,
        g_steps=settings.g_steps,
    )


def train_round(
    settings: Settings, train_step: training.TrainStep, seeds: tf.Tensor, state: training.TrainState
) -> tuple[training.TrainState, dict[str, tf.Tensor]]:
    """One round; records its losses, and mean and std [runs] of the last batch that G generates for D in it."""
    last = (state.step + 1) * settings.d_steps - 1
    samples = generator(settings, state.g, noise(settings, seeds, Stream.NOISE_D, last))
    moved, recorded = training.take_step(train_step, seeds, state)
    recorded['mean'] = tf.reduce_mean(samples, axis=[1, 2])
    recorded['std'] = tf.math.reduce_std(samples, axis=[1, 2])
    return moved, recorded


@functools.cache
def make_experiment(settings: Settings) -> training.Experiment:
    """The experiment for these settings; cached, so that a second run does not compile again."""
    return remedies.make_experiment(
        settings.remedies,
        rows=1,
        output=lambda d, x: decision_logits(settings, d, view(settings, x)),
        init=lambda seeds: (init_discriminator(settings, seeds), init_generator(settings, seeds)),
        train_step=make_train_step(settings),
        iteration=functools.partial(train_round, settings),
        losses=('loss_d', 'loss_g', 'mean', 'std'),
        call=training.CALL // (settings.d_steps + settings.g_steps),
    )


# --- Outcomes -----------------------------------------------------------------------------------------------------------------

RUNS_AT_ONCE = 50  # evaluated together; one hidden layer on all samples takes 10 MB, or 100 MB with 50 units


def truth(settings: Settings) -> Any:
    """The data's distribution."""
    return metrics.gaussian(settings.mu, settings.sigma)


def success_threshold(settings: Settings) -> float:
    """A run succeeds if its Wasserstein distance to the data is below a quarter of the data's standard deviation (std).

    The post asks for a Gaussian shape, a mean of 4 and a std in the right ballpark. A Gaussian with the right std passes if
    its mean is off by less than a quarter of a std; one with the right mean passes if its std is within 31 %. A uniform
    distribution with the data's mean and std passes (0.15 stds away), two point masses do not (0.54): a bimodal shape fails
    even with the right mean and std.
    """
    return settings.sigma / 4


@functools.cache
def evaluation(settings: Settings) -> Callable:
    """Compiled (seeds, d, g) -> G on 10,000 new samples of U(0, 1), [runs, 10,000], and D's decisions on them, [runs, batches].

    Batches are consecutive; an incomplete last one is dropped.
    """
    batches = DRAWS // settings.batch_size

    @compiled
    def evaluate(seeds, d, g):
        samples = generator(settings, g, noise(settings, seeds, Stream.FIGURE, 0, DRAWS))[:, 0]
        whole = tf.reshape(samples[:, : batches * settings.batch_size], [-1, 1, settings.batch_size])  # one batch per row
        views = tf.reshape(view(settings, whole), [seeds.shape[0], batches, -1])
        return samples, decisions(settings, d, tf.transpose(views, [0, 2, 1]))[:, 0]

    return evaluate


@functools.cache
def judge(settings: Settings) -> outcomes.Judge:
    """How runs with these settings are judged. A run is finite if its samples and D's decisions on them are."""

    def evaluate(seeds, d, g):
        samples, decided = evaluation(settings)(tf.constant(seeds), d, g)
        return decided, samples

    targets = {'mean': settings.mu, 'std': settings.sigma, 'skewness': 0, 'kurtosis': 0, 'wasserstein': 0, 'd_mean': 0.5}
    return outcomes.by_samples(
        evaluate,
        truth(settings),
        success_threshold(settings),
        targets,
        at_once=RUNS_AT_ONCE,
        every=1,
        losses=('loss_d', 'loss_g'),
    )
