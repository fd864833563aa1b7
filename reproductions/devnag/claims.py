"""The claims of Dev Nag's post, measured over many seeds, and the ways in which runs fail."""

import importlib.resources
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.stats

from common.evaluation import Verdict, claims, metrics, outcomes
from common.storage import files
from reproductions.devnag import figures, gan
from reproductions.devnag.settings import DEFAULT, VARIANTS, make_settings

PARTS = 4  # the seeds of a variant are trained in this many parts, so that progress is shown
ENSEMBLES = PARTS * len(VARIANTS)
LATE = 0.2  # final fraction of the rounds, in which a moment must have settled
SETTLED = 0.95  # fraction of those rounds in which the batch's moment must be within a quarter of the data's std
FAR = 4  # stds of the data; the author's runs of 2017-02 end within 3.1 or beyond 7.5 of the data's mean
POST = (8, 10)  # runs that ended well, out of those the post shows
BOUNDS = (1 / 8, 1 / 4, 1 / 2, 1)  # for success, in stds of the data; the second is `gan.success_threshold`
COMPARED = (
    'mean',
    'std',
    'skewness',
    'kurtosis',
    *(f'q{100 * p:02.0f}' for p in metrics.QUANTILES),
)  # with the author's outcomes


def measure(seed: int, runs: int, tick: Callable[[], Any] = lambda: None) -> list[claims.Measurement]:
    """Measures all claims over seeds seed .. seed+runs-1: a list of `claims.Measurement`. Calls `tick` after each ensemble."""
    table, history, _ = train(seed, runs, tick)
    older, older_history, _ = train(seed, runs, tick, '2017-02', every=10)
    return [*measure_outcomes(table, history), more_stable((table, older), (history, older_history))]


def train(
    seed: int, runs: int, tick: Callable[[], Any] = lambda: None, variant: str = DEFAULT, every: int = 1
) -> tuple[claims.Table, claims.Table, np.ndarray]:
    """Trains a variant as published over many seeds, with a record every `every` rounds.

    Returns (columns of results.csv, history, last batch of each G [runs, batch]).
    """
    settings, tables, histories, samples = make_settings(variant), [], [], []
    for seeds in np.array_split(np.arange(seed, seed + runs, dtype=np.uint32), PARTS):
        table, history, train_state = outcomes.train_many(gan, settings, int(seeds[0]), len(seeds), every=every)
        tables.append(table)
        histories.append(history)
        samples.append(figures.last_batches(settings, seeds, train_state, np.arange(len(seeds))))
        tick()
    table, history = (
        {name: np.concatenate([part[name] for part in parts]) for name in parts[0] if name != 'step'}
        for parts in (tables, histories)
    )
    return table, history | {'step': histories[0]['step']}, np.concatenate(samples)


def measure_outcomes(table: claims.Table, history: claims.Table) -> list[claims.Measurement]:
    """The claims on the post's program, N1 to N5, from results.csv's columns and the history of the same runs, one record per
    round.
    """
    return [
        mean_returns(history),
        std_rises(history),
        near_gaussian(table),
        eight_of_ten(table),
        quick_discriminator(history),
    ]


def settled(values: np.ndarray, target: float) -> np.ndarray:
    """Whether a batch's moment [runs, rounds] has settled within sigma / 4 of its target, [runs]."""
    late = values[:, -max(1, int(LATE * values.shape[1])) :]
    return (np.abs(late - target) < make_settings().sigma / 4).mean(axis=1) >= SETTLED


def mean_returns(history: claims.Table) -> claims.Measurement:
    """N1: the mean overshoots 4, then returns to a fairly stable range around it."""
    settings = make_settings()
    overshoots = (history['mean'] > settings.mu + settings.sigma).any(axis=1)
    stays = settled(history['mean'], settings.mu)
    first, second, both = (claims.proportion(flags) for flags in (overshoots, stays, overshoots & stays))
    measured = {
        'overshoots 4 by more than 1.25': first,
        'mean settled (within 0.31 of 4 in 95 % of the last 1,000 rounds)': second,
        'both': both,
        'largest mean on the way (median)': claims.median(history['mean'].max(axis=1)),
    }
    verdict, reason = course(first, second, both)
    return claims.Measurement('N1', 'the mean overshoots 4, then settles at it', 'one run', measured, verdict, reason)


def std_rises(history: claims.Table) -> claims.Measurement:
    """N2: the std first moves in the wrong direction, then rises to 1.25."""
    settings = make_settings()
    std = history['std']
    rising = np.where((std >= settings.sigma / 2).any(axis=1), (std >= settings.sigma / 2).argmax(axis=1), std.shape[1])
    before = np.where(np.arange(std.shape[1]) < np.maximum(rising, 1)[:, None], std, np.inf)
    falls = before.min(axis=1) < 0.9 * std[:, 0]
    stays = settled(std, settings.sigma)
    first, second, both = (claims.proportion(flags) for flags in (falls, stays, falls & stays))
    measured = {
        'falls by a tenth or more before it reaches 0.625': first,
        'deviation settled (within 0.31 of 1.25 in 95 % of the last 1,000 rounds)': second,
        'both': both,
        'lowest deviation before the rise, of that at the start (median)': claims.median(before.min(axis=1) / std[:, 0]),
    }
    verdict, reason = course(first, second, both)
    return claims.Measurement('N2', 'the deviation falls first, then rises to 1.25', 'one run', measured, verdict, reason)


def course(first: claims.Estimate, second: claims.Estimate, both: claims.Estimate) -> tuple[Verdict, str]:
    """The verdict on a trajectory of two parts, from the shares of seeds that do the first, the second, and both."""
    return claims.first_true(
        (both.low > 0.5, Verdict.REPRODUCED, 'most seeds take this course'),
        (max(first.low, second.low) > 0.5, Verdict.PARTLY, 'most seeds do one of the two, but not both'),
        (True, Verdict.NOT_REPRODUCED, 'most seeds do neither'),
    )


def uniform_distance() -> float:
    """Wasserstein distance from the data to a uniform distribution with the same mean and std."""
    settings = make_settings()
    levels = (np.arange(100_000) + 0.5) / 100_000
    flat = settings.mu + settings.sigma * np.sqrt(12) * (levels - 0.5)
    return float(metrics.wasserstein(flat[None], gan.truth(settings))[0])


def near_gaussian(table: claims.Table) -> claims.Measurement:
    """N3: the final shape is nearly Gaussian, with a slightly fatter right tail."""
    good = {name: values[table['success'] == 1] for name, values in table.items()}
    flat = uniform_distance()
    if not len(good['seed']):
        return claims.Measurement(
            'N3', 'near Gaussian, right tail fatter', 'one run', {}, Verdict.CANNOT_BE_TESTED, 'no run ends well'
        )
    moments = claims.proportion((np.abs(good['skewness']) < 0.5) & (np.abs(good['kurtosis']) < 0.5))
    distance = claims.median(good['wasserstein'])
    tail = claims.proportion(good['q99'] - good['q50'] > good['q50'] - good['q01'])
    measured = {
        'of the runs that end well, skewness and excess kurtosis within 0.5 of 0': moments,
        f'their Wasserstein distance to the data (median; a uniform distribution of these moments: {flat:.2f})': distance,
        'right tail longer (q99 farther from the median than q01)': tail,
        'skewness (median)': claims.median(good['skewness']),
        'excess kurtosis (median)': claims.median(good['kurtosis']),
    }
    praise = 'nearer to the Gaussian than a uniform distribution, and mostly with a longer right tail'
    faults = ['the shape is no nearer to the Gaussian than a uniform distribution'] * (distance.high >= flat)
    faults += ['neither tail is the longer one'] * (tail.low <= 0.5 <= tail.high)
    faults += ['the left tail is longer'] * (tail.high < 0.5)
    verdict, reason = claims.first_true(
        (moments.low <= 0.5, Verdict.NOT_REPRODUCED, 'skewness and kurtosis are not those of a Gaussian'),
        (distance.high < flat and tail.low > 0.5, Verdict.REPRODUCED, praise),
        (True, Verdict.PARTLY, f'skewness and kurtosis are, but {" and ".join(faults)}'),
    )
    return claims.Measurement('N3', 'near Gaussian, right tail a bit fatter', 'one run', measured, verdict, reason)


FAILURES = ('not finite', 'narrow peak', 'bimodal', 'wrong mean', 'wrong width', 'wrong shape')


def classify(table: claims.Table) -> np.ndarray:
    """How each run ends, [runs]: 'good', or the first of `FAILURES` that applies.

    Narrow peak: a std below half the data's. Bimodal: an excess kurtosis below the uniform distribution's -1.2, so more mass at
    the edges than in the middle (the post's concave one). Wrong mean, wrong width: so far off that a Gaussian would fail for
    this alone (a quarter of the data's std; 31 %). Wrong shape: none of these, but too far from the data.
    """
    settings = make_settings()
    width = 0.25 / np.sqrt(2 / np.pi)  # W1 between N(0, a) and N(0, b) is |a - b| sqrt(2 / pi)
    fits = [
        table['success'] == 1,
        table['finite'] == 0,
        table['std'] < settings.sigma / 2,
        table['kurtosis'] < -1.2,
        np.abs(table['mean'] - settings.mu) >= settings.sigma / 4,
        np.abs(table['std'] / settings.sigma - 1) >= width,
        np.ones(len(table['seed']), bool),
    ]
    return np.array(['good', *FAILURES])[np.argmax(fits, axis=0)]


def eight_of_ten(table: claims.Table) -> claims.Measurement:
    """N4: eight of ten runs end well; one is concave with a mean of about 6, one a narrow peak at -11."""
    settings, kinds = make_settings(), classify(table)
    theirs = metrics.quantile_distance(original(), gan.truth(make_settings()))
    measured = {
        'runs that end well': claims.proportion(table['success']),
        'in the post': claims.proportion(np.arange(POST[1]) < POST[0]),
        "of the author's program, from its quantiles": claims.proportion(theirs < gan.success_threshold(settings)),
    }
    for bound in BOUNDS:
        close = (table['finite'] == 1) & (table['wasserstein'] < bound * settings.sigma)
        measured[f'with a threshold of {bound:g} deviations'] = claims.proportion(close)
    measured |= {f'ends as: {kind}': claims.proportion(kinds == kind) for kind in FAILURES}
    good = int(table['success'].sum())
    p = scipy.stats.fisher_exact([[good, len(kinds) - good], [POST[0], POST[1] - POST[0]]]).pvalue
    seen = [kind for kind in ('bimodal', 'narrow peak') if (kinds == kind).any()]
    agrees = f"the rate agrees with the post's (p = {p:.2g})"
    verdict, reason = claims.first_true(
        (p < 0.05, Verdict.NOT_REPRODUCED, f"the rate is not the post's (Fisher's exact test, p = {p:.2g})"),
        (len(seen) == 2, Verdict.REPRODUCED, f'{agrees}, and both of its failures occur'),
        (True, Verdict.PARTLY, f'{agrees}, but of its failures occur: {", ".join(seen) or "none"}'),
    )
    return claims.Measurement('N4', 'eight of ten runs end well', '8 of 10', measured, verdict, reason)


def quick_discriminator(history: claims.Table) -> claims.Measurement:
    """N5: D learns quickly, G slowly at first."""
    settings = make_settings()
    chance = 2 * np.log(2)  # D's loss if it cannot tell real from generated
    start = history['mean'][:, :1]
    way = (history['mean'] - start) / (settings.mu - start)
    quick, halfway = history['loss_d'] < chance / 2, way > 0.5
    ever = quick.any(axis=1) & halfway.any(axis=1)
    first_d, first_g = quick.argmax(axis=1)[ever], halfway.argmax(axis=1)[ever]
    first = claims.proportion(first_d < first_g)
    covered = claims.median(way[ever, first_d])
    measured = {
        'D halves its loss before G is half-way to 4': first,
        'round in which D has halved its loss (median)': claims.median(first_d),
        'round in which G is half-way (median)': claims.median(first_g),
        "G's way by when D has halved its loss (median)": covered,
        "D's loss when G is half-way (median; 1.386 if it cannot tell)": claims.median(history['loss_d'][ever, first_g]),
    }
    verdict, reason = claims.first_true(
        (first.low <= 0.5, Verdict.NOT_REPRODUCED, 'D is not clearly first'),
        (covered.high < 0.1, Verdict.REPRODUCED, 'when D has halved its loss, G has gone less than a tenth of its way'),
        (True, Verdict.PARTLY, 'D is first, but G has gone more than a tenth of its way by then'),
    )
    return claims.Measurement('N5', 'D learns quickly, G slowly at first', 'qualitative', measured, verdict, reason)


def diverges(table: claims.Table) -> np.ndarray:
    """Whether each run ends with a mean more than `FAR` of the data's stds from the data's, [runs]."""
    settings = make_settings()
    return np.abs(table['mean'] - settings.mu) > FAR * settings.sigma


def more_stable(tables: tuple[dict, dict], histories: tuple[dict, dict]) -> claims.Measurement:
    """N6: the architecture of 2018 is more stable than that of 2017. `tables` and `histories` are of 2018-11 and of 2017-02.

    Stable in the sense of outcomes: it ends well more often, and diverges less often.
    """
    settings, names = make_settings(), tuple(VARIANTS)
    away = [diverges(table) for table in tables]
    success = claims.difference_of_proportions(tables[0]['success'], tables[1]['success'])
    leaving = claims.difference_of_proportions(*away)
    measured = {f'success, {name}': claims.proportion(table['success']) for name, table in zip(names, tables, strict=True)}
    measured['success of 2018-11 less that of 2017-02'] = success
    measured |= {
        f'diverges (mean more than {FAR} stds of the data from 4), {name}': claims.proportion(far)
        for name, far in zip(names, away, strict=True)
    }
    measured['diverges, 2018-11 less 2017-02'] = leaving
    if away[1].any():
        ratio = tables[1]['std'][away[1]] / settings.sigma
        measured['of those of 2017-02, std between a third and three times that of the data'] = claims.proportion(
            (ratio > 1 / 3) & (ratio < 3)
        )
        far = np.abs(histories[1]['mean'][away[1]] - settings.mu) > FAR * settings.sigma
        measured['round at which those of 2017-02 are that far for the first time (median)'] = claims.median(
            histories[1]['step'][far.argmax(axis=1)]
        )
    for name, history in zip(names, histories, strict=True):
        stays = settled(history['mean'], settings.mu) & settled(history['std'], settings.sigma)
        measured[f'mean and std settled in the last fifth of the rounds, {name}'] = claims.proportion(stays)
    for name, theirs in zip(names, map(original, names), strict=True):
        distance = metrics.quantile_distance(theirs, gan.truth(settings))
        measured[f"the author's program, success from its quantiles, {name}"] = claims.proportion(
            distance < gan.success_threshold(settings)
        )
        measured[f"the author's program diverges, {name}"] = claims.proportion(diverges(theirs))
    better = ['ends well more often'] * (success.low > 0) + ['diverges less often'] * (leaving.high < 0)
    reason = f'the program of 2018 {" and ".join(better)}'
    verdict, reason = claims.first_true(
        (len(better) == 2, Verdict.REPRODUCED, reason),
        (len(better) == 1, Verdict.PARTLY, reason),
        (True, Verdict.NOT_REPRODUCED, 'the program of 2018 does neither better'),
    )
    return claims.Measurement(
        'N6', 'the architecture of 2018 is more stable than that of 2017', 'qualitative', measured, verdict, reason
    )


ORIGINALS = {'2018-11': ('devnag_2018-11_moments.csv', 33), '2017-02': ('devnag_2017-02.csv', 70)}  # file, runs


def original(variant: str = DEFAULT) -> claims.Table:
    """Outcomes of the author's program over seeds, {column: [runs]}."""
    name, runs = ORIGINALS[variant]
    return _read(name, ('seed', 'finite', *COMPARED), runs)


def original_trajectory() -> claims.Table:
    """Its trajectory: {'round': [records], 'mean' and 'std': [runs, records]} of the last generated batch of D's phase."""
    table = _read('devnag_2018-11_moments_trajectory.csv', ('round', 'mean', 'std'), 3300)
    rounds = np.unique(table['round']).astype(int)
    return {'round': rounds} | {name: table[name].reshape(-1, len(rounds)) for name in ('mean', 'std')}


def _read(name, columns, rows):
    with importlib.resources.as_file(importlib.resources.files('reproductions.reference.originals') / name) as path:
        return files.read_csv(path, columns, rows)
