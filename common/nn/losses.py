"""Losses of D's probabilities or logits, one value per run: [runs, 1, batch] -> [runs]. All are minimized."""

from collections.abc import Callable

import tensorflow as tf

from common.settings import is_on


def clamped_log(p: tf.Tensor, floor: float = 1e-5) -> tf.Tensor:
    """log(max(p, floor)): finite at 0, with zero gradient below the floor (Aylien's fix of 2017, gan-intro 441295e)."""
    return tf.math.log(tf.maximum(p, floor))


def discriminator_loss(
    p_real: tf.Tensor, p_fake: tf.Tensor, log: Callable = tf.math.log, smoothing: float | tf.Tensor = 0.0
) -> tf.Tensor:
    """mean(-log D(x) - log(1 - D(G(z)))) (Goodfellow et al. 2014, equation 1), [runs]. `log` may be `clamped_log`.

    `smoothing`, a number or [runs, 1, 1], makes the label of real samples 1 - smoothing and leaves that of generated ones at 0:
    one-sided label smoothing (Salimans et al. 2016, section 3.4). Raises ValueError if the shapes differ.
    """
    _check_same_shape(p_real, p_fake)
    if is_on(smoothing):
        as_generated = -smoothing * log(1 - p_real)
        return tf.reduce_mean(as_generated - (1 - smoothing) * log(p_real) - log(1 - p_fake), axis=[1, 2])
    return tf.reduce_mean(-log(p_real) - log(1 - p_fake), axis=[1, 2])


def generator_loss(p_fake: tf.Tensor, log: Callable = tf.math.log) -> tf.Tensor:
    """The non-saturating mean(-log D(G(z))) (Goodfellow et al. 2014, section 3), [runs]."""
    return tf.reduce_mean(-log(p_fake), axis=[1, 2])


def cross_entropy_of_logits(logits: tf.Tensor, label: float | tf.Tensor) -> tf.Tensor:
    """mean(-label log p - (1 - label) log(1 - p)) with p = sigmoid(logits), [runs]; one label for all, or [runs, 1, 1].

    Finite for every logit: TensorFlow computes it as max(l, 0) - l * label + log(1 + exp(-|l|)).
    """
    labels = tf.broadcast_to(tf.cast(label, tf.float32), logits.shape)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits), axis=[1, 2])


def mean_squared_error(predicted: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """mean((predicted - target)^2), [runs]. Raises ValueError if the shapes differ."""
    _check_same_shape(predicted, target)
    return tf.reduce_mean(tf.square(predicted - target), axis=[1, 2])


def binary_cross_entropy(p: tf.Tensor, label: float | tf.Tensor) -> tf.Tensor:
    """-label log p - (1 - label) log(1 - p), elementwise, as PyTorch computes it.

    PyTorch clamps each logarithm at -100. Its gradient is not that of a clamped logarithm, which would vanish at the clamp, but
    (p - label) / max(p (1 - p), 1e-12): finite everywhere, with the right sign at p = 0 and p = 1.

    Args:
      p: probabilities, any shape.
      label: from 0 to 1, the same for all, or a tensor that broadcasts against `p`.
    """

    @tf.custom_gradient
    def loss(p):
        log, log_of_rest = (tf.maximum(value, -100.0) for value in (tf.math.log(p), tf.math.log1p(-p)))
        if is_on(label) and is_on(1 - label):
            value = -label * log - (1 - label) * log_of_rest
        else:
            value = -log if is_on(label) else -log_of_rest
        return value, lambda upstream: upstream * (p - label) / tf.maximum(p * (1 - p), 1e-12)

    return loss(p)


def _check_same_shape(a, b):
    """Raises ValueError where broadcasting [runs, 1, batch] against [runs, batch] would silently give a wrong loss."""
    if a.shape != b.shape:
        raise ValueError(f'shapes differ: {a.shape} and {b.shape}')
