"""Judges trained networks: the rows of results.csv, and what a command prints of them."""

import functools
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from common import remedies, training
from common.compiled import compiled
from common.devices import distribution
from common.evaluation import claims, metrics
from common.say import say
from common.sizes import CHUNK, SEEDS


class Ensemble(NamedTuple):
    """The result of `train_many`."""

    table: dict[str, np.ndarray]  # {column of results.csv: [runs]}
    history: dict[str, np.ndarray]  # the joined records of `training.train`
    train_state: training.TrainState  # of NumPy arrays


class Judge(NamedTuple):
    """How trained runs are judged: what `results_table`, the summary, figures and sweeps ask.

    Rows of `measure` are runs; it is given NumPy arrays, as many runs as `at_once` allows.
    """

    measure: Callable  # (seeds [runs], d, g) -> (columns {name: [runs]} with `finite`, further columns {name: [runs]})
    threshold: float  # a run succeeds if it is finite and its distance is below this
    targets: dict[str, float]  # {column: value of a perfect generator}, in the order of the summary
    distance: str = 'wasserstein'  # the column
    at_once: int = CHUNK
    every: int = 50  # iterations between the records of `train_many`
    losses: tuple[str, ...] = ('loss_d', 'loss_g', 'pretrain_mse')  # columns, of `LOSSES`
    course: Callable = lambda history, runs: {}  # joined records -> further columns {name: [runs]}
    verdicts: Callable | None = None  # columns -> {'finite', 'success', ...: [runs] of 0 and 1}; None: as above
    watch: Callable | None = None  # (what is due, iteration, seeds, `TrainState`) -> further records, see `session.train`
    watched: tuple[str, ...] = ()  # the columns among them, recorded with `eval_step`
    frames: Callable | None = None  # joined records -> frames of an animation, if they are recorded
    summarize: Callable = lambda judge, table: summary(table, judge.targets)  # prints the outcomes
    afterword: Callable = lambda table: ''  # columns of results.csv -> one more line
    config: Mapping[str, Any] = types.MappingProxyType({})  # for config.json
    doubt: str = ''  # a line about a judge that cannot be relied on
    evaluation: Any = None  # what the post's own figures need: `Evaluation` in one dimension


class Evaluation(NamedTuple):
    """The networks of a 1-D post on a grid."""

    surfaces: Callable  # compiled (d, g) -> (D, G) on the grid, each [runs, points]
    grid: np.ndarray  # [points] to plot; the surfaces leave out an incomplete last batch of them
    truth: Any  # the data's distribution, a frozen `scipy.stats` distribution


def on_grid(
    settings: Any, discriminator: Callable, generator: Callable, half_range: float, points: int, batch_size: int, truth: Any
) -> Evaluation:
    """An `Evaluation` on a grid of x for D, scaled to the noise range for G; in batches, since D may depend on a whole batch.

    Args:
      settings: the post's, with a `noise_range`.
      discriminator: (settings, d, x) -> [runs, 1, batch].
      generator: (settings, g, z) -> [runs, 1, batch].
      half_range: the grid reaches from minus to plus this.
      points: how many.
      batch_size: at most `points`; an incomplete last batch is left out.
      truth: see `Evaluation`.
    """
    grid, scale = np.linspace(-half_range, half_range, points), settings.noise_range / half_range
    batches = grid.astype(np.float32)[: len(grid) // batch_size * batch_size].reshape(-1, batch_size)

    @compiled
    def surfaces(d, g):
        def batch(points):
            points = points[None, None, :]
            return discriminator(settings, d, points)[:, 0], generator(settings, g, points * scale)[:, 0]

        runs = tf.nest.flatten(g)[0].shape[0]
        row = tf.TensorSpec([runs, batch_size], tf.float32)
        values = tf.map_fn(batch, tf.constant(batches), fn_output_signature=(row, row))
        return tuple(tf.reshape(tf.transpose(value, [1, 0, 2]), [runs, -1]) for value in values)

    return Evaluation(surfaces, grid, truth)


def by_samples(
    evaluate: Callable,
    truth: Any,
    threshold: float,
    targets: dict[str, float],
    columns: Callable = lambda generated: {},
    **rest: Any,
) -> Judge:
    """The judge of samples in one dimension.

    Args:
      evaluate: (seeds, d, g) -> (outputs of D [runs, ...], samples of G [runs, n]), tensors or NumPy.
      truth: the data's distribution, a frozen `scipy.stats` distribution.
      threshold, targets, rest: see `Judge`.
      columns: samples of G -> the post's own {column: [runs]}.
    """

    def measure(seeds, d, g):
        decision, generated = (np.asarray(values) for values in evaluate(seeds, d, g))
        measured = {'finite': np.isfinite(decision).all(axis=1) & np.isfinite(generated).all(axis=1)}
        measured |= metrics.describe(generated, truth)
        measured |= {'d_mean': decision.mean(axis=1), 'd_min': decision.min(axis=1), 'd_max': decision.max(axis=1)}
        return measured, columns(generated)

    return Judge(measure, threshold, targets, **rest)


def middles(count: int, half_range: float | tf.Tensor) -> tf.Tensor:
    """Midpoints of `count` equal intervals of +-half_range, float32 [1, 1, count]: G's std on them is that on a fine grid.

    For a float64 tensor [runs, 1, 1], one half-range per run, they are [runs, 1, count].
    """
    return tf.cast(half_range * ((2 * np.arange(count)[None, None, :] + 1) / count - 1), tf.float32)


def surfaces_of(
    evaluation: Evaluation, train_state: training.TrainState, rows: np.ndarray | list[int]
) -> tuple[np.ndarray, np.ndarray]:
    """D and G of some runs on the grid, [len(rows), points] each; `train_state` is of NumPy arrays."""
    return tuple(surface.numpy() for surface in evaluation.surfaces(*rows_of((train_state.d, train_state.g), rows)))


def of_grid(evaluation: Evaluation, threshold: float, targets: dict[str, float], **rest: Any) -> Judge:
    """The judge of samples in one dimension, G on a grid of noise; arguments as for `by_samples`."""

    def evaluate(seeds, d, g):
        return evaluation.surfaces(d, g)

    return by_samples(evaluate, evaluation.truth, threshold, targets, evaluation=evaluation, **rest)


LOSSES = {  # {column: names of its records and of their steps}
    'loss_d': ('loss_d', 'step'),
    'loss_g': ('loss_g', 'step'),
    'pretrain_mse': ('pretrain_loss', 'pretrain_step'),
}


def results_table(
    judge: Judge, seeds: np.ndarray, train_state: training.TrainState, history: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The columns of results.csv, {name: [runs]}.

    An evaluation recorded after the last iteration is used again. Losses are means over the last 100 iterations, NaN if there
    were none.

    Args:
      judge: of the post.
      seeds: [runs].
      train_state: of NumPy arrays.
      history: {name: array}, the joined records of `training.train`.
    """
    if judge.watched and 'eval_step' in history and history['eval_step'][-1] == train_state.step - 1:
        measured, own = {name: history[name][:, -1] for name in judge.watched}, {}
    else:
        parts = []
        for rows in np.array_split(np.arange(len(seeds)), -(-len(seeds) // judge.at_once)):
            parts.append(judge.measure(seeds[rows], *rows_of((train_state.d, train_state.g), rows)))
        measured, own = (
            {name: np.concatenate([part[name] for part in some]) for name in some[0]} for some in zip(*parts, strict=True)
        )
    verdicts = (judge.verdicts or functools.partial(_verdicts, judge))(measured)
    losses = {}
    for column in judge.losses:
        loss, step = LOSSES[column]
        nothing = np.full(len(seeds), np.nan)
        losses[column] = training.settled_mean(history[step], history[loss]) if loss in history else nothing
    measured.pop('finite', None)
    return {'seed': seeds} | verdicts | measured | losses | own | judge.course(history, len(seeds))


def rows_of(networks: Any, rows: np.ndarray | list[int]) -> Any:
    """Some runs of networks, a nested structure of NumPy arrays, as tensors."""
    return tf.nest.map_structure(lambda value: tf.constant(value[rows]), networks)


def _verdicts(judge, columns):
    success = columns['finite'] & (columns[judge.distance] < judge.threshold)
    return {'finite': columns['finite'].astype(int), 'success': success.astype(int)}


def summary(table: dict[str, np.ndarray], targets: dict[str, float]) -> None:
    """Prints outcomes beside their targets: the numbers of a single run, or medians and quartiles over seeds.

    Args:
      table: {column: [runs]} of results.csv.
      targets: {column: target}.
    """
    runs, finite, success = len(table['seed']), table['finite'] == 1, table['success'] == 1
    if runs == 1:
        outcome = 'success' if success[0] else 'not converged' if finite[0] else 'not finite (NaN or inf)'
        say(f'\nseed {table["seed"][0]}: {outcome}\n{"":14}{"ours":>10}{"target":>10}')
        for column, target in targets.items():
            say(f'{column:14}{table[column][0]:10.4g}{target:10.4g}')
        return
    for label, flag in (('finite', finite), ('success', success)):
        estimate = claims.proportion(flag)
        say(f'{label}: {flag.sum():,} of {runs:,} = {estimate.value:.1%} [{estimate.low:.1%}, {estimate.high:.1%}]')
    if not finite.any():
        say('every run diverged: there is nothing finite to summarize or plot')
    else:
        say(f'\nover finite runs{"median":>12}{"quartiles":>24}{"target":>10}')
        for column, target in targets.items():
            low, middle, high = np.quantile(table[column][finite], [0.25, 0.5, 0.75])
            say(f'{column:16}{middle:12.4g}{f"{low:.4g} .. {high:.4g}":>24}{target:10.4g}')


def check_numbers(seed: int, runs: int, num_steps: int, every: int) -> None:
    """Raises ValueError, in one line, unless these are arguments for `train_many`."""
    for name, value in (('seed', seed), ('runs', runs), ('num_steps', num_steps), ('every', every)):
        least = 0 if name == 'seed' else 1
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise ValueError(f'{name}={value!r} must be a whole number, {least} or more')
    if seed + runs > SEEDS:
        raise ValueError(f'seed={seed}, runs={runs}: seeds end at 2^32 - 1; use a smaller seed')


def train_many(
    gan: types.ModuleType,
    settings: Any,
    seed: int,
    runs: int,
    num_steps: int | None = None,
    every: int | None = None,
    data: Sequence[Any] = (),
) -> Ensemble:
    """Trains seeds seed .. seed+runs-1 on the CPU.

    Afterwards do not fork: TensorFlow's threads are not in the child, which then waits for them forever. Start new processes
    (the method 'spawn' of `multiprocessing`) instead.

    Args:
      gan: the module of a post, with `make_experiment` and `judge`.
      settings: the post's.
      seed: the first seed.
      runs: how many.
      num_steps: adversarial iterations; None: the variant's.
      every: iterations between records; None: as many as suit the post.
      data: the data set, further arguments of these two functions.

    Raises:
      ValueError: a number is not whole or out of range; nothing has been computed then.
    """
    num_steps = settings.default_steps if num_steps is None else num_steps
    check_numbers(seed, runs, num_steps, 1 if every is None else every)
    seeds = np.arange(seed, seed + runs, dtype=np.uint32)
    judge, strategy, parts = gan.judge(settings, *data), distribution.make_strategy('cpu', runs), []
    experiment, every = gan.make_experiment(settings, *data), judge.every if every is None else every
    for state, records in training.train(experiment, strategy, seeds, num_steps, every):
        parts.append(records)
        last = state
    train_state, history = (
        remedies.with_ema_weights(distribution.to_host(strategy, last).train_state),
        training.join_records(parts),
    )
    return Ensemble(results_table(judge, seeds, train_state, history), history, train_state)
