"""The claims of Aylien's post, measured over many seeds of the program as it was when the post appeared."""

import importlib.resources
from collections.abc import Callable
from typing import Any

import numpy as np

from common.evaluation import Verdict, claims, metrics, outcomes
from common.storage import files
from reproductions.aylien import gan
from reproductions.aylien.settings import VARIANTS, make_settings

BATCHES = (4, 8, 12, 16, 32, 64)  # for A3; the post says that training converges below about 16
SMALL, LARGE = 8, 32  # the two sizes that decide A3: well below and well above 16
ENSEMBLES = len(BATCHES) + 2
COMPARED = ('mean', 'std', 'q05', 'q50', 'q95', 'd_mean')  # columns compared with the authors' outcomes


def measure(seed: int, runs: int, tick: Callable[[], Any] = lambda: None) -> list[claims.Measurement]:
    """Measures all claims over seeds seed .. seed+runs-1: a list of `claims.Measurement`. Calls `tick` after each ensemble."""

    def ensemble(every=50, **changes):
        outcome = outcomes.train_many(gan, make_settings(**changes), seed, runs, every=every)
        tick()
        return outcome

    plain = ensemble(every=10)
    by_batch = {size: ensemble(minibatch=True, batch_size=size)[0] for size in BATCHES}
    weak = ensemble(d_hidden_sizes=(make_settings().hidden_size,))[0]
    return [
        approach_then_narrowing(plain.table, plain.history),
        width_kept(plain[0], by_batch[12]),
        small_batches(by_batch),
        stronger_discriminator(plain[0], weak),
        seeds_42_and_4(),
    ]


def approach_then_narrowing(table: dict[str, np.ndarray], history: dict[str, np.ndarray]) -> claims.Measurement:
    """A1: without the minibatch layer G comes close to the data around step 750, then narrows onto its mean."""
    rows = np.arange(len(table['seed']))
    distance = np.where(np.isnan(history['wasserstein']), np.inf, history['wasserstein'])
    closest = distance.argmin(axis=1)
    close = distance[rows, closest] < gan.success_bound(make_settings())
    narrower = table['std'][close] < history['std'][rows, closest][close]
    measured = {'seeds that ever come close (W1 < sigma / 2)': claims.proportion(close)}
    if not close.any():
        return _row(
            'A1', 'close at about step 750, then narrower', 'about 750', measured, Verdict.NOT_REPRODUCED, 'none comes close'
        )
    measured['of those, step of closest approach (median)'] = claims.median(history['step'][closest][close])
    measured['of those, narrower at the end than when closest'] = claims.proportion(narrower)
    measured['of those, deviation at the end (median; data 0.5)'] = claims.median(table['std'][close])
    step, narrow = list(measured.values())[1:3]
    as_described = 500 <= step.value <= 1000 and narrow.low > 0.5
    if not as_described:
        verdict, reason = Verdict.NOT_REPRODUCED, 'the seeds that come close do not take this course'
    elif measured['seeds that ever come close (W1 < sigma / 2)'].low > 0.5:
        verdict, reason = Verdict.REPRODUCED, 'most seeds take this course'
    else:
        verdict, reason = Verdict.PARTLY, 'the course is as described for the seeds that come close, but most seeds never do'
    return _row('A1', 'close at about step 750, then narrower', 'about 750', measured, verdict, reason)


def width_kept(plain: dict[str, np.ndarray], minibatch: dict[str, np.ndarray]) -> claims.Measurement:
    """A2: with the minibatch layer G keeps most of the data's width, not all of it."""
    settings = make_settings()

    def relative_width(table):
        found = (table['finite'] == 1) & (np.abs(table['mean'] - settings.mu) < settings.sigma)
        return table['std'][found] / settings.sigma

    kept, without = (claims.median(relative_width(table)) for table in (minibatch, plain))
    measured = {
        'width kept with minibatch (median, of runs whose mean is within sigma of the data)': kept,
        'width kept without': without,
        'success with minibatch': claims.proportion(minibatch['success']),
        'success without': claims.proportion(plain['success']),
        'finite with minibatch': claims.proportion(minibatch['finite']),
    }
    if kept.low > 0.5 and kept.high < 1 and kept.low > without.high:
        verdict, reason = Verdict.REPRODUCED, 'most of the width, more than without, and not all'
    elif kept.low > 0.5 and kept.low > without.high:
        verdict, reason = Verdict.PARTLY, 'wider than without, and not narrower than the data'
    elif kept.low > 0.5:
        verdict, reason = Verdict.PARTLY, 'most of the width is kept, but not clearly more than without'
    else:
        verdict, reason = Verdict.NOT_REPRODUCED, 'less than half of the width may be all that is kept'
    return _row('A2', 'minibatch discrimination keeps most of the width', 'most, not all', measured, verdict, reason)


def small_batches(by_batch: dict[int, dict[str, np.ndarray]]) -> claims.Measurement:
    """A3: with the minibatch layer batches must be smaller than about 16 for training to converge."""
    measured = {f'success at batch {size}': claims.proportion(table['success']) for size, table in by_batch.items()}
    measured |= {f'finite at batch {size}': claims.proportion(by_batch[size]['finite']) for size in (SMALL, LARGE)}
    name = f'success at batch {SMALL} less that at {LARGE}'
    measured[name] = claims.difference_of_proportions(by_batch[SMALL]['success'], by_batch[LARGE]['success'])
    small, large = measured[f'success at batch {SMALL}'], measured[f'success at batch {LARGE}']
    if measured[name].low <= 0:
        verdict, reason = Verdict.NOT_REPRODUCED, 'larger batches do not succeed less often'
    elif large.high < small.low / 2:
        verdict, reason = Verdict.REPRODUCED, 'larger batches succeed less than half as often'
    else:
        verdict, reason = Verdict.PARTLY, 'larger batches succeed less often, but not rarely'
    reason += '; over rates and batches: [the atlas](atlas.md#aylien)'
    return _row('A3', 'with the minibatch layer, batches must stay below about 16', '< 16', measured, verdict, reason)


def stronger_discriminator(plain: dict[str, np.ndarray], weak: dict[str, np.ndarray]) -> claims.Measurement:
    """A4: D must be deeper and wider than G; with G's own shape it could not tell the two apart."""
    name = "success with the post's D less that with G's shape"
    measured = {
        "success with the post's D (8, 8, 8)": claims.proportion(plain['success']),
        "success with a D of G's shape (4)": claims.proportion(weak['success']),
        name: claims.difference_of_proportions(plain['success'], weak['success']),
        "loss of the post's D (median; 1.386 if it cannot separate)": claims.median(plain['loss_d'][plain['finite'] == 1]),
        "loss of a D of G's shape": claims.median(weak['loss_d'][weak['finite'] == 1]),
    }
    if measured[name].low > 0:
        verdict, reason = Verdict.REPRODUCED, "G succeeds more often against the post's D"
    elif measured["loss of a D of G's shape"].low > measured["loss of the post's D (median; 1.386 if it cannot separate)"].high:
        verdict, reason = Verdict.PARTLY, 'the smaller D separates less well, but G does not succeed less often'
    else:
        verdict, reason = Verdict.NOT_REPRODUCED, 'the smaller D does as well'
    reason += '; over rates and widths of D: [the atlas](atlas.md#aylien)'
    return _row('A4', 'D must be more powerful than G', 'qualitative', measured, verdict, reason)


def seeds_42_and_4() -> claims.Measurement:
    """A5: the experiment fails with seed 42 and converges with seed 4, according to the authors' own outcomes.

    Our random streams differ from NumPy's and TensorFlow 1's, so only the authors' programs can answer.
    """
    settings = make_settings()
    measured, agree = {}, []
    for variant in VARIANTS:
        table = original(variant, 'plain')
        converged = metrics.quantile_distance(table, gan.truth(settings)) < gan.success_bound(settings)
        at = {seed: bool(converged[table['seed'] == seed][0]) for seed in (42, 4)}
        agree.append(not at[42] and at[4])
        measured[f'{variant}: share of seeds that converge'] = claims.proportion(converged)
    verdict = Verdict.REPRODUCED if all(agree) else Verdict.PARTLY if any(agree) else Verdict.NOT_REPRODUCED
    names = [variant for variant, same in zip(VARIANTS, agree, strict=True) if same]
    reason = (
        f"in the authors' own outcomes, seed 42 fails and seed 4 converges for {', '.join(names) or 'no variant'}; "
        'our streams are others, so our seeds cannot test it'
    )
    return _row('A5', 'seed 42 does not converge, seed 4 does', '42: no, 4: yes', measured, verdict, reason)


ORIGINAL_RUNS = {
    ('2016-08', 'plain'): 150, ('2016-12', 'plain'): 100, ('2017-06', 'plain'): 150,
    ('2016-08', 'minibatch'): 350, ('2016-12', 'minibatch'): 450, ('2017-06', 'minibatch'): 150,
}  # fmt: skip


def original(variant: str, branch: str) -> dict[str, np.ndarray]:
    """Outcomes of the authors' program over seeds, {column: [runs]}; branch is 'plain' or 'minibatch'."""
    name = f'aylien_{variant}_{branch}.csv'
    with importlib.resources.as_file(importlib.resources.files('reproductions.reference.originals') / name) as path:
        return files.read_csv(path, ('seed', 'finite', *COMPARED), ORIGINAL_RUNS[variant, branch])


def _row(claim, statement, stated, measured, verdict, reason):
    return claims.Measurement(claim, statement, stated, measured, verdict, reason)
