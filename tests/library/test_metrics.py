"""Metrics against SciPy."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from common.evaluation import metrics

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


def test_wasserstein_equals_scipys_on_many_quantiles_of_the_truth():
    fine = TRUTH.ppf((np.arange(400_000) + 0.5) / 400_000)
    table = metrics.describe(samples(), TRUTH)
    for i, x in enumerate(samples()):
        assert table['wasserstein'][i] == pytest.approx(scipy.stats.wasserstein_distance(x, fine), abs=1e-4)
    assert table['wasserstein'][2] == pytest.approx(0.5 * np.sqrt(2 / np.pi), abs=1e-4)  # a point mass on the mean


def test_a_run_with_a_bad_sample_is_nan_in_every_column_and_affects_no_other_run():
    x = samples()
    x[1, 77] = np.inf
    table = metrics.describe(x, TRUTH)
    for name, values in table.items():
        assert np.isnan(values[1]), name
        assert np.isfinite(values[0]), name


def test_distance_on_a_grid_is_close_to_the_exact_one():
    edges = 4 + 0.5 * np.sinh(np.linspace(-5.5, 5.5, 257))
    x = np.stack([np.linspace(3, 5, 64), np.full(64, 3.9), np.linspace(-40, 9, 64), np.full(64, np.nan)])
    loop = metrics.wasserstein_on_grid(tf.constant(x[:, None, :], tf.float32), edges, TRUTH.cdf(edges)).numpy()
    exact = metrics.wasserstein(np.sort(x[:3], axis=1), TRUTH)
    # A jump of F_n is off by up to half a cell, 0.0215 stds near the data; the 64 points add 1 / 64 of their range.
    np.testing.assert_allclose(loop[:3], exact, atol=0.02, rtol=0.05)
    assert np.isnan(loop[3])


# --- Mixtures -----------------------------------------------------------------------------------------------------------------

MEANS, STDS = (-5.0, 1.0, 4.0), (0.5, 0.2, 0.7)
MIXTURE = metrics.gaussian_mixture(MEANS, STDS)


def test_mixture_is_the_mean_of_its_parts():
    x = np.linspace(-8, 8, 1001)
    parts = [scipy.stats.norm(mean, std) for mean, std in zip(MEANS, STDS, strict=True)]
    np.testing.assert_allclose(MIXTURE.pdf(x), np.mean([part.pdf(x) for part in parts], axis=0), rtol=1e-9)
    np.testing.assert_allclose(MIXTURE.cdf(x), np.mean([part.cdf(x) for part in parts], axis=0), rtol=1e-9)
    p = (np.arange(1000) + 0.5) / 1000
    np.testing.assert_allclose(MIXTURE.cdf(MIXTURE.ppf(p)), p, rtol=1e-9)
    assert MIXTURE.mean() == pytest.approx(0)
    assert MIXTURE.std() ** 2 == pytest.approx((25 + 1 + 16 + 0.25 + 0.04 + 0.49) / 3)


def test_distance_inside_the_loop_is_the_exact_one():
    rng = np.random.default_rng(0)
    x = np.stack([rng.normal(0, 4, 256), np.full(256, 1.0), rng.normal(0, 4, 256), rng.normal(0, 4, 256)])
    x[2, 7], x[3, 8] = np.nan, np.inf
    found = metrics.wasserstein_inside(tf.constant(x[:, None], tf.float32), MIXTURE).numpy()
    np.testing.assert_allclose(found[:2], metrics.wasserstein(np.sort(x[:2], axis=1), MIXTURE), rtol=1e-5)
    assert np.isnan(found[2:]).all()


def test_modes_of_the_truth_itself():
    """Except for the tail of each mode in the window of the next: at most sf((4 - 1.6) / 0.7) / 3 = 1e-4 of the mass."""
    columns = metrics.describe_modes(MIXTURE.ppf((np.arange(30_000) + 0.5) / 30_000)[None], MEANS, STDS)
    assert columns['modes_covered'] == [3]
    assert columns['mode_mass_error'][0] == pytest.approx(0, abs=2e-4)
    assert columns['between_mass'][0] == pytest.approx(0.0027, abs=2e-4)
    assert columns['mode_width'][0] == pytest.approx(0.987, abs=1e-3)


def test_modes_by_hand():
    """Twelve samples; windows are -6.5 .. -3.5, 0.4 .. 1.6 and 1.9 .. 6.1."""
    rows = [
        [-5] * 4 + [1] * 4 + [4] * 4,  # on the means
        [-5.5] * 6 + [1.2] * 1 + [4] * 1 + [1.7, -3.4, 7, -9],  # half, a twelfth, a twelfth, and four in between
        [0] * 12,
        [1] * 6 + [4.7] * 6,
        [1] * 11 + [np.inf],
    ]
    columns = metrics.describe_modes(np.array(rows, float), MEANS, STDS)
    third, tail = (1 - 2 * scipy.stats.norm.sf(3)) / 3, 2 * scipy.stats.norm.sf(3)
    nan = np.nan
    np.testing.assert_array_equal(columns['modes_covered'], [3, 1, 0, 2, nan])
    np.testing.assert_allclose(columns['between_mass'], [0, 1 / 3, 1, 0, nan], atol=1e-12)
    errors = [tail, 2 * (third - 1 / 12), 1 - tail, third + tail, nan]  # mass missing from one mode is in excess elsewhere
    np.testing.assert_allclose(columns['mode_mass_error'], errors, atol=1e-12)
    np.testing.assert_allclose(columns['mode_width'], [0, np.sqrt(7 / 8), nan, np.sqrt(1 / 2), nan], atol=1e-12)


def test_convergence_is_below_the_bound_and_stays_there():
    steps = np.array([0, 5, 10, 50])
    distances = [[9, 1, 9, 1], [1, 1, 1, 1], [9, 1, 1, 9], [9, 9, 1, 1], [1, 1, np.nan, np.nan], [2, 2, 2, 2]]
    first, lasting = metrics.convergence_steps(steps, np.array(distances), 2)
    inf = np.inf
    np.testing.assert_array_equal(first, [5, 0, 5, 10, 0, inf])
    np.testing.assert_array_equal(lasting, [50, 0, inf, 10, inf, inf])


def test_quantile_distance_of_a_shifted_distribution_is_its_shift_inside_the_quantiles():
    truth = metrics.gaussian(4.0, 0.5)
    table = {f'q{100 * q:02.0f}': np.array([truth.ppf(q), truth.ppf(q) + 0.3]) for q in metrics.QUANTILES}
    np.testing.assert_allclose(metrics.quantile_distance(table, truth), [0, 0.3 * 0.98], atol=1e-12)
