"""Two samples of per-seed outcomes, ours and a reference: can they be told apart?"""

import numpy as np
import scipy.stats


def compare(ours, theirs, columns):
    """Two-sample p-values per column: {'finite' or column: p}.

    Args:
      ours, theirs: {column: [runs]}, with `finite` (1 where the run stayed finite) among the columns.
      columns: names to compare by a two-sided Kolmogorov-Smirnov test over the finite runs; the shares of finite runs are
        compared by Fisher's exact test.
    """
    finite = [np.asarray(sample['finite'], bool) for sample in (ours, theirs)]
    table = [[keep.sum(), (~keep).sum()] for keep in finite]
    p = {'finite': float(scipy.stats.fisher_exact(table).pvalue)}
    for name in columns:
        a, b = (np.asarray(sample[name])[keep] for sample, keep in zip((ours, theirs), finite, strict=True))
        p[name] = float(scipy.stats.ks_2samp(a, b).pvalue)
    return p


def rejected(p_values, family_wise=1e-3):
    """Names of the hypotheses that Holm's step-down procedure rejects at a family-wise false-alarm rate."""
    ordered = sorted(p_values, key=p_values.get)
    for i, name in enumerate(ordered):
        if p_values[name] > family_wise / (len(ordered) - i):
            return ordered[:i]
    return ordered
