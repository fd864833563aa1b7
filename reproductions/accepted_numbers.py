"""The suite's own accepted outcomes, which a change that moves the numbers has to answer to.

Each case is a setting of a post, held in two ways. Its *course* is both losses of the first 20 iterations of 8 seeds, of which
the median seed must agree within 1e-3: any change of an update rule, a loss, a stream or an initialiser moves all seeds, while
rounding moves few so early. (Initial weights that are off by a millionth, 16 roundings of float32, move the median seed by 2e-5
at most, MNIST's by 6e-4; the worst of 16 seeds by up to 0.4, where a pre-training amplifies it first.) Its *outcomes* over many
seeds are held as a distribution, since training is chaotic and another processor takes other ways to the same spread; they show
what acts late.

Files are in reproductions/reference/suite; scripts/record_reference.py writes them.
"""

import functools
import importlib.resources
import inspect

import numpy as np

from common import training
from common.devices import distribution
from common.evaluation import two_sample
from common.storage import files
from reproductions import posts
from reproductions.posts import Case

DIRECTORY = importlib.resources.files('reproductions.reference.suite')
COURSE_SEEDS, COURSE_STEPS = 8, 20
TOLERANCE, FLOOR = 1e-3, 1e-3  # of a loss on the course: relative, with this floor on the denominator (as for the replays)
FAMILY_WISE = 1e-3 / 4  # false alarms of each of the four posts with outcomes, by Holm's procedure: 1e-3 over all
DIGITS = 5
RATES = ('finite', 'success')  # compared by Fisher's exact test; all other columns by Kolmogorov and Smirnov's


CASES: tuple[Case, ...] = tuple(case for name in posts.NAMES for case in posts.part(name, 'comparison').CASES)


def of(post):
    """The cases of a post."""
    return [case for case in CASES if case.post == post]


# --- What is trained ----------------------------------------------------------------------------------------------------------


@functools.cache
def outcomes(case):
    """What the suite gives now: columns of results.csv; trained once in a process."""
    return case.train(case.settings, case.seed, case.runs)


def course(case, settings=None):
    """Both losses of the first iterations, {'seed', 'step', 'loss_d', 'loss_g'}, a row a seed and step.

    `settings` may be others than the case's own. Nothing that was compiled before is used.
    """
    settings = settings or case.settings
    strategy, seeds = distribution.make_strategy('cpu', COURSE_SEEDS), np.arange(COURSE_SEEDS, dtype=np.uint32)
    make_experiment = inspect.unwrap(posts.part(case.post, 'gan').make_experiment)
    calls = training.train(make_experiment(settings), strategy, seeds, COURSE_STEPS, every=1)
    history = training.join_records([records for _, records in calls])
    rows = {'seed': np.repeat(seeds, COURSE_STEPS), 'step': np.tile(history['step'], COURSE_SEEDS)}
    return rows | {name: history[name].ravel() for name in ('loss_d', 'loss_g')}


# --- What is held against it --------------------------------------------------------------------------------------------------


def recorded_outcomes(case):
    """The accepted outcomes, {column: [runs]}. Raises files.BadTable."""
    return _recorded(f'{case.post}_{case.name}', ('seed', *RATES, *case.columns), case.runs)


def recorded_course(case):
    """The accepted course, as `course` gives it. Raises files.BadTable."""
    return _recorded(f'{case.post}_{case.name}_course', ('seed', 'step', 'loss_d', 'loss_g'), COURSE_SEEDS * COURSE_STEPS)


def _recorded(name, columns, rows):
    with importlib.resources.as_file(DIRECTORY / f'{name}.csv') as path:
        return files.read_csv(path, columns, rows)


def kept(case, table):
    """The columns of a table that are recorded."""
    return {name: table[name] for name in ('seed', *RATES, *case.columns)}


def compare(case, table):
    """P-values of the case's outcomes against the accepted ones, {(case, column): p}.

    Both to `DIGITS` digits: a column may be the same number for most runs (the mass of a mode within three deviations), which
    rounding alone would order, and which a file holds to 7 digits.
    """
    ours, theirs = (
        {name: [float(f'{value:.{DIGITS}g}') for value in some[name]] for name in kept(case, some)}
        for some in (table, recorded_outcomes(case))
    )
    found = two_sample.compare(ours, theirs, case.columns, RATES)
    return {(case.name, column): p for column, p in found.items()}


def departure(case, table):
    """The largest relative departure from the accepted course that the median seed has; infinite where only one is finite."""
    recorded, shape = recorded_course(case), (2, -1, COURSE_STEPS)
    ours, theirs = (np.reshape([part[name] for name in ('loss_d', 'loss_g')], shape) for part in (table, recorded))
    same = np.isfinite(ours) == np.isfinite(theirs)
    with np.errstate(invalid='ignore'):
        errors = np.abs(ours - theirs) / np.maximum(np.abs(theirs), FLOOR)
    errors = np.where(np.isfinite(theirs), errors, 0.0)
    return float(np.median(np.where(same, errors, np.inf).max(axis=(0, 2))))


def in_proportion(post, settings, num_steps, success):
    """A line that puts a single run in proportion: how many of the accepted seeds of its settings end like it, and the seed
    that the committed figure shows; '' for settings of which none were accepted. `success`: whether the run succeeded."""
    for case in of(post):
        if case.runs and (case.settings, case.num_steps) == (settings, num_steps):
            share = np.mean(recorded_outcomes(case)['success'] == success)
            shown = '' if case.shown is None else f'; the committed figure shows --seed={case.shown}'
            return f'like {share:.1%} of the {case.runs:,} accepted seeds of these settings{shown}'
    return ''
