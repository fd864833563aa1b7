"""Update rules with the semantics of TensorFlow 1 and PyTorch, as pure functions over nested tuples of tensors.

Keras differs in ways that show: its momentum keeps the rate inside the buffer, its Adam has epsilon 1e-7.
A rate is a number, a tensor that broadcasts against `[runs, out, in]` (so `[runs, 1, 1]` for a rate per run), or a function of
the number of updates made so far (see `exponential_decay`).
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf


class Optimizer(NamedTuple):
    """`init(params) -> slots` and `update(params, gradients, slots, count) -> (params, slots)`, count: updates made before."""

    init: Callable
    update: Callable


def exponential_decay(rate, factor, every):
    """rate * factor^floor(count / every): TensorFlow 1's `exponential_decay` with `staircase=True`."""
    return lambda count: rate * tf.pow(factor, tf.cast(count // every, tf.float32))


def gradient_descent(rate):
    """w -= rate * g."""

    def update(params, gradients, slots, count):
        lr = _at(rate, count)
        return tf.nest.map_structure(lambda w, g: w - lr * g, params, gradients), slots

    return Optimizer(lambda params: (), update)


def momentum(rate, coefficient):
    """v = coefficient * v + g; w -= rate * v. The rate is outside the buffer, unlike Keras."""

    def update(params, gradients, slots, count):
        lr = _at(rate, count)
        slots = tf.nest.map_structure(lambda v, g: coefficient * v + g, slots, gradients)
        return tf.nest.map_structure(lambda w, v: w - lr * v, params, slots), slots

    return Optimizer(_zeros, update)


def adam(rate, beta1=0.9, beta2=0.999, epsilon=1e-8, correct_epsilon=False):
    """Adam (Kingma & Ba 2015) in the form before their section 2.1's last remark, with TensorFlow 1's defaults.

    lr = rate * sqrt(1 - beta2^t) / (1 - beta1^t); w -= lr * m / (sqrt(v) + epsilon), where t counts from 1. In the paper's
    algorithm 1 and in PyTorch, epsilon is added to the corrected sqrt(v / (1 - beta2^t)): `correct_epsilon` multiplies it by
    sqrt(1 - beta2^t), which is the same.
    """

    def update(params, gradients, slots, count):
        t = tf.cast(count + 1, tf.float32)
        correction = tf.sqrt(1 - tf.pow(beta2, t))
        lr = _at(rate, count) * correction / (1 - tf.pow(beta1, t))
        eps = epsilon * correction if correct_epsilon else epsilon
        m = tf.nest.map_structure(lambda m, g: beta1 * m + (1 - beta1) * g, slots[0], gradients)
        v = tf.nest.map_structure(lambda v, g: beta2 * v + (1 - beta2) * tf.square(g), slots[1], gradients)
        return tf.nest.map_structure(lambda w, m, v: w - lr * m / (tf.sqrt(v) + eps), params, m, v), (m, v)

    return Optimizer(lambda params: (_zeros(params), _zeros(params)), update)


def _at(rate, count):
    return rate(count) if callable(rate) else rate


def _zeros(params):
    return tf.nest.map_structure(tf.zeros_like, params)
