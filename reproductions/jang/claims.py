"""The claims of Jang's post, measured over many seeds.

Ensembles that do not test sorting itself run without it (`sort=False`), since it changes nothing (J2).
"""

import importlib.resources
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.stats

from common.evaluation import Verdict, claims, outcomes
from common.storage import files
from reproductions.jang import gan
from reproductions.jang.settings import DEFAULT, HALF_RANGE, NUM_STEPS, make_settings

ARMS = {  # for J2: how a batch's real samples and noise are aligned
    'sorted, grid (the post)': {'sort': True, 'stratify': True},
    'unsorted, grid': {'sort': False, 'stratify': True},
    'sorted, independent': {'sort': True, 'stratify': False},
    'unsorted, independent': {'sort': False, 'stratify': False},
}
MORE = 5  # J2, the post's main explanation, gets this many times the seeds
SIZES = ((12, 10), (24, 20), (48, 40))  # for J6: twice, four and eight times the post's widths
BATCHES = (20, 50, 800)  # for J7, beside the post's 200
ENSEMBLES = len(ARMS) + 3 + len(SIZES) + 2 * len(BATCHES) + 1
COMPARED = ('mean', 'std', 'q05', 'q50', 'q95', 'd_mean', 'pretrain_mse', 'loss_d', 'loss_g')  # with the author's outcomes


def measure(
    seed: int, runs: int, tick: Callable[[], Any] = lambda: None, arms: dict[str, claims.Table] | None = None
) -> list[claims.Measurement]:
    """Measures all claims over seeds seed .. seed+runs-1 (J2: five times as many): a list of `claims.Measurement`.

    Calls `tick` after each ensemble; `arms` may be an earlier result of `alignment`.
    """
    arms = arms or alignment(seed, MORE * runs, tick)

    def ensemble(every=50, **changes):
        outcome = outcomes.train_many(gan, make_settings(**{'sort': False, **changes}), seed, runs, every=every)
        tick()
        return outcome

    base = ensemble(every=20)
    without = ensemble(every=20, pretrain_steps=0)
    relu = ensemble(activation='relu')
    sizes = {(6, 5): base[0]} | {widths: ensemble(hidden_sizes=widths)[0] for widths in SIZES}
    by_batch = {
        stratify: {size: ensemble(stratify=stratify, batch_size=size)[0] for size in BATCHES} for stratify in (False, True)
    }
    by_batch[True][200] = base[0]
    by_batch[False][200] = ensemble(stratify=False)[0]
    return [
        pretraining_fits(base[0]),
        alignment_matters(arms),
        pretraining_helps(base[1], without[1]),
        ends_well(base[0]),
        relu_saturates(base, relu),
        big_networks(sizes),
        batch_size_matters(by_batch),
    ]


def alignment(seed: int, runs: int, tick: Callable[[], Any] = lambda: None) -> dict[str, claims.Table]:
    """The four arms of J2: {arm: columns of results.csv}."""
    tables = {}
    for name, changes in ARMS.items():
        tables[name] = outcomes.train_many(gan, make_settings(**changes), seed, runs, every=NUM_STEPS).table
        tick()
    return tables


def pretraining_fits(table: claims.Table) -> claims.Measurement:
    """J1: 1000 steps of least squares bring D close to the density, with an error of about 0.01.

    That number alone says little, so the error is also compared with that of the best constant.
    """
    x = np.linspace(-HALF_RANGE, HALF_RANGE, 100_001)
    constant = float(np.var(gan.truth(make_settings()).pdf(x)))
    error = claims.median(table['pretrain_mse'])
    share = claims.proportion(table['pretrain_mse'] < constant / 2)
    measured = {
        'squared error after 1,000 steps (median)': error,
        f'error below half of the best constant ({constant / 2:.4f})': share,
        f'error above that of the best constant ({constant:.4f})': claims.proportion(table['pretrain_mse'] > constant),
    }
    far = "the error is the post's, but about half of the seeds with it are far from the density"
    verdict, reason = claims.first_true(
        (share.low > 0.9, Verdict.REPRODUCED, 'nine seeds of ten at least'),
        (share.low > 0.5, Verdict.PARTLY, 'most seeds come close, but not nine of ten'),
        (error.low <= 0.01, Verdict.PARTLY, far),
        (True, Verdict.NOT_REPRODUCED, "the error stays above the post's"),
    )
    return claims.Measurement('J1', 'pre-training brings D close to p_data', 'about 0.01', measured, verdict, reason)


def alignment_matters(arms: dict[str, claims.Table]) -> claims.Measurement:
    """J2: sorting and stratifying are crucial; training with independent noise fails."""
    post, unsorted, independent, neither = arms.values()
    sorting = claims.difference_of_proportions(post['success'], unsorted['success'])
    grid = claims.difference_of_proportions(unsorted['success'], neither['success'])
    measured = {f'success, {name}': claims.proportion(table['success']) for name, table in arms.items()}
    measured |= {f'distance, {name} (median)': claims.median(table['wasserstein']) for name, table in arms.items()}
    same = np.abs(post['wasserstein'] - unsorted['wasserstein']) < 0.01
    measured |= {
        'success of the post less that without sorting': sorting,
        'same distance within 0.01, seed by seed, with and without sorting': claims.proportion(same),
        'success with the grid less that with independent noise, both unsorted': grid,
    }
    p_sort, p_grid, p_both = (
        scipy.stats.ks_2samp(a['wasserstein'], b['wasserstein']).pvalue
        for a, b in ((post, unsorted), (unsorted, neither), (independent, neither))
    )
    found = (
        f'Kolmogorov-Smirnov p of the distances: sorting {p_sort:.2g} (with independent noise {p_both:.2g}), grid {p_grid:.2g}'
    )
    with_both = claims.proportion(post['success'])
    with_neither = claims.proportion(neither['success'])
    fails = with_neither.high < with_both.low / 2
    verdict, reason = claims.first_true(
        (sorting.low > 0 and fails, Verdict.REPRODUCED, 'both matter, and without them less than half as many succeed'),
        (grid.low > 0 and fails, Verdict.PARTLY, 'sorting changes nothing; without the grid less than half as many succeed'),
        (grid.low > 0, Verdict.PARTLY, 'sorting changes nothing; the grid helps, but independent noise does not fail'),
        (True, Verdict.NOT_REPRODUCED, 'sorting changes nothing, and the grid helps no more than chance'),
    )
    statement = 'sorting and stratifying are crucial; independent noise fails'
    return claims.Measurement('J2', statement, 'qualitative', measured, verdict, f'{reason}. {found}')


def convergence_steps(history: claims.Table) -> np.ndarray:
    """First recorded iteration of each run at which the distance is below the threshold, inf if none, [runs]."""
    below = history['wasserstein'] < gan.success_threshold(make_settings())
    return np.where(below.any(axis=1), history['step'][below.argmax(axis=1)], np.inf)


def pretraining_helps(with_: claims.Table, without: claims.Table) -> claims.Measurement:
    """J3: pre-training D gives much faster convergence."""
    steps_with = convergence_steps(with_)
    steps_without = convergence_steps(without)
    fast = claims.median(steps_with)
    slow = claims.median(steps_without)
    measured = {
        'iterations to converge with pre-training (median)': fast,
        'iterations to converge without (median)': slow,
        'ever converge with pre-training': claims.proportion(np.isfinite(steps_with)),
        'ever converge without': claims.proportion(np.isfinite(steps_without)),
    }
    verdict, reason = claims.first_true(
        (fast.high < slow.low / 2, Verdict.REPRODUCED, 'less than half the iterations'),
        (fast.high < slow.low, Verdict.PARTLY, 'fewer iterations, but not half as many'),
        (True, Verdict.NOT_REPRODUCED, 'not clearly fewer iterations'),
    )
    reason += ' (the 1,000 steps of pre-training not counted)'
    return claims.Measurement('J3', 'pre-training D: much faster convergence', 'qualitative', measured, verdict, reason)


def ends_well(table: claims.Table) -> claims.Measurement:
    """J4: after training p_g approximates p_data and D is about 0.5 everywhere."""
    even = (table['d_min'] > 0.4) & (table['d_max'] < 0.6)
    settled = (np.abs(table['loss_d'] - 2 * np.log(2)) < 0.05) & (np.abs(table['loss_g'] - np.log(2)) < 0.05)
    failed = (table['success'] == 0) & settled
    success = claims.proportion(table['success'])
    level = claims.proportion(even)
    measured = {
        'success (distance below sigma / 4)': success,
        'distance (median)': claims.median(table['wasserstein']),
        'D between 0.4 and 0.6 everywhere': level,
        'objectives within 0.05 of -2 ln 2 and -ln 2': claims.proportion(settled),
        'of those, without success': claims.proportion(failed[settled]),
    }
    some = max(success.low, level.low) > 0.5 or min(success.value, level.value) > 0.25
    verdict, reason = claims.first_true(
        (min(success.low, level.low) > 0.5, Verdict.REPRODUCED, 'most seeds'),
        (some, Verdict.PARTLY, 'not both for most seeds'),
        (True, Verdict.NOT_REPRODUCED, 'the minority of seeds'),
    )
    reason += '; losses at their equilibrium are no measure of success'
    return claims.Measurement('J4', 'p_g approximates p_data, D is 0.5', '-1.386 and -0.693', measured, verdict, reason)


def relu_saturates(tanh: outcomes.Ensemble, relu: outcomes.Ensemble) -> claims.Measurement:
    """J5: tanh works where relu units saturate."""
    of_tanh = claims.proportion(tanh.table['success'])
    of_relu = claims.proportion(relu.table['success'])
    gain = claims.difference_of_proportions(tanh.table['success'], relu.table['success'])
    measured = {
        'success with tanh': of_tanh,
        'success with relu': of_relu,
        'success with tanh less that with relu': gain,
    }
    flat = {
        (kind, network): claims.proportion(run.history[f'flat_{network.lower()}'][:, -1] > 0)
        for kind, run in (('tanh', tanh), ('relu', relu))
        for network in 'DG'
    }
    measured |= {f'with {kind}, some hidden unit of {network} flat at the end': each for (kind, network), each in flat.items()}
    worse = of_relu.high < of_tanh.low / 2
    flatter = any(flat['relu', network].low > flat['tanh', network].high for network in 'DG')
    verdict, reason = claims.first_true(
        (worse and flatter, Verdict.REPRODUCED, 'less than half as many succeed, and more units are flat'),
        (gain.low > 0 and flatter, Verdict.PARTLY, 'relu succeeds less often, and its units are flat more often'),
        (gain.low > 0, Verdict.PARTLY, 'relu succeeds less often, but its units are flat no more often'),
        (flatter, Verdict.PARTLY, 'more units of relu are flat, but it succeeds no less often'),
        (True, Verdict.NOT_REPRODUCED, 'relu does as well'),
    )
    return claims.Measurement('J5', 'tanh works where relu units saturate', 'qualitative', measured, verdict, reason)


def big_networks(by_size: dict[tuple[int, int], claims.Table]) -> claims.Measurement:
    """J6: a network that is too big fails to converge."""
    small, *larger = success = [claims.proportion(table['success']) for table in by_size.values()]
    measured = {f'success with {a}-{b} hidden units': share for (a, b), share in zip(by_size, success, strict=True)}
    verdict, reason = claims.first_true(
        (larger[-1].high < small.low / 2, Verdict.REPRODUCED, 'eight times the width succeeds less than half as often'),
        (any(big.high < small.low for big in larger), Verdict.PARTLY, 'some larger network succeeds less often'),
        (True, Verdict.NOT_REPRODUCED, 'up to eight times the width succeeds no less often'),
    )
    reason += '; over widths and rates: [the atlas](atlas.md#jang)'
    return claims.Measurement('J6', 'a network that is too big fails to converge', 'qualitative', measured, verdict, reason)


def batch_size_matters(by_batch: dict[bool, dict[int, claims.Table]]) -> claims.Measurement:
    """J7: without alignment, performance does not improve with the batch size."""
    measured = {}
    for stratify, kind in ((False, 'independent noise'), (True, 'grid')):
        for size, table in sorted(by_batch[stratify].items()):
            measured[f'success, {kind}, M = {size}'] = claims.proportion(table['success'])
            measured[f'distance, {kind}, M = {size} (median)'] = claims.median(table['wasserstein'])
    free, aligned = (
        claims.difference_of_proportions(tables[800]['success'], tables[20]['success'])
        for tables in (by_batch[False], by_batch[True])
    )
    measured |= {
        'success at M = 800 less that at 20, independent noise': free,
        'success at M = 800 less that at 20, grid': aligned,
    }
    less = free.high < aligned.low
    verdict, reason = claims.first_true(
        (less and free.low > 0, Verdict.PARTLY, 'independent noise gains from larger batches too, but less than the grid'),
        (less, Verdict.REPRODUCED, 'the grid gains from larger batches, and independent noise does not'),
        (free.low > 0, Verdict.NOT_REPRODUCED, 'with independent noise larger batches succeed more often'),
        (True, Verdict.PARTLY, 'larger batches do not clearly succeed more often, with the grid or without'),
    )
    reason += '; over batches and kinds of noise: [the atlas](atlas.md#jang)'
    return claims.Measurement('J7', 'without alignment, no gain from larger batches', 'qualitative', measured, verdict, reason)


ORIGINAL_RUNS = {'2016-06': 100, '2015-12': 60}


def original(variant: str = DEFAULT) -> claims.Table:
    """Outcomes of the author's program over seeds, {column: [runs]}."""
    source = importlib.resources.files('reproductions.reference.originals') / f'jang_{variant}.csv'
    with importlib.resources.as_file(source) as path:
        return files.read_csv(path, ('seed', 'finite', *COMPARED), rows=ORIGINAL_RUNS[variant])
