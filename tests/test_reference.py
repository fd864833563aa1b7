"""The comparison of two samples: Holm's procedure by hand, equal samples pass, a shift is found."""

import numpy as np

from common import reference


def outcomes(seed, n, shift=0.0, finite=0.8):
    rng = np.random.default_rng(seed)
    return {'mean': rng.normal(size=n) + shift, 'std': rng.exponential(size=n), 'finite': rng.random(n) < finite}


def test_holm_by_hand():
    # At 0.05: 0.01 <= 0.05 / 4 and 0.015 <= 0.05 / 3 are rejected; 0.03 > 0.05 / 2 ends it.
    p = {'a': 0.04, 'b': 0.01, 'c': 0.03, 'd': 0.015}
    assert reference.rejected(p, family_wise=0.05) == ['b', 'd']
    assert reference.rejected({'a': 0.001, 'b': 0.002}, family_wise=0.05) == ['a', 'b']
    assert reference.rejected({'a': 0.9}, family_wise=0.05) == []


def test_equal_samples_pass_and_differences_are_named():
    ours, theirs = outcomes(0, 1000), outcomes(1, 150)
    assert reference.rejected(reference.compare(ours, theirs, ['mean', 'std'])) == []
    shifted = reference.compare(outcomes(2, 1000, shift=0.6), theirs, ['mean', 'std'])
    assert reference.rejected(shifted) == ['mean']
    fewer = reference.compare(outcomes(3, 1000, finite=0.4), theirs, ['mean', 'std'])
    assert reference.rejected(fewer) == ['finite']
