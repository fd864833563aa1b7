"""Well-known changes to a GAN's training that often help, as pure functions that cite their equations; all are off by default.

`make_experiment` puts them around a post's experiment. What is off leaves no trace in the compiled program, so the post stays
as published, bit for bit. One-sided label smoothing is part of the losses (`nn.losses`), different learning rates and numbers
of updates are part of the posts.

Strengths are numbers, or tensors [runs, 1, 1] in a sweep. `rows` are the leading features of a sample that are data: a label
that follows them is neither disturbed nor differentiated. D's output is meant before its sigmoid, [runs, 1, decisions]: one
decision per sample, or one per batch.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from common import training
from common.nn import random
from common.nn.layers import Linear
from common.nn.optimizers import Optimizer
from common.nn.random import Stream
from common.settings import Remedies, is_on

Strength = float | tf.Tensor
SMALLEST = float(np.finfo(np.float32).tiny)  # squared norms below this are 0: weights may be small, as with --init_scale
MARGIN = 1.0  # gradient norm of D that DRAGAN asks for: k of Kodali et al. 2017, section 2.3
REACH = 0.5  # its perturbations, as a multiple of the data's std, as in the authors' program (kodalinaveen3/DRAGAN)
FIRST_POWER_ITERATIONS = 20  # before training; then one per update, as in Miyato et al. 2018, algorithm 1


def make_experiment(
    remedies: Remedies,
    rows: int,
    output: Callable,
    init: Callable,
    train_step: training.TrainStep,
    measure: Callable = lambda state: {},
    pretrain_step: training.PretrainStep = training.NO_PRETRAINING,
    iteration: Callable = training.take_step,
    **rest: Any,
) -> training.Experiment:
    """`training.make_experiment` with remedies.

    Args:
      remedies: which, and how strong.
      rows: see above.
      output: (d, x) -> D before its sigmoid.
      init, train_step, measure, pretrain_step, rest: of the post, as for `training.make_experiment`.
      iteration: (train_step, seeds, state) -> (state, losses).
    """
    train_step = on_training(remedies, rows, output, train_step)
    if remedies.spectral_norm:
        pretrain_step = pretrain_step._replace(optimizer=of_normalized(pretrain_step.optimizer))

    def init_all(seeds):
        d, g = init(seeds)
        return start_normalized(seeds, d) if remedies.spectral_norm else d, g

    return training.make_experiment(
        init_all,
        train_step,
        lambda state: measure(with_ema_weights(state)),
        pretrain_step=pretrain_step,
        iteration=functools.partial(iteration, train_step),
        **rest,
    )


def on_training(remedies: Remedies, rows: int, output: Callable, train_step: training.TrainStep) -> training.TrainStep:
    """A post's train step with remedies; arguments as for `make_experiment`."""
    if is_on(remedies.instance_noise):
        train_step = with_instance_noise(train_step, remedies.instance_noise, remedies.noise_steps, rows)
    if is_on(remedies.gradient_penalty):
        train_step = with_gradient_penalty(train_step, remedies.gradient_penalty, output, rows)
    if is_on(remedies.dragan):
        train_step = with_dragan(train_step, remedies.dragan, output, rows)
    if is_on(remedies.historical_averaging):
        optimizers = (train_step.optimizer_d, train_step.optimizer_g)
        d, g = (with_historical_averaging(one, remedies.historical_averaging) for one in optimizers)
        train_step = train_step._replace(optimizer_d=d, optimizer_g=g)
    if remedies.spectral_norm:
        train_step = train_step._replace(optimizer_d=of_normalized(train_step.optimizer_d))
    if is_on(remedies.average):
        train_step = train_step._replace(optimizer_g=with_average(train_step.optimizer_g, remedies.average))
    return train_step


# --- What D sees --------------------------------------------------------------------------------------------------------------


def with_instance_noise(train_step: training.TrainStep, std: Strength, steps: int | None, rows: int) -> training.TrainStep:
    """Adds normal noise to all samples that D is given (Sonderby et al. 2017, section 4; Arjovsky & Bottou 2017, section 3).

    Its std falls linearly from `std` to 0 over `steps` iterations. G's update has noise of its own, unless it reuses D's batch.
    Raises ValueError without `steps`.
    """
    if not steps:
        raise ValueError(f'noise_steps={steps} is not given: the iterations over which instance noise falls to 0')

    def noise(seeds, stream, update, updates, count):
        size = std * tf.maximum(0.0, 1 - tf.cast(update, tf.float32) / float(steps * updates))
        return size * tf.reshape(random.normal(seeds, stream, update, rows * count), [-1, rows, count])

    def draw_d(seeds, update):
        x, z = train_step.draw_d(seeds, update)
        both = noise(seeds, Stream.INSTANCE_NOISE_D, update, train_step.d_steps, 2 * x.shape[2])
        on_real, on_fake = tf.split(both, 2, axis=2)
        return x + _like(x, on_real), (z, on_fake)

    def draw_g(seeds, update):
        z = train_step.draw_g(seeds, update)
        return z, noise(seeds, Stream.INSTANCE_NOISE_G, update, train_step.g_steps, z.shape[2])

    def generate(g, z_and_noise):
        z, on_fake = z_and_noise
        fake = train_step.generate(g, z)
        return fake + _like(fake, on_fake)

    return train_step._replace(draw_d=draw_d, draw_g=train_step.draw_g and draw_g, generate=generate)


def _like(x, data):
    """`data` [runs, rows, batch] with zeros for what follows it in x, [runs, rows + labels, batch]."""
    return tf.pad(data, [[0, 0], [0, x.shape[1] - data.shape[1]], [0, 0]])


# --- Penalties on D's gradient norm ------------------------------------------------------------------------------------------


def squared_gradient_norm(output: Callable, x: tf.Tensor, rows: int) -> tf.Tensor:
    """Squared norm of the gradient of D's output with respect to a sample, or to the batch that it decides on.

    If decisions depend on other samples, as in minibatch discrimination, it is the gradient of their sum.

    Args:
      output: x -> [runs, 1, decisions].
      x: [runs, rows + labels, batch].
      rows: see above.

    Returns:
      [runs, decisions].
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        decisions = output(x)
    by_sample = tf.reduce_sum(tf.square(tape.gradient(decisions, x)[:, :rows]), axis=1)
    return tf.reduce_sum(tf.reshape(by_sample, [x.shape[0], decisions.shape[2], -1]), axis=2)


def with_gradient_penalty(train_step: training.TrainStep, gamma: Strength, output: Callable, rows: int) -> training.TrainStep:
    """Adds R1 to D's loss: gamma / 2 * mean |grad D(x)|^2 over real samples (Mescheder et al. 2018, equation 9)."""

    def loss_d(d, x, fake):
        squared_norms = squared_gradient_norm(lambda x: output(d, x), x, rows)
        return train_step.loss_d(d, x, fake) + _by_run(gamma) / 2 * tf.reduce_mean(squared_norms, axis=1)

    return train_step._replace(loss_d=loss_d)


def with_dragan(train_step: training.TrainStep, weight: Strength, output: Callable, rows: int) -> training.TrainStep:
    """Adds weight * mean (|grad D(x + delta)| - 1)^2 to D's loss (Kodali et al. 2017, equation 2 and algorithm 1).

    delta is half the std of the real batch times U(0, 1), for each number of each sample, as in the authors' program.
    """

    def draw_d(seeds, update):
        x, z = train_step.draw_d(seeds, update)
        std = tf.math.reduce_std(x[:, :rows], axis=[1, 2], keepdims=True)
        shape = [-1, rows, x.shape[2]]
        delta = REACH * std * tf.reshape(random.uniform(seeds, Stream.PERTURBATION, update, rows * x.shape[2]), shape)
        return (x, x + _like(x, delta)), z

    def loss_d(d, x_and_near, fake):
        x, near = x_and_near
        norms = tf.sqrt(squared_gradient_norm(lambda x: output(d, x), near, rows) + 1e-12)  # whose gradient is finite at 0
        penalty = tf.reduce_mean(tf.square(norms - MARGIN), axis=1)
        return train_step.loss_d(d, x, fake) + _by_run(weight) * penalty

    return train_step._replace(draw_d=draw_d, loss_d=loss_d)


def _by_run(strength):
    """A number, or [runs] from [runs, 1, 1]."""
    return tf.reshape(strength, [-1]) if tf.is_tensor(strength) else strength


# --- Averages of parameters ---------------------------------------------------------------------------------------------------


class History(NamedTuple):
    """Optimizer state with historical averaging."""

    opt_state: Any
    mean: Any  # of the parameters before each update so far


def with_historical_averaging(optimizer: Optimizer, weight: Strength) -> Optimizer:
    """Adds weight * |parameters - their mean over all updates so far|^2 to the loss (Salimans et al. 2016, section 3.3).

    The mean counts as a constant. Recorded losses are without this term.
    """

    def update(params, gradients, state, count):
        share = 1 / tf.cast(count + 1, tf.float32)
        mean = tf.nest.map_structure(lambda mean, w: mean + share * (w - mean), state.mean, params)
        gradients = tf.nest.map_structure(lambda g, w, mean: g + 2 * weight * (w - mean), gradients, params, mean)
        params, opt_state = optimizer.update(params, gradients, state.opt_state, count)
        return params, History(opt_state, mean)

    return Optimizer(lambda params: History(optimizer.init(params), params), update)


class Average(NamedTuple):
    """Optimizer state with a moving average of the parameters."""

    opt_state: Any
    average: Any


def with_average(optimizer: Optimizer, decay: Strength) -> Optimizer:
    """Keeps average = decay * average + (1 - decay) * parameters, from the initial ones on (Yazici et al. 2019, equation 2).

    It does not change the training; `with_ema_weights` puts it in G's place. A tensor `decay` is float64: 1 - 0.9999 in single
    precision is off by a 4,000th.
    """

    kept, added = (tf.cast(share, tf.float32) for share in (decay, 1 - decay))

    def update(params, gradients, state, count):
        params, opt_state = optimizer.update(params, gradients, state.opt_state, count)
        average = tf.nest.map_structure(lambda average, w: kept * average + added * w, state.average, params)
        return params, Average(opt_state, average)

    return Optimizer(lambda params: Average(optimizer.init(params), params), update)


def with_ema_weights(train_state: training.TrainState) -> training.TrainState:
    """The state whose G is judged, drawn and exported: with the moving average of its parameters, if there is one."""
    state = train_state.opt_state_g
    return train_state._replace(g=state.average) if isinstance(state, Average) else train_state


# --- Spectral normalization ---------------------------------------------------------------------------------------------------


class Normalized(NamedTuple):
    """Parameters of a network with spectral normalization."""

    linears: tuple[Linear, ...]
    directions: tuple[tf.Tensor, ...]  # of each layer: its first left singular vector, about, [runs, out, 1]


def start_normalized(seeds: tf.Tensor, linears: tuple[Linear, ...]) -> Normalized:
    """A network before training, with directions from random ones."""
    directions = []
    for number, layer in enumerate(linears):
        direction = random.normal(seeds, Stream.POWER_ITERATION, number, layer.w.shape[1])[:, :, None]
        for _ in range(FIRST_POWER_ITERATIONS):
            direction = power_iteration(layer.w, direction)
        directions.append(direction)
    return Normalized(tuple(linears), tuple(directions))


def power_iteration(w: tf.Tensor, direction: tf.Tensor) -> tf.Tensor:
    """One iteration towards the first left singular vector of w: [runs, out, in], [runs, out, 1] -> [runs, out, 1]."""
    right = tf.math.l2_normalize(tf.reduce_sum(w * direction, axis=1, keepdims=True), axis=2, epsilon=SMALLEST)
    return tf.math.l2_normalize(tf.reduce_sum(w * right, axis=2, keepdims=True), axis=1, epsilon=SMALLEST)


def normalized(params: Any) -> Any:
    """Layers whose weights are divided by their largest singular value (Miyato et al. 2018, equation 8).

    The singular value is |w^T u| for the direction u, which counts as a constant. Other parameters are returned as they are.
    """
    if not isinstance(params, Normalized):
        return params
    found = []
    for layer, direction in zip(params.linears, params.directions, strict=True):
        right = tf.reduce_sum(layer.w * tf.stop_gradient(direction), axis=1, keepdims=True)
        found.append(layer._replace(w=layer.w / tf.norm(right, axis=2, keepdims=True)))
    return tuple(found)


def of_normalized(optimizer: Optimizer) -> Optimizer:
    """Updates the layers of a `Normalized` network, then its directions by one power iteration."""

    def update(params, gradients, opt_state, count):
        linears, opt_state = optimizer.update(params.linears, gradients.linears, opt_state, count)
        directions = [power_iteration(layer.w, one) for layer, one in zip(linears, params.directions, strict=True)]
        return Normalized(linears, tuple(directions)), opt_state

    return Optimizer(lambda params: optimizer.init(params.linears), update)
