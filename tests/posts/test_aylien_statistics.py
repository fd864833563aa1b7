"""Our seeds against those of the authors' program: takes minutes, hence `pytest -m statistical`.

False alarms: Holm's procedure at 1e-3 over all 48 hypotheses (6 files, the fractions of finite and of successful runs, and 6
columns each), on fixed seeds, so that nothing is flaky. The smallest shift that a Kolmogorov-Smirnov test of 1,000 samples
against 150 detects with probability 0.8, at the level of its most significant hypothesis (1e-3 / 48), is about 0.55 standard
deviations of a normal column; of 300 of ours against the 1,000 accepted ones (at 1e-3 / 4 for each post), 0.45.

The 1,000 accepted seeds are compared with the authors', and the first 300, trained anew, with the accepted ones.
"""

import numpy as np
import pytest
from helpers.post_checks import compared_with_the_authors, outcomes_match_the_accepted_ones, power_of_comparison

from common.evaluation import metrics, outcomes, two_sample
from reproductions import accepted_numbers
from reproductions.aylien import claims as aylien_claims
from reproductions.aylien import gan as aylien
from reproductions.aylien import settings as aylien_settings

pytestmark = pytest.mark.statistical
BRANCHES = [(variant, branch) for variant in aylien_settings.VARIANTS for branch in ('plain', 'minibatch')]


def with_success(table):
    """Success judged by the quantiles, which are all that is known of the authors' runs."""
    settings = aylien_settings.make_settings()
    distance = metrics.quantile_distance(table, aylien.truth(settings))
    return table | {'success': (table['finite'] == 1) & (distance < aylien.success_threshold(settings))}


def test_outcomes_match_the_authors():
    p_values = {}
    for case, key in zip(accepted_numbers.of('aylien'), BRANCHES, strict=True):
        found = compared_with_the_authors(case, aylien_claims.original(*key), aylien_claims.COMPARED, with_success)
        p_values |= {(*key, column): p for column, p in found.items()}
    assert len(p_values) == 48
    assert two_sample.rejected(p_values, family_wise=1e-3) == []


def test_outcomes_match_the_accepted_ones():
    outcomes_match_the_accepted_ones('aylien', 48)


@pytest.mark.parametrize(
    'changes',
    [{'learning_rate': 0.0035}, {'pretrain_steps': 0}, {'sigma': 0.8}],
    ids=['lower learning rate', 'no pre-training', 'wider data'],
)
def test_a_wrong_constant_is_detected(changes):
    """The same comparison detects a wrong constant: that it passes otherwise means something."""
    table, _, _ = outcomes.train_many(aylien, aylien_settings.make_settings('2016-08', **changes), 1000, 1000)
    p_values = two_sample.compare(table, aylien_claims.original('2016-08', 'plain'), aylien_claims.COMPARED)
    assert two_sample.rejected(p_values, family_wise=1e-3)


def test_power_is_what_the_docstring_states():
    assert power_of_comparison(1000, 150, 0.55, 1e-3 / 48) > 0.75  # 0.8, and 200 trials
    assert power_of_comparison(300, 1000, 0.45, accepted_numbers.FAMILY_WISE / 48) > 0.75


def test_the_authors_files_are_all_here():
    for variant, branch in BRANCHES:
        table = aylien_claims.original(variant, branch)
        assert len(table['seed']) >= 100 and set(aylien_claims.COMPARED) < set(table)
        assert np.isfinite(table['mean']).sum() == np.sum(table['finite'])
