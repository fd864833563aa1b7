"""Two samples of per-seed outcomes, ours and a reference: can they be told apart?"""

import warnings

import numpy as np
import scipy.stats


def compare(ours, theirs, columns, rates=('finite',)):
    """Two-sample p-values per column: {rate or column: p}.

    Args:
      ours, theirs: {column: [runs]}, with `finite` (1 where the run stayed finite) among the columns.
      columns: names to compare by a two-sided Kolmogorov-Smirnov test over the finite runs.
      rates: names of columns of 0 and 1, whose shares over all runs are compared by Fisher's exact test.
    """
    p = {}
    for name in rates:
        counts = [[np.sum(np.equal(sample[name], 1)), np.sum(np.not_equal(sample[name], 1))] for sample in (ours, theirs)]
        p[name] = float(scipy.stats.fisher_exact(counts).pvalue)
    finite = [np.asarray(sample['finite'], bool) for sample in (ours, theirs)]
    for name in columns:
        a, b = (np.asarray(sample[name])[keep] for sample, keep in zip((ours, theirs), finite, strict=True))
        with warnings.catch_warnings():  # that the exact p of two all but equal samples came out above 1, by rounding
            warnings.filterwarnings('ignore', 'ks_2samp: Exact calculation unsuccessful', RuntimeWarning)
            p[name] = float(scipy.stats.ks_2samp(a, b).pvalue)
    return p


def moved(new, old):
    """How far the middle of a column went, over finite values: (old median, new median, difference in its standard errors).

    The standard error of the difference is by the bootstrap (1,000 resamples, fixed). NaN where nothing is finite.
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


def rejected(p_values, family_wise=1e-3):
    """Names of the hypotheses that Holm's step-down procedure rejects at a family-wise false-alarm rate."""
    ordered = sorted(p_values, key=p_values.get)
    for i, name in enumerate(ordered):
        if p_values[name] > family_wise / (len(ordered) - i):
            return ordered[:i]
    return ordered
