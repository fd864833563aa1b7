"""Optimizers with the semantics of TensorFlow 1 or PyTorch, as pure functions over nested tuples of tensors.

Keras differs in ways that matter: its momentum keeps the learning rate inside the buffer, its Adam has epsilon 1e-7.
A learning rate is a number, a tensor that broadcasts against `[runs, out, in]` (`[runs, 1, 1]` for one rate per run), or a
function of the number of updates made so far (see `exponential_decay`).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

LearningRate = float | tf.Tensor | Callable


class Optimizer(NamedTuple):
    """An update rule; its state is a nested structure of tensors like the parameters."""

    init: Callable  # params -> opt_state
    update: Callable  # (params, gradients, opt_state, count of earlier updates) -> (params, opt_state)


def exponential_decay(rate: float, factor: float, every: int) -> Callable:
    """count -> rate * factor^floor(count / every): TensorFlow 1's `exponential_decay` with `staircase=True`."""
    return lambda count: rate * tf.pow(factor, tf.cast(count // every, tf.float32))


def gradient_descent(rate: LearningRate) -> Optimizer:
    """w -= rate * g."""

    def update(params, gradients, opt_state, count):
        lr = _at(rate, count)
        return tf.nest.map_structure(lambda w, g: w - lr * g, params, gradients), opt_state

    return Optimizer(lambda params: (), update)


def momentum(rate: LearningRate, coefficient: float) -> Optimizer:
    """v = coefficient * v + g; w -= rate * v. The learning rate is outside the buffer, unlike in Keras."""

    def update(params, gradients, opt_state, count):
        lr = _at(rate, count)
        opt_state = tf.nest.map_structure(lambda v, g: coefficient * v + g, opt_state, gradients)
        return tf.nest.map_structure(lambda w, v: w - lr * v, params, opt_state), opt_state

    return Optimizer(_zeros, update)


def adam(rate: LearningRate, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> Optimizer:
    """Adam as in TensorFlow 1, with its defaults: the form just before section 2.1 of Kingma & Ba (2015).

    lr = rate * sqrt(1 - beta2^t) / (1 - beta1^t); w -= lr * m / (sqrt(v) + epsilon), where t counts from 1.
    """

    def step(count):
        t = tf.cast(count + 1, tf.float32)
        return _at(rate, count) * tf.sqrt(1 - tf.pow(beta2, t)) / (1 - tf.pow(beta1, t)), epsilon

    return _adam(beta1, beta2, step)


def adam_of_pytorch(rate: LearningRate, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> Optimizer:
    """Adam as in PyTorch and in algorithm 1 of Kingma & Ba (2015): epsilon is added to the bias-corrected sqrt(v).

    w -= rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon), where t counts from 1: the rule of `adam` with
    epsilon * sqrt(1 - beta2^t). PyTorch computes the powers in double precision. `expm1` in single precision is as accurate,
    whereas 1 - 0.999 in single precision has a relative error of 1 / 80,000.
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
