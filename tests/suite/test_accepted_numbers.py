"""Every post, variant and claim has an accepted reference, every reference a test, and training follows the accepted losses."""

import inspect
import json

import numpy as np
import pytest
import tensorflow as tf
from helpers.paths import ROOT

from reproductions import accepted_numbers, contract

LAST_CLAIMS = ('A5', 'M6', 'J7', 'N6', 'D3')  # of each post


def test_every_variant_has_a_reference_and_every_reference_a_case():
    for name in contract.NAMES:
        assert {case.variant for case in accepted_numbers.of(name)} == set(contract.part(name, 'gan').VARIANTS)
    trajectories = {f'{case.post}_{case.name}_course.csv' for case in accepted_numbers.CASES}
    outcomes = {f'{case.post}_{case.name}.csv' for case in accepted_numbers.CASES if case.runs}
    assert len(trajectories) == 22 and len(outcomes) == 18
    assert {path.name for path in accepted_numbers.DIRECTORY.iterdir() if path.name.endswith('.csv')} == trajectories | outcomes
    for case in accepted_numbers.CASES:
        if case.runs:
            table = accepted_numbers.recorded_outcomes(case)
            assert table['seed'].tolist() == list(range(case.seed, case.seed + case.runs))
            assert set(table) == {'seed', *accepted_numbers.RATES, *case.columns}


def test_every_post_with_recorded_outcomes_compares_with_them():
    for name in {case.post for case in accepted_numbers.CASES if case.runs}:
        text = (ROOT / 'tests' / 'posts' / f'test_{name}_statistics.py').read_text(encoding='utf-8')
        assert f"outcomes_match_the_accepted_ones('{name}'" in text


def test_every_claim_has_a_reference_that_equals_the_figures():
    recorded = contract.recorded_claims()
    for name, (letter, count) in zip(contract.NAMES, LAST_CLAIMS, strict=True):
        assert [claim['claim'] for claim in recorded[name]] == [f'{letter}{i + 1}' for i in range(int(count))]
        assert recorded[name] == json.loads((ROOT / 'figures' / name / 'claims.json').read_text(encoding='utf-8'))


def test_departure_by_hand(monkeypatch):
    monkeypatch.setattr(accepted_numbers, 'TRAJECTORY_STEPS', 2)
    case = accepted_numbers.CASES[0]
    loss_d = np.array([1.0, 2.0, 1.0, 1e-5, 4.0, 4.0, 1.0, 1.0, 1.0, 1.0])  # two steps of five seeds
    accepted = {'loss_d': loss_d, 'loss_g': np.array([4.0, np.nan, 1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0])}
    monkeypatch.setattr(accepted_numbers, 'recorded_trajectory', lambda case: accepted)

    def departure(changes):  # {index: new loss of D}; of five seeds the second smallest departure counts
        changed = loss_d.copy()
        changed[list(changes)] = list(changes.values())
        return accepted_numbers.departure(case, accepted | {'loss_d': changed})

    assert departure({}) == 0
    assert departure({1: 3.0, 5: 9.0, 7: 9.0}) == 0  # three seeds of five
    assert departure({1: 3.0, 5: 4.04, 7: 9.0, 9: 9.0}) == pytest.approx(0.01)
    assert departure({1: 3.0, 3: 3e-5, 7: 9.0, 9: 9.0}) == pytest.approx(0.02)  # over the floor
    assert departure({1: np.inf, 5: np.inf, 7: np.nan, 9: np.inf}) == np.inf
    finite = np.nan_to_num(accepted['loss_g'], nan=1.0)  # the first seed is finite where the accepted is not
    changed = np.where(np.arange(10) > 4, np.inf, loss_d)
    assert accepted_numbers.departure(case, {'loss_d': changed, 'loss_g': finite}) == np.inf


@pytest.mark.statistical
@pytest.mark.parametrize('case', accepted_numbers.CASES, ids=lambda case: f'{case.post}_{case.name}')
def test_the_trajectory_matches_the_accepted_one(case):
    assert accepted_numbers.departure(case, accepted_numbers.trajectory(case)) < accepted_numbers.TOLERANCE


@pytest.mark.statistical
@pytest.mark.parametrize('case', accepted_numbers.CASES, ids=lambda case: f'{case.post}_{case.name}')
def test_rounding_stays_within_the_tolerance(case, monkeypatch):
    """Another processor rounds elsewhere; here every initial weight moves by a millionth, which is 16 roundings."""
    gan = contract.part(case.post, 'gan')
    experiment, random = inspect.unwrap(gan.make_experiment)(case.settings), np.random.default_rng(1)

    def moved(weights):
        return weights * np.float32(1 + 1e-6 * random.standard_normal(weights.shape))

    moved_experiment = experiment._replace(init=lambda seeds: tf.nest.map_structure(moved, experiment.init(seeds)))
    monkeypatch.setattr(gan, 'make_experiment', lambda settings: moved_experiment)
    trajectory = accepted_numbers.trajectory(case)
    assert 0 < accepted_numbers.departure(case, trajectory) < accepted_numbers.TOLERANCE
