"""How far generated samples are from the true distribution, for every run at once."""

import types
import warnings

import numpy as np
import scipy.stats
import tensorflow as tf

from common.evaluation import MODE_REACH
from common.nn import sorting

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


def wasserstein_inside(samples, truth):
    """`wasserstein` of samples in any order inside the compiled loop, [runs, 1, n] -> [runs]; NaN where one is not finite."""
    n = samples.shape[2]
    quantiles = truth.ppf((np.arange(n) + 0.5) / n).astype(np.float32)
    distance = tf.reduce_mean(tf.abs(sorting.ascending(samples) - quantiles), axis=[1, 2])
    return tf.where(tf.reduce_all(tf.math.is_finite(samples), axis=[1, 2]), distance, np.nan)


def gaussian(mean, deviation):
    """The true distribution N(mean, deviation^2), for the functions above."""
    return scipy.stats.norm(mean, deviation)


def gaussian_mixture(means, deviations):
    """Equal parts of N(mean, deviation^2), with the methods of `gaussian` that are used here."""
    parts = [scipy.stats.Normal(mu=mean, sigma=deviation) for mean, deviation in zip(means, deviations, strict=True)]
    mixture = scipy.stats.Mixture(parts)
    return types.SimpleNamespace(
        cdf=mixture.cdf, ppf=mixture.icdf, pdf=mixture.pdf, mean=mixture.mean, std=mixture.standard_deviation
    )


def quantile_distance(table, truth):
    """Wasserstein distance to a distribution from the quantiles alone, for outcomes of which nothing else is known, [runs].

    Args:
      table: {column: [runs]} with `q01` to `q99`; the tails beyond them are left out, so it is a little small.
      truth: frozen `scipy.stats` distribution.
    """
    levels = np.stack([table[f'q{100 * q:02.0f}'] for q in QUANTILES])
    return np.trapezoid(np.abs(levels - truth.ppf(QUANTILES)[:, None]), QUANTILES, axis=0)


def describe_modes(samples, means, deviations):
    """How the samples of each run are shared out over the modes of a mixture of equal parts.

    Args:
      samples: [runs, n].
      means, deviations: of the modes, [modes] each, in ascending order, and too far apart to share a sample.

    Returns:
      {column: float64 [runs]}, NaN for a run with a sample that is not finite. `modes_covered`: modes with at least half of
      their true share of the samples. `mode_mass_error`: half the sum of the differences between the shares of the modes and of
      what lies between them and the true ones, 0 to 1 (total variation). `between_mass`: share of the samples that belong to
      no mode (true: 0.0027). `mode_width`: root mean square distance of the others from their mode's mean, in its deviations
      (true: 0.987; 0 if all lie on the means; NaN if there are none).
    """
    samples, means, deviations = (np.asarray(values, np.float64) for values in (samples, means, deviations))
    cuts = (means[:-1] + MODE_REACH * deviations[:-1] + means[1:] - MODE_REACH * deviations[1:]) / 2
    mode = np.searchsorted(cuts, samples)
    place = np.abs(samples - means[mode]) / deviations[mode]
    mode[~(place < MODE_REACH)] = len(means)  # no mode
    shares = np.stack([(mode == i).mean(axis=1) for i in range(len(means))], axis=1)
    between = 1 - shares.sum(axis=1)
    true_share = (1 - 2 * scipy.stats.norm.sf(MODE_REACH)) / len(means)
    error = (np.abs(shares - true_share).sum(axis=1) + np.abs(between - (1 - true_share * len(means)))) / 2
    inside = mode < len(means)
    squares = np.sum(place**2, axis=1, where=inside)
    width = np.sqrt(np.divide(squares, inside.sum(axis=1), out=np.full(len(samples), np.nan), where=inside.any(axis=1)))
    columns = {
        'modes_covered': (shares >= true_share / 2).sum(axis=1).astype(float),
        'mode_mass_error': error,
        'between_mass': between,
        'mode_width': width,
    }
    finite = np.isfinite(samples).all(axis=1)
    return {name: np.where(finite, values, np.nan) for name, values in columns.items()}


def convergence_steps(steps, distances, bound):
    """Of each run, the first recorded step at which its distance is below a bound, and the first from which on it stays there.

    Args:
      steps: [records], ascending.
      distances: [runs, records]; NaN is not below.
      bound: float.

    Returns:
      (first, lasting), float64 [runs] each; inf for a run that has none.
    """
    below = distances < bound
    lasting = np.logical_and.accumulate(below[:, ::-1], axis=1)[:, ::-1]
    return tuple(np.where(flags.any(axis=1), steps[flags.argmax(axis=1)], np.inf) for flags in (below, lasting))
