"""Damaged and fabricated traces are refused, or the arrays used for training are those that were recorded."""

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
from reproductions import contract
from reproductions.devnag import replay as devnag_replay

pytestmark = pytest.mark.usefixtures('small_archives')
SMALLER = {  # recorded runs of the posts' programs, and the numbers of steps that they are cut down to
    'aylien_2017-06_plain_seed5': {'steps': 3},
    'jang_m40_seed1': {'steps': 3, 'pretrain_steps': 2},
    'devnag_2018_raw_data_seed0': {'epochs': 1},
    'mnist_small': {'steps': 2},
    'mnist_conditional': {'steps': 1},
}


class Accepted(Exception):
    """Replaces training: holds the arrays that it would use."""


def trace(file):
    """(module that replays, its settings and arrays): a recorded trace of a post, cut down to a few steps."""
    name, changes = file.partition('_')[0], SMALLER[file]
    module = contract.part(name, 'replay')
    meta, arrays = labelled() if file == 'mnist_conditional' else replay.load(DATA / f'{file}.npz', name)
    meta |= changes
    shapes = module.trace_shapes(module.trace_settings(meta), changes.get('steps', changes.get('epochs')))
    kept = {key: arrays[key][: shape[0]] for key, shape in shapes.items()}
    if name == 'mnist':
        kept |= {key: arrays[key][: meta['steps']] for key in ('x', 'y') if key in arrays}
    return module, meta, kept


def labelled():
    """The trace of MNIST's listing as if it were conditional: small enough to be damaged many times, unlike a recorded one."""
    meta, arrays = replay.load(DATA / 'mnist_small.npz', 'mnist')
    meta |= {'variant': '2018-06', 'conditional': 10}
    for network, widths in (('D', meta['d_arch']), ('G', meta['g_arch'])):
        widths[0] += 10
        arrays[f'init/{network}/l0/w'] = np.resize(arrays[f'init/{network}/l0/w'], widths[:2])
    return meta, arrays | {
        'y': (np.arange(arrays['x'].shape[0] * meta['batch_size']) % 10).astype(np.uint8).reshape(-1, meta['batch_size'])
    }


@pytest.fixture
def untrained(monkeypatch):
    def accept(arrays):
        raise Accepted(arrays)

    monkeypatch.setattr(replay, 'compare_run', lambda experiment, meta, arrays: accept(arrays))
    monkeypatch.setattr(devnag_replay, 'retrain', lambda settings, rounds, arrays: accept(arrays))


@pytest.mark.parametrize('name', SMALLER)
def test_damaged_and_fabricated_traces(name, tmp_path, untrained, monkeypatch):
    """Refused, or the arrays are those that were recorded: damage never changes a value, nor fabrication a type or a rank."""
    module, meta, arrays = trace(name)
    monkeypatch.setattr(files, 'MOST_BYTES', 2**23)
    whole = {'meta': np.array(json.dumps(meta)), **arrays}
    valid = archive([(f'{key}.npy', npy(array)) for key, array in whole.items()])
    path, seen = tmp_path / 'trace.npz', collections.Counter()

    def accepted():
        try:
            module.replay_trace(path)
        except Accepted as end:
            return end.args[0]

    path.write_bytes(valid)
    assert equal({key: accepted()[key] for key in arrays}, arrays)

    @settings(max_examples=150)  # of each
    @given(st.tuples(st.just('damaged'), damaged(valid)) | st.tuples(st.just('rebuilt'), rebuilt(whole, 'meta')))
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
