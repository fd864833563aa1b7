"""The comparison of two samples: Holm's procedure by hand, equal samples pass, a shift is detected."""

import numpy as np
import pytest
import scipy.stats

from common.evaluation import two_sample


def outcomes(seed, n, shift=0.0, finite=0.8):
    rng = np.random.default_rng(seed)
    return {'mean': rng.normal(size=n) + shift, 'std': rng.exponential(size=n), 'finite': rng.random(n) < finite}


def test_holm_by_hand():
    # At 0.05: 0.01 <= 0.05 / 4 and 0.015 <= 0.05 / 3 are rejected; 0.03 > 0.05 / 2 stops the procedure.
    p = {'a': 0.04, 'b': 0.01, 'c': 0.03, 'd': 0.015}
    assert two_sample.rejected(p, family_wise=0.05) == ['b', 'd']
    assert two_sample.rejected({'a': 0.001, 'b': 0.002}, family_wise=0.05) == ['a', 'b']
    assert two_sample.rejected({'a': 0.9}, family_wise=0.05) == []


def test_equal_samples_pass_and_differences_are_named():
    ours, theirs = outcomes(0, 1000), outcomes(1, 150)
    assert two_sample.rejected(two_sample.compare(ours, theirs, ['mean', 'std'])) == []
    shifted = two_sample.compare(outcomes(2, 1000, shift=0.6), theirs, ['mean', 'std'])
    assert two_sample.rejected(shifted) == ['mean']
    fewer = two_sample.compare(outcomes(3, 1000, finite=0.4), theirs, ['mean', 'std'])
    assert two_sample.rejected(fewer) == ['finite']


def test_moved_in_standard_errors():
    """The standard error of the median of n normal samples is 1.2533 / sqrt(n), of the difference of two sqrt(2) times that.

    The bootstrap's own error is of the order of n^(-1/4), a tenth here.
    """
    old = np.random.default_rng(4).normal(size=10_000)
    before, after, errors = two_sample.moved(old + 1, old)
    assert after == pytest.approx(before + 1) and abs(errors / (1 / (1.2533 * np.sqrt(2 / 10_000))) - 1) < 0.25
    assert two_sample.moved(old, old)[2] == 0
    assert np.isnan(two_sample.moved(old, np.full(3, np.nan))).all()


def test_fractions_are_compared_over_all_runs_by_fishers_test():
    ours = {'finite': np.ones(60), 'success': np.r_[np.ones(45), np.zeros(15)]}
    theirs = {'finite': np.ones(40), 'success': np.r_[np.ones(20), np.zeros(20)]}
    p = two_sample.compare(ours, theirs, [], ('finite', 'success'))
    assert p['finite'] == 1
    # Fisher's two-sided p of [[45, 15], [20, 20]] by the hypergeometric distribution
    k = np.arange(25, 61)
    probability = scipy.stats.hypergeom.pmf(k, 100, 65, 60)
    assert p['success'] == pytest.approx(
        probability[probability <= scipy.stats.hypergeom.pmf(45, 100, 65, 60) * (1 + 1e-7)].sum()
    )
