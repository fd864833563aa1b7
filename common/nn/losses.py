"""Losses of D's probabilities (or logits), one value a run: [runs, 1, batch] -> [runs]. All are minimised."""

import tensorflow as tf


def clamped_log(p, floor=1e-5):
    """log(max(p, floor)): finite at 0, and without gradient below the floor (Aylien's repair of 2017, gan-intro 441295e)."""
    return tf.math.log(tf.maximum(p, floor))


def discriminator_loss(p_real, p_fake, log=tf.math.log):
    """mean(-log D(x) - log(1 - D(G(z)))) (Goodfellow et al. 2014, equation 1), [runs]. `log` may be `clamped_log`."""
    _check_same_shape(p_real, p_fake)
    return tf.reduce_mean(-log(p_real) - log(1 - p_fake), axis=[1, 2])


def generator_loss(p_fake, log=tf.math.log):
    """The non-saturating mean(-log D(G(z))) (Goodfellow et al. 2014, section 3), [runs]."""
    return tf.reduce_mean(-log(p_fake), axis=[1, 2])


def cross_entropy_of_logits(logits, label):
    """mean(-log p) where the label is 1, mean(-log(1 - p)) where it is 0, with p = sigmoid(logits), [runs].

    Finite for every logit: TensorFlow computes it as max(l, 0) - l * label + log(1 + exp(-|l|)).
    """
    labels = tf.fill(logits.shape, float(label))
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits), axis=[1, 2])


def mean_squared_error(predicted, target):
    """mean((predicted - target)^2), [runs]."""
    _check_same_shape(predicted, target)
    return tf.reduce_mean(tf.square(predicted - target), axis=[1, 2])


def binary_cross_entropy(p, label):
    """-log p where the label is 1, -log(1 - p) where it is 0, elementwise, as PyTorch computes it.

    PyTorch clamps each logarithm at -100. Its derivative is not that of a clamped logarithm, which would vanish at the clamp,
    but (p - label) / max(p (1 - p), 1e-12): finite everywhere, and still pointing the right way at p = 0 and p = 1.

    Args:
      p: probabilities, any shape.
      label: 0 or 1, one number for all.
    """

    @tf.custom_gradient
    def loss(p):
        log = tf.math.log(p) if label else tf.math.log1p(-p)
        return -tf.maximum(log, -100.0), lambda upstream: upstream * (p - label) / tf.maximum(p * (1 - p), 1e-12)

    return loss(p)


def _check_same_shape(a, b):
    """Refuses to broadcast: a [runs, 1, batch] against a [runs, batch] would give a number, and a wrong one."""
    if a.shape != b.shape:
        raise ValueError(f'shapes differ: {a.shape} and {b.shape}')
