"""Every post, variant and claim has an accepted reference, every reference a test, and training follows the accepted losses."""

import inspect
import json

import numpy as np
import pytest
import tensorflow as tf
from helpers.paths import ROOT

from reproductions import accepted_numbers, contract, overview

LAST_CLAIMS = ('A5', 'M6', 'J7', 'N6', 'D3')  # of each post


def test_every_variant_has_a_reference_and_every_reference_a_case():
    for name in contract.NAMES:
        assert {case.variant for case in accepted_numbers.of(name)} == set(contract.post(name).settings.VARIANTS)
    trajectories = {f'{case.post}_{case.name}_course.csv' for case in accepted_numbers.cases()}
    outcomes = {f'{case.post}_{case.name}.csv' for case in accepted_numbers.cases() if case.runs}
    assert len(trajectories) == 22 and len(outcomes) == 18
    assert {path.name for path in accepted_numbers.DIRECTORY.iterdir() if path.name.endswith('.csv')} == trajectories | outcomes
    for case in accepted_numbers.cases():
        if case.runs:
            table = accepted_numbers.recorded_outcomes(case)
            assert table['seed'].tolist() == list(range(case.seed, case.seed + case.runs))
            assert set(table) == {'seed', *accepted_numbers.RATES, *case.columns}


def test_every_post_with_recorded_outcomes_compares_with_them():
    for name in {case.post for case in accepted_numbers.cases() if case.runs}:
        text = (ROOT / 'tests' / 'posts' / f'test_{name}_statistics.py').read_text(encoding='utf-8')
        assert f"outcomes_match_the_accepted_ones('{name}'" in text


def test_every_claim_has_a_reference_that_equals_the_figures():
    recorded = overview.recorded_claims()
    for name, (letter, count) in zip(contract.NAMES, LAST_CLAIMS, strict=True):
        assert [claim['claim'] for claim in recorded[name]] == [f'{letter}{i + 1}' for i in range(int(count))]
        assert recorded[name] == json.loads((ROOT / 'figures' / name / 'claims.json').read_text(encoding='utf-8'))


def test_departure_by_hand(monkeypatch):
    monkeypatch.setattr(accepted_numbers, 'TRAJECTORY_STEPS', 2)
    case, loss_g = accepted_numbers.cases()[0], np.array([4.0, np.nan, 1.0, 1.0, 2.0, 2.0])  # two steps of three seeds
    accepted = {'loss_d': np.array([1.0, 2.0, 1.0, 1e-5, 4.0, 4.0]), 'loss_g': loss_g}
    monkeypatch.setattr(accepted_numbers, 'recorded_trajectory', lambda case: accepted)
    assert accepted_numbers.departure(case, accepted) == 0
    one = {'loss_d': np.array([1.0, 3.0, 1.0, 1e-5, 4.0, 4.0])}
    assert accepted_numbers.departure(case, accepted | one) == 0  # one seed of three
    two = {'loss_d': np.array([1.0, 3.0, 1.0, 1e-5, 4.0, 4.04])}
    assert accepted_numbers.departure(case, accepted | two) == pytest.approx(0.01)
    assert accepted_numbers.departure(case._replace(agreeing=0.25), accepted | two) == 0
    all_three = {'loss_d': np.array([1.0, 3.0, 1.0, 3e-5, 4.0, 4.04])}
    assert accepted_numbers.departure(case, accepted | all_three) == pytest.approx(0.02)  # relative to the floor
    assert accepted_numbers.departure(case._replace(agreeing=0.25), accepted | all_three) == pytest.approx(0.01)
    unlike = {'loss_d': np.array([1.0, 2.0, 1.0, np.inf, 4.0, 4.0]), 'loss_g': np.where(np.isnan(loss_g), 1.0, loss_g)}
    assert accepted_numbers.departure(case, unlike) == np.inf  # two of three differ from the accepted ones in being finite


@pytest.mark.statistical
@pytest.mark.parametrize('case', accepted_numbers.cases(), ids=lambda case: f'{case.post}_{case.name}')
def test_the_trajectory_matches_the_accepted_one(case, monkeypatch):
    """Another processor rounds otherwise, and must pass, too: every initial weight is moved by a millionth, 16 roundings."""
    gan = contract.part(case.post, 'gan')
    experiment, random = inspect.unwrap(gan.make_experiment)(case.settings), np.random.default_rng(1)

    def moved(weights):
        return weights * np.float32(1 + 1e-6 * random.standard_normal(weights.shape))

    moved_experiment = experiment._replace(init=lambda seeds: tf.nest.map_structure(moved, experiment.init(seeds)))
    monkeypatch.setattr(gan, 'make_experiment', lambda settings: moved_experiment)
    assert 0 < accepted_numbers.departure(case, accepted_numbers.trajectory(case)) < accepted_numbers.TOLERANCE
