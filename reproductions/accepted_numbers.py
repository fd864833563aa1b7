"""The suite's own accepted results: regression tests against numbers recorded earlier.

Each case is one setting of a post, tested in two ways.

The *trajectory* is both losses over the first 20 iterations of 8 seeds. More than half of the seeds must agree within 1e-3, or
more than a quarter where a large learning rate magnifies rounding (`Case.agreeing`): a change to an update rule, a loss, a
random stream or an initializer moves every seed, while rounding moves only some this early. (Perturbing the initial weights by
one millionth, 16 float32 roundings, moves the fifth of 8 seeds by at most 7e-4, MNIST's, in 8 draws of each case, and the worst
by up to 0.6. With the learning rate of 0.1 that the multi-modal post's default has, it moves the fifth by up to 0.09 and the
third by 4e-4.)

The *outcomes* over many seeds are compared as distributions, because training is chaotic: another processor follows different
trajectories to the same distribution. They reveal changes that only act late in training.

The files are in reproductions/reference/suite; scripts/record_reference.py writes them.
"""

import functools
import importlib.resources
import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from common import training
from common.devices import distribution
from common.evaluation import two_sample
from common.settings import identity
from common.storage import files
from reproductions import contract
from reproductions.contract import Case

DIRECTORY = importlib.resources.files('reproductions.reference.suite')
TRAJECTORY_SEEDS, TRAJECTORY_STEPS = 8, 20
TOLERANCE, FLOOR = 1e-3, 1e-3  # relative error of a loss, with this floor on the denominator (as for replays)
FAMILY_WISE = 1e-3 / 4  # false-alarm rate (Holm) for each of the four posts with outcomes: 1e-3 in total
DIGITS = 5
RATES = ('finite', 'success')  # compared by Fisher's exact test; all other columns by Kolmogorov-Smirnov


def of(post: str) -> tuple[Case, ...]:
    """The cases of a post."""
    return contract.part(post, 'comparison').CASES


def cases() -> list[Case]:
    """The cases of all posts."""
    return [case for name in contract.NAMES for case in of(name)]


# --- Training -----------------------------------------------------------------------------------------------------------------


@functools.cache
def train(case: Case) -> contract.Outcomes:
    """The suite's current columns of results.csv and history of the seeds tested; trained once per process."""
    return case.train(case.settings, case.seed, case.tested or case.runs)


def trajectory(case: Case, settings: Any = None) -> dict[str, np.ndarray]:
    """Both losses of the first iterations, {'seed', 'step', 'loss_d', 'loss_g'}, one row per seed and step.

    `settings` replace the case's own, if given. Nothing compiled earlier is reused.
    """
    settings = settings or case.settings
    strategy, seeds = distribution.make_strategy('cpu', TRAJECTORY_SEEDS), np.arange(TRAJECTORY_SEEDS, dtype=np.uint32)
    make_experiment = inspect.unwrap(contract.part(case.post, 'gan').make_experiment)
    calls = training.train(make_experiment(settings), strategy, seeds, TRAJECTORY_STEPS, every=1)
    history = training.join_records([records for _, records in calls])
    rows = {'seed': np.repeat(seeds, TRAJECTORY_STEPS), 'step': np.tile(history['step'], TRAJECTORY_SEEDS)}
    return rows | {name: history[name].ravel() for name in ('loss_d', 'loss_g')}


# --- Comparison ---------------------------------------------------------------------------------------------------------------


def recorded_outcomes(case: Case) -> dict[str, np.ndarray]:
    """The accepted outcomes, {column: [runs]}. Raises files.BadTable."""
    return _recorded(f'{case.post}_{case.name}', ('seed', *RATES, *case.columns), case.runs)


def recorded_trajectory(case: Case) -> dict[str, np.ndarray]:
    """The accepted trajectory, as `trajectory` gives it. Raises files.BadTable."""
    return _recorded(
        f'{case.post}_{case.name}_course', ('seed', 'step', 'loss_d', 'loss_g'), TRAJECTORY_SEEDS * TRAJECTORY_STEPS
    )


def _recorded(name, columns, rows):
    with importlib.resources.as_file(DIRECTORY / f'{name}.csv') as path:
        return files.read_csv(path, columns, rows)


def kept(case: Case, table: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The recorded columns of a table."""
    return {name: table[name] for name in ('seed', *RATES, *case.columns)}


def compare(case: Case, table: dict[str, np.ndarray]) -> dict[tuple[str, str], float]:
    """P-values of a case's outcomes against the accepted ones, {(case, column): p}.

    Both are rounded to `DIGITS` digits. A column may hold the same number for most runs (the mass of a mode within three stds),
    and without this, rounding alone would rank them; the files keep 7 digits.
    """
    ours, theirs = (
        {name: [float(f'{value:.{DIGITS}g}') for value in some[name]] for name in kept(case, some)}
        for some in (table, recorded_outcomes(case))
    )
    found = two_sample.compare(ours, theirs, case.columns, RATES)
    return {(case.name, column): p for column, p in found.items()}


def departure(case: Case, table: dict[str, np.ndarray]) -> float:
    """The largest relative error against the accepted trajectory of as many seeds as must agree, those with the smallest.

    With `case.agreeing` 0.5 these are five of eight. A seed's is inf where only one of the two is finite.
    """
    recorded, shape = recorded_trajectory(case), (2, -1, TRAJECTORY_STEPS)
    ours, theirs = (np.reshape([part[name] for name in ('loss_d', 'loss_g')], shape) for part in (table, recorded))
    same = np.isfinite(ours) == np.isfinite(theirs)
    with np.errstate(invalid='ignore'):
        errors = np.abs(ours - theirs) / np.maximum(np.abs(theirs), FLOOR)
    errors = np.where(np.isfinite(theirs), errors, 0.0)
    worst = np.sort(np.where(same, errors, np.inf).max(axis=(0, 2)))
    return float(worst[int(case.agreeing * len(worst))])


def in_proportion(post: str, settings: Any, num_steps: int, table: dict[str, np.ndarray], data: Sequence = ()) -> str:
    """A line that puts a single-seed run in proportion: how many accepted seeds of the same settings ended the same way.

    It also names the seed shown in the committed figure. '' if there are no accepted seeds of these settings.
    A post with a data set says it itself. `table`: {column: [runs]} of results.csv.
    """
    if data:
        return contract.part(post, 'comparison').in_proportion(settings, *data)
    success = table['success'][0]
    for case in of(post):
        if case.runs and (identity(case.settings), case.num_steps) == (identity(settings), num_steps):
            share = np.mean(recorded_outcomes(case)['success'] == success)
            shown = '' if case.shown is None else f'; the committed figure shows --seed={case.shown}'
            ended = 'succeeded' if success else 'failed'
            return f'{share:.1%} of the {case.runs:,} accepted seeds of these settings {ended} too{shown}'
    return ''
