"""The compiled training loops: everything between two records runs inside one XLA program over plain tensors.

A `TrainStep` is the rules of one adversarial training and a `PretrainStep` those of a discriminator's pre-training, both as pure
functions. `compile_loop` turns either's iteration into a compiled loop, and `run` drives that loop from record to record.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from common.devices import distribution
from common.nn.optimizers import Optimizer, gradient_descent
from common.sizes import CALL, GROUP, MOST_RECORDS

SETTLED = 100  # steps over which the final losses are averaged, as in the authors' reference outcomes


class TrainStep(NamedTuple):
    """An adversarial training. Losses are [runs]; `draw_*(seeds, update)` give the batches of an update, [runs, 1, batch]."""

    loss_d: Callable  # (d, g, x, z) -> [runs]
    loss_g: Callable  # (d, g, z) -> [runs]
    draw_d: Callable  # (seeds, update) -> (x, z)
    draw_g: Callable | None  # (seeds, update) -> z; None: the noise of D's update, of which there is then one an iteration
    optimizer_d: Optimizer
    optimizer_g: Optimizer
    d_steps: int = 1  # updates of D in an iteration
    g_steps: int = 1  # updates of G after them


class TrainState(NamedTuple):
    """State of an adversarial training: iterations done, parameters, and each network's own optimiser slots."""

    step: tf.Tensor  # int32 []
    d: Any
    g: Any
    opt_state_d: Any
    opt_state_g: Any


class PretrainStep(NamedTuple):
    """A pre-training: `loss(params, x, y) -> [runs]` on what `draw(seeds, update) -> (x, y)` gives."""

    loss: Callable
    draw: Callable
    optimizer: Optimizer


NO_PRETRAINING = PretrainStep(loss=None, draw=None, optimizer=gradient_descent(0.0))  # of a post that has none


class PretrainState(NamedTuple):
    """State of a pre-training: updates done, parameters, slots."""

    step: tf.Tensor
    params: Any
    opt_state: Any


class State(NamedTuple):
    """All that a training carries: what is checkpointed."""

    pretrain_state: PretrainState
    train_state: TrainState


def start_training(train_step, d, g):
    """`TrainState` before the first iteration: optimisers fresh, counters 0."""
    return TrainState(tf.constant(0), d, g, train_step.optimizer_d.init(d), train_step.optimizer_g.init(g))


def start_pretraining(pretrain_step, params):
    """`PretrainState` before the first update."""
    return PretrainState(tf.constant(0), params, pretrain_step.optimizer.init(params))


def take_step(train_step, seeds, state):
    """One iteration: `d_steps` updates of D against a fixed G, then `g_steps` of G with freshly drawn noise, or D's (`TrainStep`).

    Returns:
      The next `TrainState`, and {'loss_d', 'loss_g'} [runs]: the losses of the last update of each, before it was applied.
    """

    def draw_d(update):
        return _computed_once(train_step.draw_d(seeds, update), update)

    both = (
        None if train_step.draw_g else draw_d(state.step)
    )  # the images that G makes of it are the same too: XLA makes them once

    def update_d(update, d, opt_state):
        x, z = both or draw_d(update)
        return _descend(lambda d: train_step.loss_d(d, state.g, x, z), train_step.optimizer_d, d, opt_state, update)

    def update_g(update, g, opt_state):
        z = both[1] if both else _computed_once(train_step.draw_g(seeds, update), update)
        return _descend(lambda g: train_step.loss_g(d, g, z), train_step.optimizer_g, g, opt_state, update)

    d, opt_state_d, loss_d = _repeat(update_d, train_step.d_steps, state.step, state.d, state.opt_state_d)
    g, opt_state_g, loss_g = _repeat(update_g, train_step.g_steps, state.step, state.g, state.opt_state_g)
    return TrainState(state.step + 1, d, g, opt_state_d, opt_state_g), {'loss_d': loss_d, 'loss_g': loss_g}


def take_pretrain_step(pretrain_step, seeds, state):
    """One update of a pre-training: the next `PretrainState`, and {'loss'} [runs], before the update was applied."""
    x, y = _computed_once(pretrain_step.draw(seeds, state.step), state.step)
    params, opt_state, loss = _descend(
        lambda params: pretrain_step.loss(params, x, y), pretrain_step.optimizer, state.params, state.opt_state, state.step
    )
    return PretrainState(state.step + 1, params, opt_state), {'loss': loss}


def _computed_once(draws, update):
    """The same numbers, divided by a 1 of which XLA does not know that it is one.

    Random numbers are made of operations that XLA thinks cheap, so it computes them again in every fusion that reads them, for
    every unit of a first layer for instance; a division is dear enough in its books to be computed once. Measured on Jang's GAN
    at 128 runs: 1.5 times as fast. Exact, since x / 1 is x.
    """
    one = 1 + tf.cast(update < 0, tf.float32)
    return tf.nest.map_structure(lambda values: values / one, draws)


def _descend(loss_of, optimizer, params, opt_state, count):
    with tf.GradientTape() as tape:
        tape.watch(params)
        loss = loss_of(params)
    gradients = tape.gradient(loss, params)  # of the sum over runs; each run's parameters only move its own loss
    return *optimizer.update(params, gradients, opt_state, count), loss


def _repeat(update, times, iteration, params, opt_state):
    """`times` calls of `update` with the network's own update counter."""
    if times == 1:
        return update(iteration, params, opt_state)
    runs = tf.nest.flatten(params)[0].shape[0]
    return tf.while_loop(
        lambda k, *_: k < times,
        lambda k, params, opt_state, _: (k + 1, *update(iteration * times + k, params, opt_state)),
        (tf.constant(0), params, opt_state, tf.zeros([runs])),
    )[1:]


def compile_loop(iteration, losses, measure=lambda state: {}, group=None):
    """Compiles `iteration(seeds, state) -> (state, {name: loss [runs]})` into a loop that records on its way.

    Args:
      iteration: `take_step` or `take_pretrain_step` with its first argument bound.
      losses: the names of the losses that it gives.
      measure: state -> {name: [runs]}, what is recorded beside the losses.
      group: int, runs that a CPU advances together, if not `GROUP`.

    Returns:
      advance(seeds, state, until) -> (state, records): runs until `state.step` has been each of `until` (int32 [records],
      ascending; the last may be repeated to fill up) and records there. `records` are [records, runs] of fixed size; a loss
      is the mean over the iterations since the record before, so with a record an iteration it is that iteration's own.
    """

    def names(state):  # of the records; the values of this call of `measure` are not used, and XLA drops them
        return (*losses, *measure(state))

    def advance(seeds, state, until):
        def record(row, state, arrays):
            def body(state, sums):
                state, values = iteration(seeds, state)
                return state, {name: sums[name] + values[name] for name in losses}

            before = state.step
            zeros = {name: tf.zeros(seeds.shape) for name in losses}
            state, sums = tf.while_loop(lambda state, _: state.step < until[row], body, (state, zeros))
            count = tf.cast(state.step - before, tf.float32)
            values = {name: total / count for name, total in sums.items()} | measure(state)
            return row + 1, state, {name: arrays[name].write(row, values[name]) for name in arrays}

        arrays = {name: tf.TensorArray(tf.float32, until.shape[0], element_shape=seeds.shape) for name in names(state)}
        loop = tf.while_loop(lambda row, state, _: state.step < until[-1], record, (tf.constant(0), state, arrays))
        return loop[1], {name: array.stack() for name, array in loop[2].items()}

    return tf.function(in_groups(advance, names, group), jit_compile=True, autograph=False)


def in_groups(advance, names, group=None):
    """An `advance` of `compile_loop` that takes one group of at most `group` runs after the other through all its iterations.

    `names` gives those of the records from a state. What an iteration computes on the way takes some 90 kB a run (Aylien), so
    that thousands of runs at once leave the caches: `benchmark.py scaling`. GPUs are given all runs at once (not measured on a
    GPU).
    """

    def grouped(seeds, state, until):
        runs = seeds.shape[0]
        groups = 1 if tf.config.list_logical_devices('GPU') else max(1, -(-runs // (group or GROUP)))
        if groups == 1:
            return advance(seeds, state, until)
        size = -(-runs // groups)
        rows = np.minimum(np.arange(groups * size), runs - 1)  # the last run again and again, to fill the last group

        def cut(value):
            filled = value if len(rows) == runs else tf.gather(value, rows)
            return tf.reshape(filled, [groups, size, *value.shape[1:]])

        def joined(value):
            return tf.reshape(value, [groups * size, *value.shape[2:]])[:runs]

        def advance_group(parts):
            seeds, *own = parts
            own = iter(own)
            whole = [next(own) if of_runs else leaf for leaf, of_runs in zip(leaves, by_run, strict=True)]
            after, records = advance(seeds, tf.nest.pack_sequence_as(state, whole), until)
            return tf.nest.flatten(after), {name: tf.transpose(values) for name, values in records.items()}

        leaves = tf.nest.flatten(state)
        by_run = [leaf.shape.rank > 0 for leaf in leaves]  # but for the step counters
        parts = [cut(seeds), *(cut(leaf) for leaf, of_runs in zip(leaves, by_run, strict=True) if of_runs)]
        after, records = tf.map_fn(
            advance_group,
            parts,
            fn_output_signature=(
                [
                    tf.TensorSpec([size, *leaf.shape[1:]] if of_runs else [], leaf.dtype)
                    for leaf, of_runs in zip(leaves, by_run, strict=True)
                ],
                {name: tf.TensorSpec([size, until.shape[0]]) for name in names(state)},
            ),
        )
        after = [joined(value) if of_runs else value[0] for value, of_runs in zip(after, by_run, strict=True)]
        return tf.nest.pack_sequence_as(state, after), {name: tf.transpose(joined(values)) for name, values in records.items()}

    return grouped


def record_steps(num_steps, every, early=()):
    """Numbers of iterations after which to record, int32: 1, every + 1, 2 * every + 1, ..., num_steps; those of `early`; and
    where the last `SETTLED` iterations begin, so that their mean loss follows from the records. Empty for no iterations."""
    if not num_steps:
        return np.zeros(0, np.int32)
    steps = np.r_[np.arange(0, num_steps, every) + 1, early, max(num_steps - SETTLED, 1), num_steps]
    return np.unique(steps[steps <= num_steps]).astype(np.int32)


def settled_mean(steps, losses):
    """Mean loss over the last `SETTLED` iterations, [runs], from a history's `step` [records] and losses [runs, records]."""
    lengths = np.diff(steps, prepend=-1)
    last = steps > steps[-1] - SETTLED
    return losses[:, last] @ (lengths[last] / lengths[last].sum())


def run(loop, strategy, runs, seeds, state, steps, records_per_call=MOST_RECORDS, call=CALL):
    """Drives a compiled loop over a strategy's devices, call by call.

    Args:
      loop: what `compile_loop` gave.
      strategy: the `tf.distribute.Strategy` that `seeds` and `state` were shared out with.
      runs: int, how many there are in all.
      seeds: uint32 [runs] per replica.
      state: state per replica, at one of `steps` or at 0.
      steps: int32 [records], ascending, from `record_steps`; those at or before the state's own are passed over.
      records_per_call: int, upper bound on records between two yields.
      call: int, upper bound on seed-iterations between two yields, unless a single record needs more.

    Yields:
      (state, steps, records) after every call: the new state, the part of `steps` it covers, and {name: [runs, records]}.
      A call is short, so that the caller can show progress, save and stop.
    """
    if not len(steps):
        return
    done = distribution.first(strategy, state.step)
    size = int(np.clip(call // (runs * max(np.diff(steps, prepend=0))), 1, records_per_call))
    pending = steps[steps > done]
    for first in range(0, len(pending), size):
        part = pending[first : first + size]
        until = tf.constant(np.pad(part, (0, size - len(part)), mode='edge'))  # one shape, hence one compilation
        state, records = strategy.run(loop, args=(seeds, state, until))
        records = distribution.to_host(strategy, records, axis=1)
        yield state, part, {name: array[: len(part)].T for name, array in records.items()}


to_host = distribution.to_host  # of the states that `train` yields


class Experiment(NamedTuple):
    """A post's settings made runnable. Build it once per settings: its loops compile at their first call."""

    init: Callable  # seeds -> (d, g), the initial parameters
    train_step: TrainStep
    pretrain_step: PretrainStep
    pretrain_steps: int  # 0: no pre-training
    pretrain_loop: Callable  # `pretrain_step` compiled
    train_loop: Callable  # `train_step` compiled, with what the post measures on the way
    call: int = CALL  # seed-iterations in a compiled call; less where an iteration is many updates
    early: tuple[int, ...] = ()  # numbers of iterations of the game after which to record besides the regular ones


def make_experiment(init, train_step, measure, pretrain_step, pretrain_steps, early=()):
    """An `Experiment` with both loops compiled at their first call."""
    pretrain_loop = compile_loop(lambda seeds, state: take_pretrain_step(pretrain_step, seeds, state), ['loss'])
    train_loop = compile_loop(lambda seeds, state: take_step(train_step, seeds, state), ['loss_d', 'loss_g'], measure)
    return Experiment(init, train_step, pretrain_step, pretrain_steps, pretrain_loop, train_loop, early=early)


def initial_state(experiment, strategy, seeds):
    """`State` before the first update, of NumPy arrays, for `seeds`, uint32 NumPy [runs]."""
    return to_host(strategy, start(experiment, strategy, distribution.share_out(strategy, seeds)))


def start(experiment, strategy, seeds):
    """`State` before the first update, shared out like `seeds`."""

    def build(seeds):
        d, g = experiment.init(seeds)
        return State(start_pretraining(experiment.pretrain_step, d), start_training(experiment.train_step, d, g))

    return strategy.run(build, args=(seeds,))


def train(experiment, strategy, seeds, num_steps, every, state=None, records_per_call=MOST_RECORDS):
    """Pre-trains D where the experiment says so, then plays the game.

    Args:
      experiment: an `Experiment`.
      strategy: a `tf.distribute.Strategy`.
      seeds: uint32 NumPy [runs].
      num_steps: int, adversarial iterations.
      every: int, iterations from record to record.
      state: `State` of NumPy arrays to go on from, or None to begin.
      records_per_call: int, upper bound on records between two yields.

    Yields:
      (`State` shared out over the strategy, records) after every compiled call. `records` has `step` [records], the
      0-based iteration of each record, and the losses and measurements [runs, records]; of the pre-training,
      `pretrain_step` and `pretrain_loss`.
    """
    shared = distribution.share_out(strategy, seeds)
    if state is None:
        pretrain_state, train_state = start(experiment, strategy, shared)
    else:
        pretrain_state, train_state = distribution.share_out(strategy, state)
    steps = record_steps(experiment.pretrain_steps, every)
    for state, part, records in run(
        experiment.pretrain_loop, strategy, len(seeds), shared, pretrain_state, steps, records_per_call
    ):
        pretrain_state = state
        yield State(pretrain_state, train_state), {'pretrain_step': part - 1, 'pretrain_loss': records['loss']}
    if experiment.pretrain_steps and distribution.first(strategy, train_state.step) == 0:
        train_state = train_state._replace(d=pretrain_state.params)  # D's own optimiser starts afresh
    steps = record_steps(num_steps, every, experiment.early)
    calls = run(experiment.train_loop, strategy, len(seeds), shared, train_state, steps, records_per_call, experiment.call)
    for state, part, records in calls:
        yield State(pretrain_state, state), {'step': part - 1} | records


def join_records(parts):
    """The records of successive calls as one: {name: [..., records]}."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: np.concatenate([part[name] for part in parts if name in part], axis=-1) for name in names}
