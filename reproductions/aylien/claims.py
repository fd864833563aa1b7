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


def approach_then_narrowing(table: claims.Table, history: claims.Table) -> claims.Measurement:
    """A1: without the minibatch layer G comes close to the data around step 750, then narrows onto its mean."""
    rows = np.arange(len(table['seed']))
    distance = np.where(np.isnan(history['wasserstein']), np.inf, history['wasserstein'])
    closest = distance.argmin(axis=1)
    close = distance[rows, closest] < gan.success_threshold(make_settings())
    share, as_described = claims.proportion(close), False
    measured = {'seeds that ever come close (W1 < sigma / 2)': share}
    if close.any():
        step = claims.median(history['step'][closest][close])
        narrower = claims.proportion(table['std'][close] < history['std'][rows, closest][close])
        as_described = 500 <= step.value <= 1000 and narrower.low > 0.5
        measured |= {
            'of those, step of closest approach (median)': step,
            'of those, narrower at the end than when closest': narrower,
            'of those, deviation at the end (median; data 0.5)': claims.median(table['std'][close]),
        }
    verdict, reason = claims.first_true(
        (not close.any(), Verdict.NOT_REPRODUCED, 'none comes close'),
        (not as_described, Verdict.NOT_REPRODUCED, 'the seeds that come close do not take this course'),
        (share.low > 0.5, Verdict.REPRODUCED, 'most seeds take this course'),
        (True, Verdict.PARTLY, 'the course is as described for the seeds that come close, but most seeds never do'),
    )
    return claims.Measurement('A1', 'close at about step 750, then narrower', 'about 750', measured, verdict, reason)


def width_kept(plain: claims.Table, minibatch: claims.Table) -> claims.Measurement:
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
    most, more = kept.low > 0.5, kept.low > without.high
    verdict, reason = claims.first_true(
        (most and more and kept.high < 1, Verdict.REPRODUCED, 'most of the width, more than without, and not all'),
        (most and more, Verdict.PARTLY, 'wider than without, and not narrower than the data'),
        (most, Verdict.PARTLY, 'most of the width is kept, but not clearly more than without'),
        (True, Verdict.NOT_REPRODUCED, 'less than half of the width may be all that is kept'),
    )
    statement = 'minibatch discrimination keeps most of the width'
    return claims.Measurement('A2', statement, 'most, not all', measured, verdict, reason)


def small_batches(by_batch: dict[int, claims.Table]) -> claims.Measurement:
    """A3: with the minibatch layer batches must be smaller than about 16 for training to converge."""
    success = {size: claims.proportion(table['success']) for size, table in by_batch.items()}
    gain = claims.difference_of_proportions(by_batch[SMALL]['success'], by_batch[LARGE]['success'])
    measured = {f'success at batch {size}': share for size, share in success.items()}
    measured |= {f'finite at batch {size}': claims.proportion(by_batch[size]['finite']) for size in (SMALL, LARGE)}
    measured[f'success at batch {SMALL} less that at {LARGE}'] = gain
    verdict, reason = claims.first_true(
        (gain.low <= 0, Verdict.NOT_REPRODUCED, 'larger batches do not succeed less often'),
        (success[LARGE].high < success[SMALL].low / 2, Verdict.REPRODUCED, 'larger batches succeed less than half as often'),
        (True, Verdict.PARTLY, 'larger batches succeed less often, but not rarely'),
    )
    reason += '; over rates and batches: [the atlas](atlas.md#aylien)'
    statement = 'with the minibatch layer, batches must stay below about 16'
    return claims.Measurement('A3', statement, '< 16', measured, verdict, reason)


def stronger_discriminator(plain: claims.Table, weak: claims.Table) -> claims.Measurement:
    """A4: D must be deeper and wider than G; with G's own shape it could not tell the two apart."""
    gain = claims.difference_of_proportions(plain['success'], weak['success'])
    loss, loss_weak = (claims.median(table['loss_d'][table['finite'] == 1]) for table in (plain, weak))
    measured = {
        "success with the post's D (8, 8, 8)": claims.proportion(plain['success']),
        "success with a D of G's shape (4)": claims.proportion(weak['success']),
        "success with the post's D less that with G's shape": gain,
        "loss of the post's D (median; 1.386 if it cannot separate)": loss,
        "loss of a D of G's shape": loss_weak,
    }
    verdict, reason = claims.first_true(
        (gain.low > 0, Verdict.REPRODUCED, "G succeeds more often against the post's D"),
        (loss_weak.low > loss.high, Verdict.PARTLY, 'the smaller D separates less well, but G does not succeed less often'),
        (True, Verdict.NOT_REPRODUCED, 'the smaller D does as well'),
    )
    reason += '; over rates and widths of D: [the atlas](atlas.md#aylien)'
    return claims.Measurement('A4', 'D must be more powerful than G', 'qualitative', measured, verdict, reason)


def seeds_42_and_4() -> claims.Measurement:
    """A5: the experiment fails with seed 42 and converges with seed 4, according to the authors' own outcomes.

    Our random streams differ from NumPy's and TensorFlow 1's, so only the authors' programs can answer.
    """
    settings = make_settings()
    measured, agreeing = {}, []
    for variant in VARIANTS:
        table = original(variant, 'plain')
        converged = metrics.quantile_distance(table, gan.truth(settings)) < gan.success_threshold(settings)
        at = {seed: bool(converged[table['seed'] == seed][0]) for seed in (42, 4)}
        agreeing += [variant] * (not at[42] and at[4])
        measured[f'{variant}: share of seeds that converge'] = claims.proportion(converged)
    reason = (
        f"in the authors' own outcomes, seed 42 fails and seed 4 converges for {', '.join(agreeing) or 'no variant'}; "
        'our streams are others, so our seeds cannot test it'
    )
    verdict, reason = claims.first_true(
        (len(agreeing) == len(VARIANTS), Verdict.REPRODUCED, reason),
        (len(agreeing) > 0, Verdict.PARTLY, reason),
        (True, Verdict.NOT_REPRODUCED, reason),
    )
    return claims.Measurement('A5', 'seed 42 does not converge, seed 4 does', '42: no, 4: yes', measured, verdict, reason)


ORIGINAL_RUNS = {
    ('2016-08', 'plain'): 150, ('2016-12', 'plain'): 100, ('2017-06', 'plain'): 150,
    ('2016-08', 'minibatch'): 350, ('2016-12', 'minibatch'): 450, ('2017-06', 'minibatch'): 150,
}  # fmt: skip


def original(variant: str, branch: str) -> claims.Table:
    """Outcomes of the authors' program over seeds, {column: [runs]}; branch is 'plain' or 'minibatch'."""
    name = f'aylien_{variant}_{branch}.csv'
    with importlib.resources.as_file(importlib.resources.files('reproductions.reference.originals') / name) as path:
        return files.read_csv(path, ('seed', 'finite', *COMPARED), ORIGINAL_RUNS[variant, branch])
