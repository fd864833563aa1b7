"""Trains the cells of a sweep and judges their runs."""

import functools
import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from common import remedies, training, varied
from common.devices import distribution
from common.evaluation import outcomes
from common.settings import EVALUATED, changed, fields, flat, numbers
from reproductions import contract
from reproductions.sweeps.plan import Cell, Plan, Program


def train(
    plan: Plan, program: Program, devices: tf.distribute.Strategy, data: Sequence[Any], tick: Callable
) -> dict[int, dict[str, np.ndarray]] | None:
    """Trains all runs of some cells: {number of the cell: columns of the post's results.csv}, or None if it was stopped.

    Args:
      plan: of the sweep.
      program: which cells.
      devices: the strategy over which the runs are sharded.
      data: the post's data set.
      tick: called with the number of runs times steps done since the last call; true stops the training.
    """
    gan = contract.part(plan.post.name, 'gan')
    cells, count = [plan.cells[i] for i in program.cells], plan.opts.runs
    first = cells[0]
    runs = varied.Runs(
        np.tile(np.arange(plan.opts.seed, plan.opts.seed + count, dtype=np.uint32), len(cells)),
        {
            name: np.repeat([float(flat(cell.settings)[name]) for cell in cells], count).astype(np.float64)
            for name in program.varied
        },
    )
    state, parts, done = None, [], 0
    common = changed(first.settings, dict.fromkeys(program.varied, 1.0))  # whose values are not used, but remedies are on
    experiment = compiled(gan, common, program.varied, *data)
    seeds = runs if program.varied else runs.seeds
    for state, records in training.train(experiment, devices, seeds, first.num_steps, first.every):
        steps = sum(distribution.first(devices, part.step) for part in state)
        if tick((steps - done) * len(runs.seeds)):
            return None
        parts, done = [*parts, records], steps
    train_state = remedies.with_ema_weights(distribution.to_host(devices, state).train_state)
    table = judged(gan, common, runs, train_state, training.join_records(parts), data)
    return {
        number: {name: values[i * count : (i + 1) * count] for name, values in table.items()}
        for i, number in enumerate(program.cells)
    }


@functools.lru_cache(maxsize=2)  # further cells of the same program need not be compiled again
def compiled(gan: types.ModuleType, settings: Any, names: tuple[str, ...], *data: Any) -> training.Experiment:
    """The experiment of a program; `names` are the settings that differ between its cells."""
    if not names:
        return gan.make_experiment(settings, *data)
    dtypes = {name: numbers(type(settings))[name] for name in names}
    return varied.make_experiment(lambda settings: inspect.unwrap(gan.make_experiment)(settings, *data), settings, dtypes)


def judged(
    gan: types.ModuleType,
    settings: Any,
    runs: varied.Runs,
    train_state: training.TrainState,
    history: dict[str, np.ndarray],
    data: Sequence[Any],
) -> dict[str, np.ndarray]:
    """Columns of results.csv. Runs that agree in the numbers that the evaluation reads are judged together."""
    declared = fields(type(settings))
    judged_by = [name for name in runs.numbers if EVALUATED in declared[name].marks]
    values = np.array([runs.numbers[name] for name in judged_by]).reshape(len(judged_by), len(runs.seeds))
    kinds, kind = np.unique(values, axis=1, return_inverse=True) if judged_by else (np.zeros((0, 1)), np.zeros(len(runs.seeds)))
    parts, order = [], []
    for k, of_kind in enumerate(kinds.T):
        rows = np.flatnonzero(kind.ravel() == k)
        own = changed(settings, dict(zip(judged_by, map(float, of_kind), strict=True)))
        states = tf.nest.map_structure(lambda value, rows=rows: value[rows] if np.ndim(value) else value, train_state)
        records = {name: value if value.ndim == 1 else value[rows] for name, value in history.items()}
        parts.append(outcomes.results_table(gan.judge(own, *data), runs.seeds[rows], states, records))
        order.append(rows)
    position = np.argsort(np.concatenate(order))
    return {name: np.concatenate([part[name] for part in parts])[position] for name in parts[0]}


def work(cell: Cell, runs: int) -> int:
    """Runs times steps of a cell, pre-training included."""
    return runs * (cell.num_steps + flat(cell.settings).get('pretrain_steps', 0))
