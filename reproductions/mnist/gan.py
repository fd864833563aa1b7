"""The GAN of the MNIST post, to be read beside it from top to bottom.

What was published, data, noise, networks, losses, schedule.
"""

import itertools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from common import training
from common.nn import layers, losses, optimizers, random
from common.nn.random import Stream

# --- What was published -------------------------------------------------------------------------------------------------------


class Variant(NamedTuple):
    """The program as the post lists it."""

    d_widths: tuple[int, ...]
    g_widths: tuple[int, ...]  # the first is the noise
    batch_size: int
    num_steps: int
    learning_rate: float
    beta1: float


VARIANTS = {'post': Variant((784, 500, 200, 1), (100, 200, 500, 784), 128, 500_000, 0.001, 0.9)}
DEFAULT_VARIANT = 'post'
HELD_OUT = 12  # one training digit in so many is held out, at the head: TensorFlow 1's reader holds out 5,000 of 60,000


class Settings(NamedTuple):
    """Everything that decides what is computed, but for seeds, data and the number of iterations."""

    variant: str
    d_widths: tuple[int, ...]
    g_widths: tuple[int, ...]
    batch_size: int
    learning_rate: float
    beta1: float  # Adam's, of its first moment


def make_settings(variant=DEFAULT_VARIANT, **changes):
    """The settings of a variant; `changes` may name any other field, and None stands for the post's own value."""
    published = VARIANTS[variant]
    settings = Settings(
        variant, published.d_widths, published.g_widths, published.batch_size, published.learning_rate, published.beta1
    )
    return settings._replace(**{name: value for name, value in changes.items() if value is not None})


# --- Data and noise -----------------------------------------------------------------------------------------------------------


def training_digits(digits):
    """What the GAN (and the classifier) is trained on: images uint8 [n, 784] and labels [n], the head held out."""
    first = len(digits.x_train) // HELD_OUT
    return digits.x_train[first:], digits.y_train[first:]


def batch_places(settings, seeds, step, size):
    """Which digits are in the batch of an iteration, int32 [runs, batch].

    Batches follow each other without a gap through one random order of all digits after the other, so that the tail of a pass
    and the head of the next may share a batch, and none is short. The place in this sequence follows from the iteration alone.
    """
    places = tf.cast(step, tf.int64) * settings.batch_size + tf.range(settings.batch_size, dtype=tf.int64)
    return random.permuted(seeds, Stream.ORDER, places // size, places % size, size)


def real_images(settings, images, seeds, step):
    """A batch of digits, [runs, 784, batch] in 0 .. 1, out of `images`, uint8 [n, 784]."""
    batch = tf.gather(images, batch_places(settings, seeds, step, images.shape[0]))
    return tf.cast(tf.transpose(batch, [0, 2, 1]), tf.float32) / 255


def noise(settings, seeds, stream, step, count):
    """U(-1, 1), [runs, 100, count]; a larger count begins with the same columns."""
    size = settings.g_widths[0]
    signed = 2 * random.uniform(seeds, stream, step, count * size) - 1
    return tf.transpose(tf.reshape(signed, [-1, count, size]), [0, 2, 1])


# --- Networks -----------------------------------------------------------------------------------------------------------------


def init_mlp(widths, seeds, stream):
    """Linear layers with weights N(0, 2 / inputs), which the post calls Xavier's, and biases 0."""
    linears = layers.normal_linears(seeds, stream, [(b, a) for a, b in itertools.pairwise(widths)])
    scales = [np.float32(np.sqrt(2 / inputs)) for inputs in widths[:-1]]
    return tuple(layer._replace(w=layer.w * scale) for layer, scale in zip(linears, scales, strict=True))


def activations(params, x):
    """What each layer is given: x and then, through relu, the hidden units of each layer but the last, [runs, units, batch]."""
    found = [x]
    for layer in params[:-1]:
        found.append(tf.nn.relu(layers.dense(found[-1], layer)))
    return found


def generator(g, z):
    """Images, the sigmoid of a linear last layer: [runs, 100, batch] -> [runs, 784, batch] in 0 .. 1."""
    return tf.sigmoid(layers.dense(activations(g, z)[-1], g[-1]))


def discriminator_logits(d, x):
    """Logits of the probability that an image is real: [runs, 784, batch] -> [runs, 1, batch].

    The last layer, of one unit, is a product and a sum: as a `matmul` XLA runs it, and the relu before it, on one core without
    vectors (20 microseconds of the 3,500 of an iteration each time, in which the other core mostly waits).
    """
    w, b = d[-1]
    return tf.reduce_sum(tf.transpose(w, [0, 2, 1]) * activations(d, x)[-1], axis=1, keepdims=True) + b


# --- Losses and schedule ------------------------------------------------------------------------------------------------------


def loss_of_d(d, g, x, z):
    """D's loss on real and on generated images, without a half, [runs].

    D sees both in one pass: half as many products, of twice the size, keep two cores busier.
    """
    logits = discriminator_logits(d, tf.concat([x, generator(g, z)], axis=2))
    count = x.shape[2]
    real = losses.cross_entropy_of_logits(logits[:, :, :count], 1)
    return real + losses.cross_entropy_of_logits(logits[:, :, count:], 0)


def loss_of_g(d, g, z):
    """G's loss: its images labelled as real, [runs]."""
    return losses.cross_entropy_of_logits(discriminator_logits(d, generator(g, z)), 1)


def make_game(settings, images):
    """The adversarial training on `images`, uint8 [n, 784]. Both updates of an iteration draw the same noise (the post's)."""
    images = tf.constant(images)

    return training.Game(
        loss_d=loss_of_d,
        loss_g=loss_of_g,
        draw_d=lambda seeds, step: (
            real_images(settings, images, seeds, step),
            noise(settings, seeds, Stream.NOISE_D, step, settings.batch_size),
        ),
        draw_g=None,
        optimizer_d=optimizers.adam(settings.learning_rate, settings.beta1),
        optimizer_g=optimizers.adam(settings.learning_rate, settings.beta1),
    )


CALL = 400  # seed-iterations in a compiled call: one to three seconds
GROUP = 1  # runs that a CPU advances together: the 16 MB of one fill its caches; eight at once were a ninth slower
MOST_BETWEEN = 100  # iterations from record to record


def make_experiment(settings, game):
    """The game made runnable. There is no pre-training."""
    return training.Experiment(
        init=lambda seeds: (
            init_mlp(settings.d_widths, seeds, Stream.WEIGHTS_D),
            init_mlp(settings.g_widths, seeds, Stream.WEIGHTS_G),
        ),
        game=game,
        regression=training.Regression(loss=None, draw=None, optimizer=optimizers.gradient_descent(0.0)),
        pretrain_steps=0,
        fit_loop=None,
        play_loop=training.compile_loop(
            lambda seeds, state: training.play(game, seeds, state), ['loss_d', 'loss_g'], group=GROUP
        ),
        call=CALL,
    )
