"""Checkpoints: what is saved comes back; what does not fit is refused in one line."""

import numpy as np
import pytest

from common import checkpoints

STATE = ((np.int32(3), np.arange(6.0).reshape(2, 3)), {'b': np.ones(2, np.float32)})
RECORDS = {'step': np.array([0, 10]), 'loss_d': np.zeros((2, 2))}


def test_round_trip_to_the_bit(tmp_path):
    checkpoints.save(tmp_path, {'runs': 2}, STATE, RECORDS)
    (fit, g), records = checkpoints.load(tmp_path, {'runs': 2}, STATE)
    assert fit[0] == 3
    np.testing.assert_array_equal(fit[1], STATE[0][1])
    np.testing.assert_array_equal(g['b'], STATE[1]['b'])
    assert {name: value.tolist() for name, value in records.items()} == {n: v.tolist() for n, v in RECORDS.items()}


def test_nothing_there(tmp_path):
    with pytest.raises(checkpoints.CannotResume, match='does not exist'):
        checkpoints.load(tmp_path, {}, STATE)


def test_other_settings_are_named(tmp_path):
    checkpoints.save(tmp_path, {'runs': 2, 'seed': 42}, STATE, RECORDS)
    with pytest.raises(checkpoints.CannotResume, match='seed was 42, is 7'):
        checkpoints.load(tmp_path, {'runs': 2, 'seed': 7}, STATE)


@pytest.mark.parametrize('keep', [0, 10, 500])
def test_a_damaged_file(tmp_path, keep):
    checkpoints.save(tmp_path, {}, STATE, RECORDS)
    path = tmp_path / 'checkpoint' / checkpoints.NAME
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(checkpoints.CannotResume, match='run without --resume'):
        checkpoints.load(tmp_path, {}, STATE)
