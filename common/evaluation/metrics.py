"""Metrics that compare generated samples with the true distribution, for all runs at once."""

import types
import warnings
from typing import Any

import numpy as np
import scipy.stats
import tensorflow as tf

from common.evaluation import MODE_REACH
from common.nn import sorting

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
SAMPLE_COLUMNS = ('mean', 'std', 'skewness', 'kurtosis', *(f'q{100 * q:02.0f}' for q in QUANTILES), 'wasserstein', 'ks')


def describe(samples: np.ndarray, truth: Any) -> dict[str, np.ndarray]:
    """Statistics of each run's samples; all NaN for a run with a sample that is not finite.

    Args:
      samples: [runs, n], any float type; computed in double precision.
      truth: the true distribution, a frozen `scipy.stats` distribution or another object with `cdf` and `ppf`.

    Returns:
      {column: float64 [runs]} for `SAMPLE_COLUMNS`: mean, population std, skewness, excess kurtosis (both NaN if all samples
      are equal), interpolated quantiles, and the Wasserstein-1 and Kolmogorov-Smirnov distances to `truth`.
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


def wasserstein(ordered: np.ndarray, truth: Any) -> np.ndarray:
    """Wasserstein-1 distance of sorted samples [runs, n] to `truth`, [runs]: mean_i |x_(i) - Q((i - 1/2) / n)|.

    This is the midpoint rule for the integral over quantiles, with one interval per sample.
    """
    n = ordered.shape[1]
    return np.abs(ordered - truth.ppf((np.arange(n) + 0.5) / n)).mean(axis=1)


def kolmogorov_smirnov(ordered: np.ndarray, truth: Any) -> np.ndarray:
    """Largest difference between the empirical distribution function of sorted samples [runs, n] and the true one, [runs]."""
    n = ordered.shape[1]
    cdf = truth.cdf(ordered)
    return np.maximum(np.arange(1, n + 1) / n - cdf, cdf - np.arange(n) / n).max(axis=1)


def wasserstein_on_grid(samples: tf.Tensor, edges: np.ndarray | tf.Tensor, cdf: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Wasserstein-1 distance without sorting, for compiled loops: [runs, 1, n] -> [runs]; NaN if a sample is not finite.

    It is the integral of |F_n(x) - F(x)| by the trapezoidal rule over `edges`; samples outside count as if at the border.

    Args:
      samples: float32 [runs, 1, n].
      edges: [m], increasing; or a float32 tensor [runs, 1, m].
      cdf: the true distribution function at `edges`, of the same shape.
    """
    column = tf.transpose(samples, [0, 2, 1])  # edges innermost: XLA vectorizes over them
    below = tf.reduce_mean(tf.cast(column < _float32(edges), tf.float32), axis=1)
    widths = edges[..., 1:] - edges[..., :-1]
    concat = tf.concat if tf.is_tensor(widths) else np.concat
    nothing = 0 * widths[..., :1]
    weights = (concat([widths, nothing], axis=-1) + concat([nothing, widths], axis=-1)) / 2
    distance = tf.reduce_sum(tf.abs(below - _rows(_float32(cdf))) * _rows(_float32(weights)), axis=1)
    return tf.where(tf.reduce_all(tf.math.is_finite(samples), axis=[1, 2]), distance, np.nan)


def edges(half_range: float | tf.Tensor, count: int) -> np.ndarray | tf.Tensor:
    """`count` numbers from -half_range to half_range for `wasserstein_on_grid`, [count], or [runs, 1, count] of a tensor."""
    if not tf.is_tensor(half_range):
        return np.linspace(-half_range, half_range, count)
    return half_range * np.linspace(-1, 1, count)


def _float32(values):
    return values if tf.is_tensor(values) else values.astype(np.float32)


def _rows(values):
    """[runs, 1, m] -> [runs, m]; [m] stays."""
    return values[:, 0] if values.ndim == 3 else values


def wasserstein_inside(samples: tf.Tensor, truth: Any) -> tf.Tensor:
    """`wasserstein` of unsorted samples, for compiled loops: [runs, 1, n] -> [runs]; NaN if a sample is not finite."""
    quantiles = midpoint_quantiles(truth, samples.shape[2]).astype(np.float32)
    return wasserstein_to_quantiles(sorting.ascending(samples), quantiles)


def midpoint_quantiles(truth: Any, n: int) -> np.ndarray:
    """Quantiles of a distribution at the midpoints of n equal parts, [n]."""
    return truth.ppf((np.arange(n) + 0.5) / n)


def wasserstein_to_quantiles(ascending: tf.Tensor, quantiles: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Distance of sorted samples [runs, 1, n] from a distribution's `midpoint_quantiles`, [n] or one row per run: [runs]."""
    distance = tf.reduce_mean(tf.abs(ascending - quantiles), axis=[1, 2])
    return tf.where(tf.reduce_all(tf.math.is_finite(ascending), axis=[1, 2]), distance, np.nan)


def gaussian(mean: float, std: float) -> Any:
    """The true distribution N(mean, std^2), a frozen `scipy.stats` distribution."""
    return scipy.stats.norm(mean, std)


def gaussian_cdf(x: np.ndarray | tf.Tensor, mean: float | tf.Tensor, std: float | tf.Tensor) -> np.ndarray | tf.Tensor:
    """The distribution function of N(mean, std^2) at x, [m]; or with tensors [runs, 1, 1] and [runs, 1, m] among them."""
    if any(map(tf.is_tensor, (x, mean, std))):
        return 0.5 * tf.math.erfc(tf.cast((mean - x) / std, tf.float32) * np.float32(0.5**0.5))
    return gaussian(mean, std).cdf(x)


def gaussian_mixture(means: np.ndarray, stds: np.ndarray) -> types.SimpleNamespace:
    """Mixture of N(mean, std^2) with equal weights; has the methods `cdf`, `ppf`, `pdf`, `mean` and `std`."""
    parts = [scipy.stats.Normal(mu=mean, sigma=std) for mean, std in zip(means, stds, strict=True)]
    mixture = scipy.stats.Mixture(parts)
    return types.SimpleNamespace(
        cdf=mixture.cdf, ppf=mixture.icdf, pdf=mixture.pdf, mean=mixture.mean, std=mixture.standard_deviation
    )


def quantile_distance(table: dict[str, np.ndarray], truth: Any) -> np.ndarray:
    """Wasserstein-1 distance computed from quantiles, [runs], for outcomes whose samples are not known.

    The tails beyond the outermost quantiles are ignored, so the distance is slightly too small.

    Args:
      table: {column: [runs]} with `q01` to `q99`.
      truth: frozen `scipy.stats` distribution.
    """
    levels = np.stack([table[f'q{100 * q:02.0f}'] for q in QUANTILES])
    return np.trapezoid(np.abs(levels - truth.ppf(QUANTILES)[:, None]), QUANTILES, axis=0)


def describe_modes(samples: np.ndarray, means: np.ndarray, stds: np.ndarray) -> dict[str, np.ndarray]:
    """How the samples of each run are distributed over the modes of a mixture with equal weights.

    Args:
      samples: [runs, n].
      means: of the modes, [modes], ascending, so far apart that no sample can belong to two modes.
      stds: of the modes, [modes].

    Returns:
      {column: float64 [runs]}, NaN for a run with a sample that is not finite. `modes_covered`: modes with at least half of
      their true fraction of the samples. `mode_mass_error`: total variation distance, 0 to 1, between the fractions of the
      modes (and of the samples between them) and the true ones. `between_mass`: fraction of samples that belong to no mode
      (true: 0.0027). `mode_width`: root mean square distance of the other samples from the mean of their mode, in its stds
      (true: 0.987; 0 if all lie on the means; NaN if there are none).
    """
    samples, means, stds = (np.asarray(values, np.float64) for values in (samples, means, stds))
    cuts = (means[:-1] + MODE_REACH * stds[:-1] + means[1:] - MODE_REACH * stds[1:]) / 2
    mode = np.searchsorted(cuts, samples)
    distance = np.abs(samples - means[mode]) / stds[mode]
    mode[~(distance < MODE_REACH)] = len(means)  # no mode
    shares = np.stack([(mode == i).mean(axis=1) for i in range(len(means))], axis=1)
    between = 1 - shares.sum(axis=1)
    true_share = (1 - 2 * scipy.stats.norm.sf(MODE_REACH)) / len(means)
    error = (np.abs(shares - true_share).sum(axis=1) + np.abs(between - (1 - true_share * len(means)))) / 2
    inside = mode < len(means)
    squares = np.sum(distance**2, axis=1, where=inside)
    width = np.sqrt(np.divide(squares, inside.sum(axis=1), out=np.full(len(samples), np.nan), where=inside.any(axis=1)))
    columns = {
        'modes_covered': (shares >= true_share / 2).sum(axis=1).astype(float),
        'mode_mass_error': error,
        'between_mass': between,
        'mode_width': width,
    }
    finite = np.isfinite(samples).all(axis=1)
    return {name: np.where(finite, values, np.nan) for name, values in columns.items()}


def convergence_steps(steps: np.ndarray, distances: np.ndarray, bound: float) -> tuple[np.ndarray, np.ndarray]:
    """First recorded step at which a run's distance is below a bound, and first step from which on it stays below.

    Args:
      steps: [records], ascending.
      distances: [runs, records]; NaN is not below the threshold.
      bound: the threshold.

    Returns:
      (first, lasting), float64 [runs] each; inf for a run without such a step.
    """
    below = distances < bound
    lasting = np.logical_and.accumulate(below[:, ::-1], axis=1)[:, ::-1]
    return tuple(np.where(flags.any(axis=1), steps[flags.argmax(axis=1)], np.inf) for flags in (below, lasting))
