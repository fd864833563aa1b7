"""Evaluates trained networks: the rows of results.csv."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from common import remedies, training
from common.devices import distribution
from common.evaluation import metrics
from common.sizes import CHUNK, SEEDS


class Ensemble(NamedTuple):
    """The result of `train_many`."""

    table: dict[str, np.ndarray]  # {column of results.csv: [runs]}
    history: dict[str, np.ndarray]  # the joined records of `training.train`
    train_state: training.TrainState  # of NumPy arrays


class Evaluation(NamedTuple):
    """How the trained networks of a 1-D post are evaluated."""

    surfaces: Callable  # compiled (d, g) -> (D, G) on the grid, each [runs, points]
    grid: np.ndarray  # [points] to plot; the surfaces leave out an incomplete last batch of them
    truth: Any  # the data's distribution, a frozen `scipy.stats` distribution
    success_bound: float  # a run succeeds if it is finite and its Wasserstein distance to the truth is below this
    columns: Callable  # G on the grid, NumPy [runs, points] -> the post's own {column: [runs]}


def make_evaluation(
    discriminator: Callable,
    generator: Callable,
    grid: np.ndarray,
    batch_size: int,
    truth: Any,
    success_bound: float,
    columns: Callable = lambda generated: {},
) -> Evaluation:
    """An `Evaluation` on a grid that is split into consecutive batches, since D may depend on a whole batch.

    Args:
      discriminator: (d, x) -> [runs, 1, batch].
      generator: (g, z) -> [runs, 1, batch].
      grid: [points]; x for D and z for G.
      batch_size: at most the number of points.
      truth: see `Evaluation`.
      success_bound: see `Evaluation`.
      columns: see `Evaluation`.
    """
    batches = grid.astype(np.float32)[: len(grid) // batch_size * batch_size].reshape(-1, batch_size)

    @tf.function(jit_compile=True, autograph=False)
    def surfaces(d, g):
        def batch(points):
            return discriminator(d, points[None, None, :])[:, 0], generator(g, points[None, None, :])[:, 0]

        runs = tf.nest.flatten(g)[0].shape[0]
        row = tf.TensorSpec([runs, batch_size], tf.float32)
        values = tf.map_fn(batch, tf.constant(batches), fn_output_signature=(row, row))
        return tuple(tf.reshape(tf.transpose(value, [1, 0, 2]), [runs, -1]) for value in values)

    return Evaluation(surfaces, grid, truth, success_bound, columns)


def middles(count: int, half_range: float | tf.Tensor) -> tf.Tensor:
    """Midpoints of `count` equal intervals of +-half_range, float32 [1, 1, count]: G's std on them is that on a fine grid.

    For a float64 tensor [runs, 1, 1], one half-range per run, they are [runs, 1, count].
    """
    return tf.cast(half_range * ((2 * np.arange(count)[None, None, :] + 1) / count - 1), tf.float32)


def surfaces_of(
    evaluation: Evaluation, train_state: training.TrainState, rows: np.ndarray | list[int]
) -> tuple[np.ndarray, np.ndarray]:
    """D and G of some runs on the grid, [len(rows), points] each; `train_state` is of NumPy arrays."""
    d, g = tf.nest.map_structure(lambda value: tf.constant(value[rows]), (train_state.d, train_state.g))
    return tuple(surface.numpy() for surface in evaluation.surfaces(d, g))


def results_table(
    evaluation: Evaluation, seeds: np.ndarray, train_state: training.TrainState, history: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The columns of results.csv, one value per run.

    Args:
      evaluation: of the post.
      seeds: [runs].
      train_state: of NumPy arrays.
      history: {name: array}, the joined records of `training.train`.

    Returns:
      {column: [runs]}. A run is finite if D and G are finite on the whole grid. Losses are means over the last 100 iterations,
      NaN if there were none.
    """
    table, own = judged(
        lambda rows: surfaces_of(evaluation, train_state, rows), CHUNK, seeds, evaluation.truth, evaluation.success_bound,
        evaluation.columns,
    )  # fmt: skip
    for column, step, loss in (
        ('loss_d', 'step', 'loss_d'),
        ('loss_g', 'step', 'loss_g'),
        ('pretrain_mse', 'pretrain_step', 'pretrain_loss'),
    ):
        nothing = np.full(len(seeds), np.nan)
        table[column] = training.settled_mean(history[step], history[loss]) if loss in history else nothing
    return table | own


def judged(
    evaluate: Callable,
    at_once: int,
    seeds: np.ndarray,
    truth: Any,
    success_bound: float,
    columns: Callable = lambda generated: {},
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Columns computed from final samples and D's outputs: ({column: [runs]}, the post's own {column: [runs]}).

    Args:
      evaluate: indices of some runs -> (outputs of D [len(rows), ...], samples of G [len(rows), n]), NumPy.
      at_once: number of runs that are evaluated together.
      seeds: [runs].
      truth: see `Evaluation`.
      success_bound: see `Evaluation`.
      columns: see `Evaluation`.
    """
    parts = []
    for rows in np.array_split(np.arange(len(seeds)), -(-len(seeds) // at_once)):
        decision, generated = evaluate(rows)
        found = {'finite': np.isfinite(decision).all(axis=1) & np.isfinite(generated).all(axis=1)}
        found |= metrics.describe(generated, truth)
        found |= {'d_mean': decision.mean(axis=1), 'd_min': decision.min(axis=1), 'd_max': decision.max(axis=1)}
        parts.append((found, columns(generated)))
    table, own = (
        {name: np.concatenate([part[name] for part in some]) for name in some[0]} for some in zip(*parts, strict=True)
    )
    finite = table.pop('finite')
    success = finite & (table['wasserstein'] < success_bound)
    return {'seed': seeds, 'finite': finite.astype(int), 'success': success.astype(int)} | table, own


def check_numbers(seed: int, runs: int, num_steps: int, every: int) -> None:
    """Raises ValueError, in one line, unless these are arguments for `train_many`."""
    for name, value in (('seed', seed), ('runs', runs), ('num_steps', num_steps), ('every', every)):
        least = 0 if name == 'seed' else 1
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise ValueError(f'{name}={value!r} must be a whole number, {least} or more')
    if seed + runs > SEEDS:
        raise ValueError(f'seed={seed}, runs={runs}: seeds end at 2^32 - 1; use a smaller seed')


def train_many(
    experiment: training.Experiment, table_of: Callable, seed: int, runs: int, num_steps: int, every: int
) -> Ensemble:
    """Trains seeds seed .. seed+runs-1 on the CPU.

    Afterwards do not fork: TensorFlow's threads are not in the child, which then waits for them forever. Start new processes
    (the method 'spawn' of `multiprocessing`) instead.

    Args:
      experiment: what to train.
      table_of: (seeds uint32 [runs], `training.TrainState` of NumPy arrays, history) -> {column of results.csv: [runs]}.
      seed: the first seed.
      runs: how many.
      num_steps: adversarial iterations.
      every: iterations between records.

    Raises:
      ValueError: a number is not whole or out of range; nothing has been computed then.
    """
    check_numbers(seed, runs, num_steps, every)
    seeds = np.arange(seed, seed + runs, dtype=np.uint32)
    strategy = distribution.make_strategy('cpu', runs)
    state, parts = None, []
    for state, records in training.train(experiment, strategy, seeds, num_steps, every):  # noqa: B007  the last one is used
        parts.append(records)
    train_state = remedies.judged(distribution.to_host(strategy, state).train_state)
    history = training.join_records(parts)
    return Ensemble(table_of(seeds, train_state, history), history, train_state)
