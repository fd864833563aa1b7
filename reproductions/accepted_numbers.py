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
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from common import training
from common.devices import distribution
from common.evaluation import two_sample
from common.storage import files
from reproductions.aylien import claims as aylien_claims
from reproductions.aylien import gan as aylien
from reproductions.devnag import claims as devnag_claims
from reproductions.devnag import gan as devnag
from reproductions.devnag import outcomes as devnag_outcomes
from reproductions.jang import claims as jang_claims
from reproductions.jang import gan as jang
from reproductions.mnist import dataset
from reproductions.mnist import gan as mnist
from reproductions.multimodal import gan as multimodal

DIRECTORY = importlib.resources.files('reproductions.reference.suite')
COURSE_SEEDS, COURSE_STEPS = 8, 20
TOLERANCE, FLOOR = 1e-3, 1e-3  # of a loss on the course: relative, with this floor on the denominator (as for the replays)
FAMILY_WISE = 1e-3 / 4  # false alarms of each of the four posts with outcomes, by Holm's procedure: 1e-3 over all
DIGITS = 5
RATES = ('finite', 'success')  # compared by Fisher's exact test; all other columns by Kolmogorov and Smirnov's


class Case(NamedTuple):
    """A setting of a post with a reference of its own."""

    post: str
    variant: str
    name: str  # of its files: <post>_<name>.csv
    settings: NamedTuple
    train: Callable  # (settings, first seed, runs) -> (columns of results.csv, history)
    columns: tuple[str, ...]  # that are compared, besides the rates
    seed: int = 1000
    runs: int = 0  # 0: only the course is held


def _aylien(settings, seed, runs):
    return aylien.train_many(settings, seed, runs)


def _jang(settings, seed, runs):
    return jang.train_many(settings, seed, runs, every=20)


def _multimodal(settings, seed, runs):
    return multimodal.train_many(settings, seed, runs)


def _devnag(settings, seed, runs):
    del settings  # the post's
    return devnag_claims.train(seed, runs)[:2]


def _devnag_start(settings, seed, runs):
    return devnag_outcomes.train_many(settings, seed, runs, num_steps=300)[:2]


def _cases():
    for variant in aylien.VARIANTS:
        for branch in ('plain', 'minibatch'):
            settings = aylien.make_settings(variant, branch == 'minibatch')
            yield Case('aylien', variant, f'{variant}_{branch}', settings, _aylien, aylien_claims.COMPARED, runs=1000)
    columns = ('mean', 'std', 'wasserstein', 'modes_covered', 'mode_mass_error', 'd_mean')
    for modes in (1, 2, 3):
        settings = multimodal.make_settings(modes)
        yield Case('multimodal', '2017-04', f'2017-04_modes{modes}', settings, _multimodal, columns, runs=200)
    columns = jang_claims.COMPARED
    yield Case('jang', '2016-06', '2016-06', jang.make_settings(), _jang, columns, 2000, 300)
    settings = jang.make_settings(sort=False, stratify=False)
    yield Case('jang', '2016-06', '2016-06_independent', settings, _jang, columns, 2000, 100)
    settings = jang.make_settings('2015-12', num_steps=1000)  # a tenth of its iterations, whose batches take five times as long
    yield Case('jang', '2015-12', '2015-12_start', settings, _jang, columns, 2000, 100)
    columns = devnag_claims.COMPARED
    yield Case('devnag', '2018-11', '2018-11_moments', devnag.make_settings(), _devnag, columns, 2000, 64)
    for view in devnag.VARIANTS['2018-11'].views[1:]:
        settings = devnag.make_settings(preprocess=view)
        yield Case('devnag', '2018-11', f'2018-11_{view}_start', settings, _devnag_start, columns, 2000, 32)
    yield Case('devnag', '2017-02', '2017-02_start', devnag.make_settings('2017-02'), _devnag_start, columns, 2000, 32)
    yield Case('mnist', 'post', 'post', mnist.make_settings(), None, ())  # its outcomes are one: all seeds collapse


CASES = tuple(_cases())


def of(post):
    """The cases of a post."""
    return [case for case in CASES if case.post == post]


# --- What is trained ----------------------------------------------------------------------------------------------------------


@functools.cache
def outcomes(case):
    """What the suite gives now: (columns of results.csv, history); trained once in a process."""
    return case.train(case.settings, case.seed, case.runs)


def course(case, settings=None):
    """Both losses of the first iterations, {'seed', 'step', 'loss_d', 'loss_g'}, a row a seed and step.

    `settings` may be others than the case's own. Nothing that was compiled before is used.
    """
    settings = settings or case.settings
    strategy, seeds = distribution.make_strategy('cpu', COURSE_SEEDS), np.arange(COURSE_SEEDS, dtype=np.uint32)
    calls = training.train(_experiment(case.post, settings), strategy, seeds, COURSE_STEPS, every=1)
    history = training.join_records([records for _, records in calls])
    rows = {'seed': np.repeat(seeds, COURSE_STEPS), 'step': np.tile(history['step'], COURSE_SEEDS)}
    return rows | {name: history[name].ravel() for name in ('loss_d', 'loss_g')}


def _experiment(post, settings):
    if post == 'mnist':
        images, _ = mnist.training_digits(dataset.bundled())
        return mnist.make_experiment(settings, mnist.make_game(settings, images))
    module = {'aylien': aylien, 'multimodal': multimodal, 'jang': jang, 'devnag': devnag}[post]
    return module.make_experiment.__wrapped__(settings)


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
