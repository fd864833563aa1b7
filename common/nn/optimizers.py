"""Update rules with the semantics of TensorFlow 1 or PyTorch, as pure functions over nested tuples of tensors.

Keras differs in ways that show: its momentum keeps the rate inside the buffer, its Adam has epsilon 1e-7.
A rate is a number, a tensor that broadcasts against `[runs, out, in]` (so `[runs, 1, 1]` for a rate per run), or a function of
the number of updates made so far (see `exponential_decay`).
"""

import math
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

    def update(params, gradients, opt_state, count):
        lr = _at(rate, count)
        return tf.nest.map_structure(lambda w, g: w - lr * g, params, gradients), opt_state

    return Optimizer(lambda params: (), update)


def momentum(rate, coefficient):
    """v = coefficient * v + g; w -= rate * v. The rate is outside the buffer, unlike Keras."""

    def update(params, gradients, opt_state, count):
        lr = _at(rate, count)
        opt_state = tf.nest.map_structure(lambda v, g: coefficient * v + g, opt_state, gradients)
        return tf.nest.map_structure(lambda w, v: w - lr * v, params, opt_state), opt_state

    return Optimizer(_zeros, update)


def adam(rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Adam (Kingma & Ba 2015) in the form before their section 2.1's last remark, with TensorFlow 1's defaults.

    lr = rate * sqrt(1 - beta2^t) / (1 - beta1^t); w -= lr * m / (sqrt(v) + epsilon), where t counts from 1.
    """

    def step(count):
        t = tf.cast(count + 1, tf.float32)
        return _at(rate, count) * tf.sqrt(1 - tf.pow(beta2, t)) / (1 - tf.pow(beta1, t)), epsilon

    return _adam(beta1, beta2, step)


def adam_of_pytorch(rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Adam as in PyTorch and in algorithm 1 of Kingma & Ba: epsilon joins sqrt(v) after its correction and not before.

    w -= rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon), where t counts from 1: the rule of `adam` with
    epsilon * sqrt(1 - beta2^t). PyTorch takes the powers in double precision; `expm1` is as exact in single, whereas 1 - 0.999
    is off by a part in 80,000.
    """

    def step(count):
        t = tf.cast(count + 1, tf.float32)
        correction = tf.sqrt(-tf.math.expm1(t * math.log(beta2)))
        return _at(rate, count) * correction / -tf.math.expm1(t * math.log(beta1)), epsilon * correction

    return _adam(beta1, beta2, step)


def _adam(beta1, beta2, step):
    """w -= lr * m / (sqrt(v) + epsilon), with `step(count) -> (lr, epsilon)`."""

    def update(params, gradients, opt_state, count):
        lr, epsilon = step(count)
        m = tf.nest.map_structure(lambda m, g: beta1 * m + (1 - beta1) * g, opt_state[0], gradients)
        v = tf.nest.map_structure(lambda v, g: beta2 * v + (1 - beta2) * tf.square(g), opt_state[1], gradients)
        return tf.nest.map_structure(lambda w, m, v: w - lr * m / (tf.sqrt(v) + epsilon), params, m, v), (m, v)

    return Optimizer(lambda params: (_zeros(params), _zeros(params)), update)


def _at(rate, count):
    return rate(count) if callable(rate) else rate


def _zeros(params):
    return tf.nest.map_structure(tf.zeros_like, params)
