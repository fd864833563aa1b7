"""Estimates with known intervals."""

import numpy as np
import pytest
import scipy.stats

from common.evaluation import Verdict, claims


def test_the_first_rule_that_holds_decides():
    rules = (False, Verdict.REPRODUCED, 'a'), (np.True_, Verdict.PARTLY, 'b'), (True, Verdict.NOT_REPRODUCED, 'c')
    assert claims.first_true(*rules) == (Verdict.PARTLY, 'b')
    with pytest.raises(ValueError, match='no rule holds'):
        claims.first_true(rules[0])


def test_wilson_interval_of_eight_in_ten():
    estimate = claims.proportion([True] * 8 + [False] * 2)
    z, n, p = scipy.stats.norm.ppf(0.975), 10, 0.8
    center, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    assert (estimate.value, estimate.n) == (0.8, 10)
    assert (estimate.low, estimate.high) == (pytest.approx((center - half) / scale), pytest.approx((center + half) / scale))


def test_median_interval_covers_in_at_least_95_of_100_samples():
    rng = np.random.default_rng(0)
    covered = [e.low <= 0 <= e.high for e in (claims.median(rng.normal(size=31)) for _ in range(4000))]
    assert 0.95 <= np.mean(covered) <= 0.985  # exact coverage is 0.9706 for n = 31


def test_newcombes_published_example():
    # Newcombe (1998), table II, example (a), method 10: 56/70 against 48/80 gives 0.0524 to 0.3339.
    estimate = claims.difference_of_proportions([True] * 56 + [False] * 14, [True] * 48 + [False] * 32)
    assert estimate.value == pytest.approx(0.2)
    assert (estimate.low, estimate.high) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))


def test_estimates_of_empty_samples_are_refused():
    with pytest.raises(ValueError):
        claims.proportion([])
    with pytest.raises(ValueError):
        claims.median([])


def test_tables():
    row = claims.Measurement(
        'A1', 'it works', '1', {'share': claims.Estimate(0.5, 0.4, 0.6, 100)}, claims.Verdict.PARTLY, 'half of them'
    )
    assert claims.as_json([row])[0]['measured']['share'] == {'value': 0.5, 'low': 0.4, 'high': 0.6, 'n': 100}
    assert claims.as_markdown([row]).splitlines()[2] == (
        '| **A1** it works | 1 | share: 0.5 [0.4, 0.6], n = 100 | **partly**: half of them |'
    )
