"""Two-sample tests: do our per-seed outcomes differ from those of a reference?"""

import warnings
from collections.abc import Sequence

import numpy as np
import scipy.stats


def compare(
    ours: dict[str, np.ndarray],
    theirs: dict[str, np.ndarray],
    columns: Sequence[str],
    fractions: Sequence[str] = ('finite',),
) -> dict[str, float]:
    """Two-sample p-values, {column: p}.

    Args:
      ours: {column: [runs]}, including `finite` (1 if the run stayed finite).
      theirs: likewise, of the reference.
      columns: names to compare by a two-sided Kolmogorov-Smirnov test over the finite runs.
      fractions: names of columns of 0 and 1, whose fractions of 1 over all runs are compared by Fisher's exact test.
    """
    p = {}
    for name in fractions:
        counts = [[np.sum(np.equal(sample[name], 1)), np.sum(np.not_equal(sample[name], 1))] for sample in (ours, theirs)]
        p[name] = float(scipy.stats.fisher_exact(counts).pvalue)
    finite = [np.asarray(sample['finite'], bool) for sample in (ours, theirs)]
    for name in columns:
        a, b = (np.asarray(sample[name])[keep] for sample, keep in zip((ours, theirs), finite, strict=True))
        with warnings.catch_warnings():  # of nearly equal samples, whose exact p rounds to above 1
            warnings.filterwarnings('ignore', 'ks_2samp: Exact calculation unsuccessful', RuntimeWarning)
            p[name] = float(scipy.stats.ks_2samp(a, b).pvalue)
    return p


def moved(new: np.ndarray, old: np.ndarray) -> tuple[float, float, float]:
    """Change of a column's median over finite values: (old median, new median, difference in standard errors).

    The standard error of the difference is a bootstrap estimate (1,000 resamples, fixed seed). All are NaN if either sample has
    fewer than two finite values.
    """
    samples = [np.asarray(sample, float)[np.isfinite(sample)] for sample in (old, new)]
    if not all(sample.size > 1 for sample in samples):
        return np.nan, np.nan, np.nan
    before, after = (float(np.median(sample)) for sample in samples)
    if before == after:
        return before, after, 0.0
    error = np.hypot(*(
        scipy.stats.bootstrap((sample,), np.median, n_resamples=1000, method='percentile', rng=0).standard_error
        for sample in samples
    ))  # fmt: skip
    return before, after, float((after - before) / error) if error else np.inf


def rejected(p_values: dict[str, float], family_wise: float = 1e-3) -> list[str]:
    """Names of the hypotheses that Holm's step-down procedure rejects at a family-wise error rate, smallest p first."""
    ordered = sorted(p_values, key=p_values.get)
    for i, name in enumerate(ordered):
        if p_values[name] > family_wise / (len(ordered) - i):
            return ordered[:i]
    return ordered
