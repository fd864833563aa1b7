"""Data parallelism for one run: each device computes losses and gradients on its part of the batch, and these are summed.

It is for networks too large to train by the hundred, whose losses are means over the batch. Every replica holds the whole state
and makes the same updates. The parts of an iteration are compiled but the loop is not: XLA programs cannot contain the
reductions of `tf.distribute`.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from common import training
from common.compiled import compiled
from common.devices import cluster, distribution


def make_iteration(train_step: training.TrainStep, strategy: tf.distribute.Strategy) -> Callable:
    """`training.take_step` with the batch sharded over the replicas of a strategy.

    Returns:
      (seeds, state) -> (state, losses): `training.TrainState` and {'loss_d', 'loss_g'} [1], the same on every replica.
    """

    def reduced(loss_of, samples):
        """params -> (loss, gradients); `loss_of(params, *samples)` is a mean over the batch, the last axis of the samples."""
        context = tf.distribute.get_replica_context()
        replica, replicas = int(tf.get_static_value(context.replica_id_in_sync_group)), context.num_replicas_in_sync
        size = tf.nest.flatten(samples)[0].shape[-1]
        indices = np.array_split(np.arange(size), replicas)[replica]  # of this replica's part of the batch

        @compiled
        def weighted_gradients(params, *samples):
            part = tf.nest.map_structure(lambda values: values[..., indices[0] : indices[-1] + 1], samples)
            with tf.GradientTape() as tape:
                tape.watch(params)
                loss = loss_of(params, *part) * (len(indices) / size)
            return loss, tape.gradient(loss, params)

        return lambda params: context.all_reduce(tf.distribute.ReduceOp.SUM, weighted_gradients(params, *samples))

    @compiled
    def draw(seeds, step, of_d):
        if train_step.draw_g and not of_d:
            return (train_step.draw_g(seeds, step),)
        x, z = train_step.draw_d(seeds, step)
        return (x, z) if of_d else (z,)

    def updates(optimizer, times, step, params, opt_state, loss_of, of_d, seeds):
        update = compiled(optimizer.update)
        for k in range(times):
            count = step * times + k
            loss, gradients = reduced(loss_of, draw(seeds, count, of_d))(params)
            params, opt_state = update(params, gradients, opt_state, count)
        return params, opt_state, loss

    def iterate(seeds, state):
        step = state.step
        d, opt_state_d, loss_d = updates(
            train_step.optimizer_d, train_step.d_steps, step, state.d, state.opt_state_d,
            lambda d, x, z: train_step.loss_d(d, x, train_step.generate(state.g, z)), True, seeds,
        )  # fmt: skip
        g, opt_state_g, loss_g = updates(
            train_step.optimizer_g, train_step.g_steps, step, state.g, state.opt_state_g,
            lambda g, z: train_step.loss_g(d, train_step.generate(g, z)), False, seeds,
        )  # fmt: skip
        return training.TrainState(step + 1, d, g, opt_state_d, opt_state_g), {'loss_d': loss_d, 'loss_g': loss_g}

    return tf.function(lambda seeds, state: strategy.run(iterate, args=(seeds, state)), autograph=False)


def train(
    experiment: training.Experiment,
    strategy: tf.distribute.Strategy,
    seeds: np.ndarray,
    num_steps: int,
    every: int,
    state: training.State | None = None,
    records_per_call: int = training.MOST_RECORDS,
) -> Iterator[tuple[training.State, dict[str, np.ndarray]]]:
    """Trains one run. Arguments and yields are as for `training.train`, except that states are of NumPy arrays.

    Raises:
      ValueError: there are several runs, or there is pre-training.
      cluster.LostWorker: another worker has ended.
    """
    if len(seeds) != 1 or experiment.pretrain_steps:
        raise ValueError('only the batch of a single run without pre-training can be sharded')
    if state is None:
        state = initial_state(experiment, strategy, seeds)
    pretrain_state, train_state = state
    done, steps = int(train_state.step), training.record_steps(num_steps, every, experiment.early)
    iteration, repeated_seeds = make_iteration(experiment.train_step, strategy), distribution.repeat(strategy, seeds)
    train_state = distribution.repeat(strategy, train_state)
    records_per_call = int(np.clip(experiment.call // max(np.diff(steps, prepend=0)), 1, records_per_call))
    pending = steps[steps > done]
    for begin in range(0, len(pending), records_per_call):
        part, columns = pending[begin : begin + records_per_call], []
        for until in part:
            losses = []
            with cluster.lost_worker_errors(strategy):
                for _ in range(done, until):
                    train_state, found = iteration(repeated_seeds, train_state)
                    losses.append(found)
                values = [[_first(strategy, found[name]) for found in losses] for name in ('loss_d', 'loss_g')]
            done = until
            columns.append(np.mean(values, axis=1, dtype=np.float64).astype(np.float32)[:, 0])
        loss_d, loss_g = np.transpose(columns)[:, None]
        host = tf.nest.map_structure(functools.partial(_first, strategy), train_state)
        yield training.State(pretrain_state, host), {'step': part - 1, 'loss_d': loss_d, 'loss_g': loss_g}


def initial_state(experiment: training.Experiment, strategy: tf.distribute.Strategy, seeds: np.ndarray) -> training.State:
    """`training.State` of NumPy arrays before the first update, computed on one device."""
    return training.initial_state(experiment, tf.distribute.OneDeviceStrategy(strategy.extended.worker_devices[0]), seeds)


def to_host(strategy: tf.distribute.Strategy, state: Any) -> Any:
    """The state itself: those that `train` yields are of NumPy arrays already."""
    del strategy
    return state


def _first(strategy, value):
    return strategy.experimental_local_results(value)[0].numpy()
