"""Losses of D's probabilities or logits, one value per run: [runs, 1, batch] -> [runs]. All are minimized."""

from collections.abc import Callable

import tensorflow as tf


def clamped_log(p: tf.Tensor, floor: float = 1e-5) -> tf.Tensor:
    """log(max(p, floor)): finite at 0, with zero gradient below the floor (Aylien's fix of 2017, gan-intro 441295e)."""
    return tf.math.log(tf.maximum(p, floor))


def discriminator_loss(p_real: tf.Tensor, p_fake: tf.Tensor, log: Callable = tf.math.log) -> tf.Tensor:
    """mean(-log D(x) - log(1 - D(G(z)))) (Goodfellow et al. 2014, equation 1), [runs]. `log` may be `clamped_log`.

    Raises ValueError if the shapes differ.
    """
    _check_same_shape(p_real, p_fake)
    return tf.reduce_mean(-log(p_real) - log(1 - p_fake), axis=[1, 2])


def generator_loss(p_fake: tf.Tensor, log: Callable = tf.math.log) -> tf.Tensor:
    """The non-saturating mean(-log D(G(z))) (Goodfellow et al. 2014, section 3), [runs]."""
    return tf.reduce_mean(-log(p_fake), axis=[1, 2])


def cross_entropy_of_logits(logits: tf.Tensor, label: int) -> tf.Tensor:
    """mean(-log p) for label 1, mean(-log(1 - p)) for label 0, with p = sigmoid(logits), [runs].

    Finite for every logit: TensorFlow computes it as max(l, 0) - l * label + log(1 + exp(-|l|)).
    """
    labels = tf.fill(logits.shape, float(label))
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits), axis=[1, 2])


def mean_squared_error(predicted: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """mean((predicted - target)^2), [runs]. Raises ValueError if the shapes differ."""
    _check_same_shape(predicted, target)
    return tf.reduce_mean(tf.square(predicted - target), axis=[1, 2])


def binary_cross_entropy(p: tf.Tensor, label: int) -> tf.Tensor:
    """-log p for label 1, -log(1 - p) for label 0, elementwise, as PyTorch computes it.

    PyTorch clamps each logarithm at -100. Its gradient is not that of a clamped logarithm, which would vanish at the clamp, but
    (p - label) / max(p (1 - p), 1e-12): finite everywhere, with the right sign at p = 0 and p = 1.

    Args:
      p: probabilities, any shape.
      label: 0 or 1, the same for all.
    """

    @tf.custom_gradient
    def loss(p):
        log = tf.math.log(p) if label else tf.math.log1p(-p)
        return -tf.maximum(log, -100.0), lambda upstream: upstream * (p - label) / tf.maximum(p * (1 - p), 1e-12)

    return loss(p)


def _check_same_shape(a, b):
    """Raises ValueError where broadcasting [runs, 1, batch] against [runs, batch] would silently give a wrong loss."""
    if a.shape != b.shape:
        raise ValueError(f'shapes differ: {a.shape} and {b.shape}')
