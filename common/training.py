"""The compiled training loops: everything between two records runs inside one XLA program over plain tensors.

A `TrainStep` defines adversarial training and a `PretrainStep` the pre-training of a discriminator, both as pure functions.
`compile_loop` turns one iteration of either into a compiled loop, and `run` drives that loop from record to record.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from common.compiled import compiled
from common.devices import distribution
from common.grouping import in_groups
from common.nn import random
from common.nn.optimizers import Optimizer, gradient_descent
from common.sizes import CALL, GROUP, MOST_RECORDS

SETTLED = 100  # last iterations over which the final losses are averaged, as in the reference outcomes of the posts


class TrainStep(NamedTuple):
    """Adversarial training. Losses are [runs]; `draw_*(seeds, update)` sample the batches of one update, [runs, 1, batch]."""

    generate: Callable  # (g, z) -> fake, what D is given of G
    loss_d: Callable  # (d, x, fake) -> [runs]
    loss_g: Callable  # (d, fake) -> [runs]
    draw_d: Callable  # (seeds, update) -> (x, z)
    draw_g: Callable | None  # (seeds, update) -> z; None: reuse the noise of D's update, one per iteration
    optimizer_d: Optimizer
    optimizer_g: Optimizer
    d_steps: int = 1  # updates of D per iteration
    g_steps: int = 1  # updates of G that follow them


class TrainState(NamedTuple):
    """State of adversarial training: iterations done, and the parameters and optimizer state of each network."""

    step: tf.Tensor  # int32 []
    d: Any
    g: Any
    opt_state_d: Any
    opt_state_g: Any


class PretrainStep(NamedTuple):
    """Pre-training: `loss(params, x, y) -> [runs]` on batches from `draw(seeds, update) -> (x, y)`."""

    loss: Callable
    draw: Callable
    optimizer: Optimizer


NO_PRETRAINING = PretrainStep(loss=None, draw=None, optimizer=gradient_descent(0.0))  # for posts without it


class PretrainState(NamedTuple):
    """State of pre-training: updates done, parameters, optimizer state."""

    step: tf.Tensor  # int32 []
    params: Any
    opt_state: Any


class State(NamedTuple):
    """The whole training state, which checkpoints hold."""

    pretrain_state: PretrainState
    train_state: TrainState


def start_training(train_step: TrainStep, d: Any, g: Any) -> TrainState:
    """`TrainState` before the first iteration: fresh optimizer states, step 0."""
    return TrainState(tf.constant(0), d, g, train_step.optimizer_d.init(d), train_step.optimizer_g.init(g))


def start_pretraining(pretrain_step: PretrainStep, params: Any) -> PretrainState:
    """`PretrainState` before the first update."""
    return PretrainState(tf.constant(0), params, pretrain_step.optimizer.init(params))


def take_step(train_step: TrainStep, seeds: tf.Tensor, state: TrainState) -> tuple[TrainState, dict[str, tf.Tensor]]:
    """One iteration: `d_steps` updates of D against a fixed G, then `g_steps` of G with fresh noise, or D's (`TrainStep`).

    Returns:
      The next `TrainState`, and {'loss_d', 'loss_g'} [runs], each network's loss just before its last update.
    """

    def draw_d(update):
        return random.optimization_barrier(train_step.draw_d(seeds, update), update < 0)

    # With a shared batch G's samples are the same in both updates, and XLA computes them once.
    both = None if train_step.draw_g else draw_d(state.step)

    def update_d(update, d, opt_state):
        x, z = both or draw_d(update)
        fake = train_step.generate(state.g, z)
        return _descend(lambda d: train_step.loss_d(d, x, fake), train_step.optimizer_d, d, opt_state, update)

    def update_g(update, g, opt_state):
        z = both[1] if both else random.optimization_barrier(train_step.draw_g(seeds, update), update < 0)
        return _descend(lambda g: train_step.loss_g(d, train_step.generate(g, z)), train_step.optimizer_g, g, opt_state, update)

    d, opt_state_d, loss_d = _repeat(update_d, train_step.d_steps, state.step, state.d, state.opt_state_d)
    g, opt_state_g, loss_g = _repeat(update_g, train_step.g_steps, state.step, state.g, state.opt_state_g)
    return TrainState(state.step + 1, d, g, opt_state_d, opt_state_g), {'loss_d': loss_d, 'loss_g': loss_g}


def take_pretrain_step(
    pretrain_step: PretrainStep, seeds: tf.Tensor, state: PretrainState
) -> tuple[PretrainState, dict[str, tf.Tensor]]:
    """One update of pre-training: the next `PretrainState`, and {'loss'} [runs] just before the update."""
    x, y = random.optimization_barrier(pretrain_step.draw(seeds, state.step), state.step < 0)
    params, opt_state, loss = _descend(
        lambda params: pretrain_step.loss(params, x, y), pretrain_step.optimizer, state.params, state.opt_state, state.step
    )
    return PretrainState(state.step + 1, params, opt_state), {'loss': loss}


def _descend(loss_of, optimizer, params, opt_state, count):
    with tf.GradientTape() as tape:
        tape.watch(params)
        loss = loss_of(params)
    gradients = tape.gradient(loss, params)  # of the sum over runs: the parameters of a run affect only its own loss
    return *optimizer.update(params, gradients, opt_state, count), loss


def _repeat(update, times, iteration, params, opt_state):
    """Calls `update` `times` times, with the network's own update counter."""
    if times == 1:
        return update(iteration, params, opt_state)
    runs = tf.nest.flatten(params)[0].shape[0]
    return tf.while_loop(
        lambda k, *_: k < times,
        lambda k, params, opt_state, _: (k + 1, *update(iteration * times + k, params, opt_state)),
        (tf.constant(0), params, opt_state, tf.zeros([runs])),
    )[1:]


def compile_loop(
    iteration: Callable, losses: Sequence[str], measure: Callable = lambda seeds, state: {}, group: int | None = None
) -> Callable:
    """Compiles `iteration(seeds, state) -> (state, {name: loss [runs]})` into a loop that also records.

    Args:
      iteration: `take_step` or `take_pretrain_step` with its first argument bound.
      losses: names of the losses that `iteration` returns.
      measure: (seeds, state) -> {name: [runs]}, recorded beside the losses.
      group: runs that a CPU advances together (default: `GROUP`).

    Returns:
      advance(seeds, state, until) -> (state, records); seeds may be `varied.Runs`. It records whenever `state.step` reaches a
      value of `until` (int32 [records], ascending; the last may be repeated as padding). Each record is [records, runs]; a loss
      is the mean over the iterations since the previous record.
    """

    def names(seeds, state):  # of the records; XLA removes the unused values of this call of `measure`
        return (*losses, *measure(seeds, state))

    def advance(seeds, state, until):
        by_run = tf.nest.flatten(seeds)[0].shape

        def record(row, state, arrays):
            def body(state, sums):
                state, values = iteration(seeds, state)
                return state, {name: sums[name] + values[name] for name in losses}

            before = state.step
            zeros = {name: tf.zeros(by_run) for name in losses}
            state, sums = tf.while_loop(lambda state, _: state.step < until[row], body, (state, zeros))
            count = tf.cast(state.step - before, tf.float32)
            values = {name: total / count for name, total in sums.items()} | measure(seeds, state)
            return row + 1, state, {name: arrays[name].write(row, values[name]) for name in arrays}

        arrays = {name: tf.TensorArray(tf.float32, until.shape[0], element_shape=by_run) for name in names(seeds, state)}
        loop = tf.while_loop(lambda row, state, _: state.step < until[-1], record, (tf.constant(0), state, arrays))
        return loop[1], {name: array.stack() for name, array in loop[2].items()}

    return compiled(in_groups(advance, names, group or GROUP))


def record_steps(num_steps: int, every: int, early: Sequence[int] = ()) -> np.ndarray:
    """Iteration counts at which to record, int32 [records]; empty for `num_steps` 0.

    They are 1, every + 1, 2 * every + 1, ..., num_steps; those of `early`; and the start of the last `SETTLED` iterations, so
    that the mean loss over these follows from the records.
    """
    if not num_steps:
        return np.zeros(0, np.int32)
    steps = np.r_[np.arange(0, num_steps, every) + 1, early, max(num_steps - SETTLED, 1), num_steps]
    return np.unique(steps[steps <= num_steps]).astype(np.int32)


def settled_mean(steps: np.ndarray, losses: np.ndarray, settled: int = SETTLED) -> np.ndarray:
    """Mean loss over the last `settled` iterations, [runs], from a history's `step` [records] and losses [runs, records]."""
    lengths = np.diff(steps, prepend=-1)
    last = steps > steps[-1] - settled
    return losses[:, last] @ (lengths[last] / lengths[last].sum())


def run(
    loop: Callable,
    strategy: tf.distribute.Strategy,
    runs: int,
    seeds: Any,
    state: Any,
    steps: np.ndarray,
    records_per_call: int = MOST_RECORDS,
    call: int = CALL,
) -> Iterator[tuple[Any, np.ndarray, dict[str, np.ndarray]]]:
    """Drives a compiled loop over the devices of a strategy in short calls, between which the caller can save or stop.

    Args:
      loop: from `compile_loop`.
      strategy: the strategy over whose replicas `seeds` and `state` are sharded.
      runs: total number of runs.
      seeds: uint32 [runs] per replica.
      state: state per replica, at one of `steps` or at 0.
      steps: int32 [records] from `record_steps`, ascending; those already reached by `state` are skipped.
      records_per_call: upper bound on the records of one call.
      call: upper bound on the seed-iterations of one call, unless a single record needs more.

    Yields:
      (state, steps, records) after every call: the new state, the part of `steps` that it covers, {name: [runs, records]}.
    """
    if not len(steps):
        return
    done = distribution.first(strategy, state.step)
    fixed = int(np.clip(call // runs, 1, MOST_RECORDS))  # whatever the steps: a loop is compiled once for its number of runs
    size = int(np.clip(call // (runs * max(np.diff(steps, prepend=0))), 1, min(records_per_call, fixed)))
    pending = steps[steps > done]
    for first in range(0, len(pending), size):
        part = pending[first : first + size]
        until = tf.constant(np.pad(part, (0, fixed - len(part)), mode='edge'))
        state, records = strategy.run(loop, args=(seeds, state, until))
        records = distribution.to_host(strategy, records, axis=1)
        yield state, part, {name: array[: len(part)].T for name, array in records.items()}


to_host = distribution.to_host  # for the states that `train` yields, as `data_parallel.to_host`


class Experiment(NamedTuple):
    """A post with given settings, ready to train. Build it once: its loops compile at their first call."""

    init: Callable  # seeds -> (d, g), the initial parameters
    train_step: TrainStep
    pretrain_step: PretrainStep
    pretrain_steps: int  # 0: no pre-training
    pretrain_loop: Callable  # `compile_loop` of `pretrain_step`
    train_loop: Callable  # `compile_loop` of the next four
    iteration: Callable  # (seeds, state) -> (state, losses); `take_step` unless the post records more
    losses: tuple[str, ...]  # their names
    measure: Callable  # state -> {name: [runs]}, what the post measures during training
    group: int  # runs that a CPU advances together
    call: int  # seed-iterations of a compiled call; fewer if an iteration has many updates
    early: tuple[int, ...]  # further iteration counts of adversarial training at which to record


def make_experiment(
    init: Callable,
    train_step: TrainStep,
    measure: Callable = lambda state: {},
    pretrain_step: PretrainStep = NO_PRETRAINING,
    pretrain_steps: int = 0,
    iteration: Callable | None = None,
    losses: tuple[str, ...] = ('loss_d', 'loss_g'),
    group: int = GROUP,
    call: int = CALL,
    early: tuple[int, ...] = (),
) -> Experiment:
    """An `Experiment` whose two loops compile at their first call. Arguments: see there."""
    iteration = iteration or (lambda seeds, state: take_step(train_step, seeds, state))
    pretrain_loop = compile_loop(lambda seeds, state: take_pretrain_step(pretrain_step, seeds, state), ['loss'])
    train_loop = compile_loop(iteration, losses, lambda seeds, state: measure(state), group)
    loops = pretrain_loop, train_loop
    return Experiment(init, train_step, pretrain_step, pretrain_steps, *loops, iteration, losses, measure, group, call, early)


def initial_state(experiment: Experiment, strategy: tf.distribute.Strategy, seeds: np.ndarray) -> State:
    """`State` of NumPy arrays before the first update; `seeds` is uint32 [runs]."""
    return to_host(strategy, start(experiment, strategy, distribution.share_out(strategy, seeds)))


def start(experiment: Experiment, strategy: tf.distribute.Strategy, seeds: Any) -> State:
    """`State` before the first update, sharded like `seeds`."""

    def build(seeds):
        d, g = experiment.init(seeds)
        return State(start_pretraining(experiment.pretrain_step, d), start_training(experiment.train_step, d, g))

    return strategy.run(build, args=(seeds,))


def train(
    experiment: Experiment,
    strategy: tf.distribute.Strategy,
    seeds: np.ndarray,
    num_steps: int,
    every: int,
    state: State | None = None,
    records_per_call: int = MOST_RECORDS,
) -> Iterator[tuple[State, dict[str, np.ndarray]]]:
    """Pre-trains D if the experiment says so, then trains both networks.

    Args:
      seeds: uint32 [runs], or `varied.Runs`.
      num_steps: adversarial iterations.
      every: iterations between records.
      state: `State` of NumPy arrays to resume from; None starts anew.
      records_per_call: upper bound on the records of one compiled call.

    Yields:
      (`State` sharded over the strategy, records) after every compiled call. `records` holds `step` [records], the 0-based
      iteration of each record, and the losses and measurements [runs, records]; in pre-training `pretrain_step` and
      `pretrain_loss`.
    """
    sharded = distribution.share_out(strategy, seeds)
    if state is None:
        pretrain_state, train_state = start(experiment, strategy, sharded)
    else:
        pretrain_state, train_state = distribution.share_out(strategy, state)
    steps = record_steps(experiment.pretrain_steps, every)
    runs = len(tf.nest.flatten(seeds)[0])
    calls = run(experiment.pretrain_loop, strategy, runs, sharded, pretrain_state, steps, records_per_call)
    for pretrain_state, part, records in calls:
        yield State(pretrain_state, train_state), {'pretrain_step': part - 1, 'pretrain_loss': records['loss']}
    if experiment.pretrain_steps and distribution.first(strategy, train_state.step) == 0:
        train_state = train_state._replace(d=pretrain_state.params)  # with a fresh optimizer state
    steps = record_steps(num_steps, every, experiment.early)
    calls = run(experiment.train_loop, strategy, runs, sharded, train_state, steps, records_per_call, experiment.call)
    for state, part, records in calls:
        yield State(pretrain_state, state), {'step': part - 1} | records


def join_records(parts: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Concatenates the records of successive calls: {name: [..., records]}."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: np.concatenate([part[name] for part in parts if name in part], axis=-1) for name in names}
