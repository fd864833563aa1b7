"""Our seeds of the MNIST author's programs, after 5,000 iterations on all of MNIST, against the author's own.

They are the committed numbers of `scripts/make_figures.py --post=mnist --only=original`: all of MNIST is not bundled. False
alarms: Holm's procedure at 1e-3 over 16 hypotheses. The smallest shift that a Kolmogorov-Smirnov test of 40 seeds against 40
detects with probability 0.8, at the level of its most significant hypothesis, is about 1.4 standard deviations of a normal
column, of 28 against 28 about 1.75.
"""

import numpy as np
import pytest
from helpers.paths import ROOT
from helpers.post_checks import power_of_comparison

from common.evaluation import two_sample
from common.storage import files
from reproductions.mnist import claims as mnist_claims


def ours(variant):
    return files.read_csv(ROOT / 'figures' / 'mnist' / f'{variant}_{mnist_claims.ORIGINAL_STEPS}.csv')


def p_values(pairs):
    return {
        (name, column): p
        for name, (table, theirs) in pairs.items()
        for column, p in two_sample.compare(table, theirs, mnist_claims.COMPARED).items()
    }


def test_outcomes_match_the_authors():
    pairs = {variant: (ours(variant), mnist_claims.original(variant)) for variant in mnist_claims.ORIGINAL_RUNS}
    found = p_values(pairs)
    assert len(found) == 16 and two_sample.rejected(found, family_wise=1e-3) == []


def test_the_two_programs_differ_in_nearly_everything():
    """The comparison tells the author's programs, which differ in Adam's constants alone, from each other."""
    found = p_values({'swapped': (ours('2018-06'), mnist_claims.original('2018-08'))})
    assert len(two_sample.rejected(found, family_wise=1e-3)) >= 5


@pytest.mark.parametrize(('variant', 'runs'), [('2018-06', 40), ('2018-08', 28)])
def test_the_files_hold_as_many_seeds_and_none_twice(variant, runs):
    table, theirs = ours(variant), mnist_claims.original(variant)
    assert len(theirs['seed']) == runs and len(table['seed']) == runs and table['finite'].all() and theirs['finite'].all()
    assert not set(np.r_[table['seed']]) & set(theirs['seed'])  # other seeds than the author's


def test_power_is_what_the_docstring_states():
    assert 0.7 < power_of_comparison(40, 40, 1.4, 1e-3 / 16) < 0.95
    assert 0.7 < power_of_comparison(28, 28, 1.75, 1e-3 / 16) < 0.95
