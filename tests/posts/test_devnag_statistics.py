"""Our seeds against those of the author's program, and the claims: takes minutes, hence `pytest -m statistical`.

The author's program of 2018 has 33 runs, so every test is exact: Kolmogorov-Smirnov with its exact distribution, and Fisher's.
False alarms: Holm's procedure at 1e-3 over all 29 hypotheses, on fixed seeds, so that nothing is flaky. With 64 of ours, the
smallest shift of a normal column that is detected with probability 0.8, at the level of the most significant hypothesis
(1e-3 / 29), is about 1.3 standard deviations: 33 runs can say no more. A wrong momentum or learning rate does more than that
within 200 rounds; 14 updates of G per round instead of 20 do not, and are not detected (test_devnag.py checks the published
numbers).

The program of 2017 has 70 runs, which are compared with the 200 accepted ones of ours: Holm's procedure at 1e-3 over 13
hypotheses. The smallest shift that is detected with probability 0.8 is about 0.8 standard deviations of a normal column; of 64
seeds trained anew against the 200 accepted ones (one of 65 hypotheses, at 1e-3 / 4), 1.0.
"""

import numpy as np
import pytest
import scipy.stats
from helpers.post_checks import outcomes_match_the_accepted_ones, power_of_comparison

from common.evaluation import metrics, outcomes, two_sample
from common.evaluation.claims import Verdict
from reproductions import accepted_numbers
from reproductions.devnag import claims as devnag_claims
from reproductions.devnag import figures as devnag_figures
from reproductions.devnag import gan as devnag
from reproductions.devnag import settings as devnag_settings

pytestmark = pytest.mark.statistical
RUNS = 64
ROUNDS = (0, 50, 100, 200, 500, 1000, 2000, 4950)  # of the trajectory that are compared


@pytest.fixture(scope='module')
def ours():
    return accepted_numbers.train(accepted_numbers.of('devnag')[0])


def trajectory_p_values(history, rounds):
    """{(moment, round): p} of the moments during training."""
    theirs = devnag_claims.original_trajectory()
    at = {turn: int(np.flatnonzero(theirs['round'] == turn)[0]) for turn in rounds}
    return {
        (name, turn): float(scipy.stats.ks_2samp(history[name][:, turn], theirs[name][:, at[turn]], method='exact').pvalue)
        for name in devnag_figures.MOMENTS
        for turn in rounds
    }


def test_outcomes_and_trajectory_match_the_authors(ours):
    table, history = ours
    theirs = devnag_claims.original()
    p_values = two_sample.compare(table, theirs, devnag_claims.COMPARED)
    good = [
        int(
            (
                metrics.quantile_distance(t, devnag.truth(devnag_settings.make_settings()))
                < devnag.success_threshold(devnag_settings.make_settings())
            ).sum()
        )
        for t in (table, theirs)
    ]
    p_values['success'] = float(scipy.stats.fisher_exact([[good[0], RUNS - good[0]], [good[1], 33 - good[1]]]).pvalue)
    p_values |= trajectory_p_values(history, ROUNDS)
    assert len(p_values) == 29
    assert two_sample.rejected(p_values, family_wise=1e-3) == []


def test_outcomes_of_2017_match_the_authors():
    settings = devnag_settings.make_settings('2017-02')
    case = next(case for case in accepted_numbers.of('devnag') if case.variant == '2017-02')
    ours, theirs = accepted_numbers.recorded_outcomes(case), devnag_claims.original('2017-02')
    for table in (ours, theirs):
        table['success'] = metrics.quantile_distance(table, devnag.truth(settings)) < devnag.success_threshold(settings)
    p_values = two_sample.compare(ours, theirs, devnag_claims.COMPARED, accepted_numbers.RATES)
    assert len(p_values) == 13
    assert two_sample.rejected(p_values, family_wise=1e-3) == []


def test_outcomes_match_the_accepted_ones():
    outcomes_match_the_accepted_ones('devnag', 65)


@pytest.mark.parametrize(
    'changes',
    [{'momentum': 0.8}, {'learning_rate': 0.0007}],
    ids=['another momentum', 'lower learning rate'],
)
def test_a_wrong_constant_is_detected(changes):
    """The first 200 rounds reveal a wrong constant: that the comparison passes otherwise means something."""
    _, history, _ = outcomes.train_many(devnag, devnag_settings.make_settings(**changes), 2000, RUNS, num_steps=201)
    assert two_sample.rejected(trajectory_p_values(history, (0, 50, 100, 200)), family_wise=1e-3)


def test_power_is_what_the_docstring_states():
    rng = np.random.default_rng(0)
    p_values = [
        scipy.stats.ks_2samp(rng.normal(size=RUNS), rng.normal(size=33) + 1.3, method='exact').pvalue for _ in range(300)
    ]
    assert np.mean(np.array(p_values) < 1e-3 / 29) > 0.75  # 0.8, and 300 trials
    assert 0.7 < power_of_comparison(200, 70, 0.8, 1e-3 / 13) < 0.95
    assert 0.7 < power_of_comparison(64, 200, 1.0, accepted_numbers.FAMILY_WISE / 65) < 0.95


def test_claims_keep_their_verdicts(ours):
    """If a verdict changes, find out why before you edit this test.

    Of 64 runs perhaps none ends bimodal, as one in a hundred does; N4 is then partly reproduced.
    """
    older = accepted_numbers.train(next(case for case in accepted_numbers.of('devnag') if case.variant == '2017-02'))
    measured = [*devnag_claims.measure_outcomes(*ours), devnag_claims.more_stable(*zip(ours, older, strict=True))]
    verdicts = {m.claim: m.verdict for m in measured}
    assert verdicts.pop('N4') in (Verdict.REPRODUCED, Verdict.PARTLY)
    assert verdicts == {
        'N1': Verdict.REPRODUCED,
        'N2': Verdict.REPRODUCED,
        'N3': Verdict.PARTLY,
        'N5': Verdict.NOT_REPRODUCED,
        'N6': Verdict.REPRODUCED,
    }


def test_the_authors_files_are_all_here():
    trajectory = devnag_claims.original_trajectory()
    for variant, runs in (('2018-11', 33), ('2017-02', 70)):
        table = devnag_claims.original(variant)
        assert len(table['seed']) == runs and set(devnag_claims.COMPARED) < set(table) and np.isfinite(table['mean']).all()
    assert trajectory['round'].tolist() == list(range(0, 5000, 50)) and trajectory['mean'].shape == (33, 100)
