"""Recorded runs that are damaged or made up are refused, or what is trained on is what was recorded."""

import collections
import json

import numpy as np
import pytest
from helpers.damage import archive, damaged, equal, npy, read, rebuilt
from helpers.paths import DATA
from hypothesis import given, settings
from hypothesis import strategies as st

from common.evaluation import replay
from common.storage import files
from reproductions import posts
from reproductions.devnag import replay as devnag_replay

pytestmark = pytest.mark.usefixtures('small_archives')
SMALLER = {  # recorded runs of the posts' programs, with the numbers of steps that a shorter one has
    'aylien_2017-06_plain_seed5': {'steps': 3},
    'jang_m40_seed1': {'steps': 3, 'pretrain_steps': 2},
    'devnag_2018_raw_data_seed0': {'epochs': 1},
    'mnist_small': {'steps': 2},
}


class Accepted(Exception):
    """In place of a training: the arrays that it would draw from."""


def trace(file):
    """(module that replays, its settings and arrays): a recorded trace of a post, cut down to a few steps."""
    name, changes = file.partition('_')[0], SMALLER[file]
    module = posts.part(name, 'replay')
    meta, arrays = replay.load(DATA / f'{file}.npz', name)
    meta |= changes
    shapes = module.trace_shapes(module.trace_settings(meta), changes.get('steps', changes.get('epochs')))
    kept = {key: arrays[key][: shape[0]] for key, shape in shapes.items()}
    if name == 'mnist':
        kept['x'] = arrays['x'][: meta['steps']]
    return module, meta, kept


@pytest.fixture
def untrained(monkeypatch):
    def accept(arrays):
        raise Accepted(arrays)

    monkeypatch.setattr(replay, 'compare_run', lambda experiment, meta, arrays, losses: accept(arrays))
    monkeypatch.setattr(devnag_replay, 'retrain', lambda settings, rounds, arrays: accept(arrays))


@pytest.mark.parametrize('name', SMALLER)
def test_damaged_and_made_up_traces(name, tmp_path, untrained, monkeypatch):
    """Refused, or what would be trained on is what was recorded: no value of it was changed by damage, and no shape by hand."""
    module, meta, arrays = trace(name)
    monkeypatch.setattr(files, 'MOST_BYTES', 2**23)
    whole = {'meta': np.array(json.dumps(meta)), **arrays}
    sound = archive([(f'{key}.npy', npy(array)) for key, array in whole.items()])
    path, seen = tmp_path / 'trace.npz', collections.Counter()

    def accepted():
        try:
            module.replay_trace(path)
        except Accepted as end:
            return end.args[0]

    path.write_bytes(sound)
    assert equal({key: accepted()[key] for key in arrays}, arrays)

    @settings(max_examples=150)  # and so 600 in all
    @given(st.tuples(st.just('damaged'), damaged(sound)) | st.tuples(st.just('rebuilt'), rebuilt(whole, 'meta')))
    def check(kind_and_data):
        kind, data = kind_and_data
        path.write_bytes(data)
        found = read(accepted, replay.BadTrace)
        seen[kind, found is not None] += 1
        for key, array in arrays.items() if found else ():
            assert found[key].dtype == array.dtype and found[key].ndim == array.ndim
            assert kind == 'rebuilt' or np.array_equal(found[key], array)

    check()
    assert seen.total() >= 150 and min(seen['damaged', False], seen['rebuilt', False]) > 30
    assert seen['damaged', True] + seen['rebuilt', True] > 2
