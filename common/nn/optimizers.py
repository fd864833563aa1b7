"""Optimizers with the semantics of TensorFlow 1 or PyTorch, as pure functions over nested tuples of tensors.

Keras differs in ways that matter: its momentum keeps the learning rate inside the buffer, its Adam has epsilon 1e-7.
A number of a rule is one for all runs or a tensor [runs, 1, 1]: float32, or float64 for Adam's betas, since 1 - 0.999 in single
precision is off by a 20,000th. A learning rate may also be a function of the number of updates made so far (see
`exponential_decay`).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

Number = float | tf.Tensor
LearningRate = Number | Callable


class Optimizer(NamedTuple):
    """An update rule; its state is a nested structure of tensors like the parameters."""

    init: Callable  # params -> opt_state
    update: Callable  # (params, gradients, opt_state, count of earlier updates) -> (params, opt_state)


def exponential_decay(rate: Number, factor: Number, every: int) -> Callable:
    """count -> rate * factor^floor(count / every): TensorFlow 1's `exponential_decay` with `staircase=True`."""
    return lambda count: rate * tf.pow(factor, tf.cast(count // every, tf.float32))


def gradient_descent(rate: LearningRate) -> Optimizer:
    """w -= rate * g."""

    def update(params, gradients, opt_state, count):
        lr = _at(rate, count)
        return tf.nest.map_structure(lambda w, g: w - lr * g, params, gradients), opt_state

    return Optimizer(lambda params: (), update)


def momentum(rate: LearningRate, coefficient: Number) -> Optimizer:
    """v = coefficient * v + g; w -= rate * v. The learning rate is outside the buffer, unlike in Keras."""

    def update(params, gradients, opt_state, count):
        lr = _at(rate, count)
        opt_state = tf.nest.map_structure(lambda v, g: coefficient * v + g, opt_state, gradients)
        return tf.nest.map_structure(lambda w, v: w - lr * v, params, opt_state), opt_state

    return Optimizer(_zeros, update)


def adam(rate: LearningRate, beta1: Number = 0.9, beta2: Number = 0.999, epsilon: Number = 1e-8) -> Optimizer:
    """Adam as in TensorFlow 1, with its defaults: the form just before section 2.1 of Kingma & Ba (2015).

    lr = rate * sqrt(1 - beta2^t) / (1 - beta1^t); w -= lr * m / (sqrt(v) + epsilon), where t counts from 1.
    """

    def step(count):
        t = tf.cast(count + 1, tf.float32)
        return _at(rate, count) * tf.sqrt(1 - tf.pow(_single(beta2), t)) / (1 - tf.pow(_single(beta1), t)), epsilon

    return _adam(beta1, beta2, step)


def adam_of_pytorch(rate: LearningRate, beta1: Number = 0.9, beta2: Number = 0.999, epsilon: Number = 1e-8) -> Optimizer:
    """Adam as in PyTorch and in algorithm 1 of Kingma & Ba (2015): epsilon is added to the bias-corrected sqrt(v).

    w -= rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon), where t counts from 1: the rule of `adam` with
    epsilon * sqrt(1 - beta2^t). PyTorch computes the powers in double precision. `expm1` in single precision is as accurate,
    whereas 1 - 0.999 in single precision has a relative error of 1 / 80,000.
    """

    def step(count):
        t = tf.cast(count + 1, tf.float32)
        correction = tf.sqrt(-tf.math.expm1(t * _log(beta2)))
        return _at(rate, count) * correction / -tf.math.expm1(t * _log(beta1)), epsilon * correction

    return _adam(beta1, beta2, step)


def _adam(beta1, beta2, step):
    """w -= lr * m / (sqrt(v) + epsilon), with `step(count) -> (lr, epsilon)`."""

    (b1, rest1), (b2, rest2) = ((_single(beta), _single(1 - beta)) for beta in (beta1, beta2))

    def update(params, gradients, opt_state, count):
        lr, epsilon = step(count)
        m = tf.nest.map_structure(lambda m, g: b1 * m + rest1 * g, opt_state[0], gradients)
        v = tf.nest.map_structure(lambda v, g: b2 * v + rest2 * tf.square(g), opt_state[1], gradients)
        return tf.nest.map_structure(lambda w, m, v: w - lr * m / (tf.sqrt(v) + epsilon), params, m, v), (m, v)

    return Optimizer(lambda params: (_zeros(params), _zeros(params)), update)


def _single(number):
    return tf.cast(number, tf.float32) if tf.is_tensor(number) else number


def _log(number):
    return _single(tf.math.log(number)) if tf.is_tensor(number) else math.log(number)


def _at(rate, count):
    return rate(count) if callable(rate) else rate


def _zeros(params):
    return tf.nest.map_structure(tf.zeros_like, params)
