"""Metrics against SciPy."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from common import metrics

TRUTH = metrics.gaussian(4.0, 0.5)


def samples():
    rng = np.random.default_rng(0)
    return np.stack([rng.normal(4, 0.5, 10_000), rng.gamma(2, 3, 10_000) - 8, np.full(10_000, 4.0)]).astype(np.float32)


def test_columns_equal_scipy():
    x = samples()
    table = metrics.describe(x, TRUTH)
    assert tuple(table) == metrics.SAMPLE_COLUMNS
    double = x.astype(np.float64)
    np.testing.assert_allclose(table['mean'], double.mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(table['std'], double.std(axis=1), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(table['skewness'][:2], scipy.stats.skew(double[:2], axis=1), rtol=1e-6)
    np.testing.assert_allclose(table['kurtosis'][:2], scipy.stats.kurtosis(double[:2], axis=1), rtol=1e-6)
    assert np.isnan(table['skewness'][2])
    for name, p in (('q01', 0.01), ('q05', 0.05), ('q50', 0.5), ('q99', 0.99)):
        np.testing.assert_allclose(table[name], np.quantile(double, p, axis=1), rtol=1e-6)
    for i in range(3):
        assert table['ks'][i] == pytest.approx(scipy.stats.kstest(double[i], TRUTH.cdf).statistic, abs=1e-9)


def test_wasserstein_equals_scipys_against_a_fine_picture_of_the_truth():
    fine = TRUTH.ppf((np.arange(400_000) + 0.5) / 400_000)
    table = metrics.describe(samples(), TRUTH)
    for i, x in enumerate(samples()):
        assert table['wasserstein'][i] == pytest.approx(scipy.stats.wasserstein_distance(x, fine), abs=1e-4)
    assert table['wasserstein'][2] == pytest.approx(0.5 * np.sqrt(2 / np.pi), abs=1e-4)  # a point mass on the mean


def test_a_run_with_a_bad_sample_is_nan_throughout_and_touches_no_other():
    x = samples()
    x[1, 77] = np.inf
    table = metrics.describe(x, TRUTH)
    for name, values in table.items():
        assert np.isnan(values[1]), name
        assert np.isfinite(values[0]), name


def test_distance_in_the_loop_is_close_to_the_exact_one():
    edges = 4 + 0.5 * np.sinh(np.linspace(-5.5, 5.5, 257))
    x = np.stack([np.linspace(3, 5, 64), np.full(64, 3.9), np.linspace(-40, 9, 64), np.full(64, np.nan)])
    loop = metrics.wasserstein_on_grid(tf.constant(x[:, None, :], tf.float32), edges, TRUTH.cdf(edges)).numpy()
    exact = metrics.wasserstein(np.sort(x[:3], axis=1), TRUTH)
    # A jump of F_n is off by up to half a cell, 0.0215 deviations near the data; the 64 points add 1 / 64 of their range.
    np.testing.assert_allclose(loop[:3], exact, atol=0.02, rtol=0.05)
    assert np.isnan(loop[3])
