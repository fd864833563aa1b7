"""How far generated samples are from the true distribution, for every run at once."""

import warnings

import numpy as np
import scipy.stats
import tensorflow as tf

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
SAMPLE_COLUMNS = ('mean', 'std', 'skewness', 'kurtosis', *(f'q{100 * q:02.0f}' for q in QUANTILES), 'wasserstein', 'ks')


def describe(samples, truth):
    """Statistics of each run's samples; NaN throughout for a run with a sample that is not finite.

    Args:
      samples: [runs, n], any float type; computed in double precision.
      truth: the true distribution, a frozen `scipy.stats` one (or anything with its `cdf` and `ppf`).

    Returns:
      {column: float64 [runs]} for `SAMPLE_COLUMNS`: mean, population deviation, skewness, excess kurtosis (both NaN where the
      samples are all equal), quantiles (interpolated), and the Wasserstein-1 and Kolmogorov-Smirnov distances to `truth`.
    """
    samples = np.array(samples, np.float64)  # a copy, sorted below
    samples[~np.isfinite(samples).all(axis=1)] = np.nan
    samples.sort(axis=1)
    with np.errstate(over='ignore', invalid='ignore'), warnings.catch_warnings():
        warnings.filterwarnings('ignore', message='Precision loss', category=RuntimeWarning)  # collapsed runs
        values = [samples.mean(axis=1), samples.std(axis=1)]
        values += [scipy.stats.skew(samples, axis=1), scipy.stats.kurtosis(samples, axis=1)]
    values += list(np.quantile(samples, QUANTILES, axis=1))
    return dict(zip(SAMPLE_COLUMNS, [*values, wasserstein(samples, truth), kolmogorov_smirnov(samples, truth)], strict=True))


def wasserstein(ordered, truth):
    """Wasserstein-1 distance of ordered samples [runs, n] to `truth`, [runs], by the quantile formula at midpoints.

    mean_i |x_(i) - Q((i - 1/2) / n)|, which differs from the exact integral only within each 1/n of probability.
    """
    n = ordered.shape[1]
    return np.abs(ordered - truth.ppf((np.arange(n) + 0.5) / n)).mean(axis=1)


def kolmogorov_smirnov(ordered, truth):
    """Largest distance between the empirical distribution function of ordered samples [runs, n] and the true one, [runs]."""
    n = ordered.shape[1]
    cdf = truth.cdf(ordered)
    return np.maximum(np.arange(1, n + 1) / n - cdf, cdf - np.arange(n) / n).max(axis=1)


def wasserstein_on_grid(samples, edges, cdf):
    """Wasserstein-1 distance inside the compiled loop, where sorting is slow: [runs, 1, n] -> [runs].

    The integral of |F_n(x) - F(x)| by the trapezoidal rule over `edges`; what lies outside them counts as if at the border.
    NaN samples give NaN.

    Args:
      samples: float32 [runs, 1, n].
      edges: NumPy [m], increasing.
      cdf: NumPy [m], the true distribution function at `edges`.
    """
    column = tf.transpose(samples, [0, 2, 1])  # edges innermost: XLA vectorises over them
    below = tf.reduce_mean(tf.cast(column < edges.astype(np.float32), tf.float32), axis=1)
    widths = np.diff(edges)
    weights = ((np.r_[widths, 0] + np.r_[0, widths]) / 2).astype(np.float32)
    distance = tf.reduce_sum(tf.abs(below - cdf.astype(np.float32)) * weights, axis=1)
    return tf.where(tf.reduce_all(tf.math.is_finite(samples), axis=[1, 2]), distance, np.nan)


def gaussian(mean, deviation):
    """The true distribution N(mean, deviation^2), for the functions above."""
    return scipy.stats.norm(mean, deviation)
