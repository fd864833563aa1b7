"""Judges points in the plane whose true distribution is a mixture of round Gaussians with equal weights, such as a ring."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.stats

from common.evaluation import MODE_REACH
from common.evaluation.outcomes import Judge

DIRECTIONS = 64  # of the sliced Wasserstein distance
INSIDE = 1 - np.exp(-(MODE_REACH**2) / 2)  # share of a round Gaussian within `MODE_REACH` stds of its mean: 0.989
GOLDEN = np.pi * (3 - np.sqrt(5))  # angle between successive points of a sunflower


def ring(modes: int, radius: float, std: float) -> tuple[np.ndarray, np.ndarray]:
    """Means [modes, 2], evenly spaced on a circle, and stds [modes]."""
    angles = 2 * np.pi * np.arange(modes) / modes
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1), np.full(modes, std)


def reference(means: np.ndarray, stds: np.ndarray, per_mode: int) -> np.ndarray:
    """Evenly spread points of the mixture, [modes * per_mode, 2]: in each mode a sunflower with a Gaussian's radii."""
    radii = scipy.stats.rayleigh.ppf((np.arange(per_mode) + 0.5) / per_mode)
    angles = GOLDEN * np.arange(per_mode)
    spread = radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return (means[:, None] + stds[:, None, None] * spread).reshape(-1, 2)


def sliced_wasserstein(samples: np.ndarray, points: np.ndarray, directions: int = DIRECTIONS) -> np.ndarray:
    """Mean over directions of the Wasserstein-1 distance between projections (Bonneel et al. 2015, section 4), [runs].

    The directions are evenly spaced over half a turn. It is NaN for a run with a sample that is not finite. The 1-D distances
    compare quantiles at the midpoints of n equal parts.

    Args:
      samples: [runs, n, 2].
      points: of the true distribution, [m, 2].
      directions: how many.
    """
    angles = np.pi * np.arange(directions) / directions
    axes = np.stack([np.cos(angles), np.sin(angles)])  # [2, directions]
    n = samples.shape[1]
    ours = np.sort(samples @ axes, axis=1)
    theirs = np.quantile(points @ axes, (np.arange(n) + 0.5) / n, axis=0, method='hazen')
    distance = np.abs(ours - theirs).mean(axis=(1, 2))
    return np.where(np.isfinite(samples).all(axis=(1, 2)), distance, np.nan)


def describe(samples: np.ndarray, means: np.ndarray, stds: np.ndarray, points: np.ndarray) -> dict[str, np.ndarray]:
    """Statistics of each run's samples, {column: float64 [runs]}; NaN for a run with a sample that is not finite.

    Means and population stds of both coordinates; `sliced_wasserstein`; `modes_covered`, modes with at least half of their
    true share of samples within 3 stds; `mode_mass_error`, total variation distance between the modes' shares (and what lies
    between them) and the true ones; `between_mass`, the share of samples within 3 stds of no mode (true: 0.011), 1 less what
    Srivastava et al. 2017 call high-quality samples.

    Args:
      samples: [runs, n, 2].
      means, stds: of the modes, [modes, 2] and [modes], so far apart that no sample can belong to two.
      points: of the true distribution, see `reference`.
    """
    samples = np.asarray(samples, np.float64)
    finite = np.isfinite(samples).all(axis=(1, 2))
    safe = np.where(finite[:, None, None], samples, 0.0)
    distances = np.stack([np.linalg.norm(safe - mean, axis=2) / std for mean, std in zip(means, stds, strict=True)], axis=1)
    shares = (distances < MODE_REACH).mean(axis=2)  # [runs, modes]
    between, true_share = 1 - shares.sum(axis=1), INSIDE / len(means)
    error = (np.abs(shares - true_share).sum(axis=1) + np.abs(between - (1 - INSIDE))) / 2
    columns = dict(zip(('mean_x', 'mean_y', 'std_x', 'std_y'), [*safe.mean(axis=1).T, *safe.std(axis=1).T], strict=True))
    columns |= {
        'sliced_wasserstein': sliced_wasserstein(safe, points),
        'modes_covered': (shares >= true_share / 2).sum(axis=1).astype(float),
        'mode_mass_error': error,
        'between_mass': between,
    }
    return {name: np.where(finite, values, np.nan) for name, values in columns.items()}


def judge(evaluate: Callable, means: np.ndarray, stds: np.ndarray, threshold: float, **rest: Any) -> Judge:
    """The judge of points in the plane.

    Args:
      evaluate: (seeds, d, g) -> (outputs of D [runs, ...], samples of G [runs, n, 2]), tensors or NumPy.
      means, stds: of the data's modes, [modes, 2] and [modes].
      threshold, rest: see `Judge`.
    """
    points = reference(means, stds, 250)

    def measure(seeds, d, g):
        decision, samples = (np.asarray(values) for values in evaluate(seeds, d, g))
        columns = describe(samples, means, stds, points)
        decision = decision.reshape(len(seeds), -1)
        columns |= {'d_mean': decision.mean(axis=1), 'd_min': decision.min(axis=1), 'd_max': decision.max(axis=1)}
        return {'finite': np.isfinite(decision).all(axis=1) & np.isfinite(samples).all(axis=(1, 2))} | columns, {}

    targets = {'sliced_wasserstein': 0.0, 'modes_covered': len(means), 'mode_mass_error': 0.0, 'between_mass': 1 - INSIDE}
    rest = {'losses': ('loss_d', 'loss_g')} | rest
    return Judge(measure, threshold, targets | {'d_mean': 0.5}, distance='sliced_wasserstein', **rest)


def picture(samples: np.ndarray, half_range: float, side: int = 96) -> np.ndarray:
    """Samples [n, 2] of one run as a picture, bytes [side, side], dark on white; points outside +-half_range are left out."""
    edges = np.linspace(-half_range, half_range, side + 1)
    counts, _, _ = np.histogram2d(*samples[np.isfinite(samples).all(axis=1)].T, (edges, edges))
    darkness = np.sqrt(counts / max(counts.max(), 1))
    return np.round(255 * (1 - darkness.T[::-1])).astype(np.uint8)
