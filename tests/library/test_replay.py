"""Reading and comparing traces."""

import json

import numpy as np
import pytest

from common.evaluation import replay


def test_relative_error():
    inf, nan = np.inf, np.nan
    recorded = [2.0, 1e-6, nan, inf, -inf, nan, 1.0, inf]
    reproduced = [2.002, 3e-6, nan, inf, inf, 1.0, nan, 5.0]
    np.testing.assert_allclose(replay.relative_error(recorded, reproduced), [1e-3, 2e-3, 0, 0, inf, inf, inf, inf], rtol=1e-6)


def test_only_the_first_twenty_steps_count():
    recorded = np.ones(30)
    late, early = recorded.copy(), recorded.copy()
    late[20] = 2
    early[19] = 2
    assert replay.worst_judged(replay.compare({'loss': (range(30), recorded, late)})) == 0
    assert replay.worst_judged(replay.compare({'loss': (range(30), recorded, early)})) == 1


def trace(path, **changes):
    arrays = {'meta': np.array(json.dumps({'post': 'aylien'})), 'x': np.zeros(3, np.float32)} | changes
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'meta': None}, 'has no readable description'),
        ({'meta': np.array('{')}, 'has no readable description'),
        ({'meta': np.array('[1]')}, 'is not a trace of aylien'),
        ({'meta': np.array('{"post": "jang"}')}, 'is not a trace of aylien'),
        ({'x': np.array([None])}, 'holds pickled objects'),
    ],
)
def test_unusable_traces_are_refused_with_one_line(tmp_path, changes, message):
    with pytest.raises(replay.BadTrace, match=message):
        replay.load(trace(tmp_path / 't.npz', **changes), 'aylien')


def test_missing_and_misshapen_arrays_are_named():
    replay.check_shapes({'x': np.zeros((3, 2), np.float32)}, {'x': (3, 2)})
    with pytest.raises(replay.BadTrace, match='lacks y'):
        replay.check_shapes({}, {'y': (3,)})
    with pytest.raises(replay.BadTrace, match=r'has x as float64 \(3,\), not float32 \(3, 2\)'):
        replay.check_shapes({'x': np.zeros(3)}, {'x': (3, 2)})


def test_a_missing_file(tmp_path):
    with pytest.raises(replay.BadTrace, match='does not exist'):
        replay.load(tmp_path / 'none.npz', 'aylien')
