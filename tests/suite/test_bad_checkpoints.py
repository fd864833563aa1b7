"""Damaged and fabricated checkpoints are refused, or hold bit for bit what was saved."""

import collections
import json

import numpy as np
import pytest
from helpers.damage import JSON, archive, damaged, npy, read, rebuilt
from hypothesis import given
from hypothesis import strategies as st

from common.storage import checkpoints, files

pytestmark = pytest.mark.usefixtures('small_archives')
STATE = ((np.int32(3), np.arange(6.0).reshape(2, 3)), {'b': np.ones(2, np.float32)})
SETTINGS = {'runs': 2, 'sizes': [8, 8]}


def test_damaged_and_fabricated_checkpoints(tmp_path):
    """Refused, or the state is bit for bit what was saved; fabricated ones have the digest of their contents."""
    checkpoints.save(tmp_path, SETTINGS, STATE, {'step': np.array([0, 10]), 'loss_d': np.zeros((2, 2))})
    (path,) = checkpoints.paths(tmp_path)
    valid, arrays, seen = path.read_bytes(), files.read_npz(path), collections.Counter()
    header = json.loads(str(arrays['header']))

    @st.composite
    def signed(draw):
        changed = {name: value for name, value in arrays.items() if name != 'header'}
        name = draw(st.sampled_from(sorted(changed)))
        shape = draw(st.sampled_from([(), (1,), (2, 3), (2,), (0, 3)]))
        changed[name] = np.zeros(shape, draw(st.sampled_from(['<f8', '<f4', '<i4', '>f8', '<U2'])))
        ours = draw(st.just(SETTINGS) | JSON | st.dictionaries(st.sampled_from(['runs', 'a\nb', '']), JSON, max_size=2))
        made = draw(st.just(header) | st.just(header) | JSON.map(lambda value: {**header, 'format': value}))
        made = made | {'settings': ours, 'sha256': checkpoints._digest(ours, changed)}
        return archive([(f'{name}.npy', npy(value)) for name, value in {**changed, 'header': json.dumps(made)}.items()])

    kinds = {'damaged': damaged(valid), 'rebuilt': rebuilt(arrays, 'header'), 'signed': signed()}

    @given(st.one_of(*(st.tuples(st.just(kind), data) for kind, data in kinds.items())))
    def check(kind_and_data):
        kind, data = kind_and_data
        path.write_bytes(data)
        found = read(lambda: checkpoints.load(tmp_path, SETTINGS, STATE), checkpoints.CannotResume)
        seen[kind, found is not None] += 1
        if found:
            leaves = (found.state[0][0], found.state[0][1], found.state[1]['b'])
            for leaf, saved in zip(leaves, (STATE[0][0], STATE[0][1], STATE[1]['b']), strict=True):
                assert leaf.dtype == saved.dtype and leaf.shape == saved.shape
                assert kind == 'signed' or np.array_equal(leaf, saved)

    check()
    assert seen.total() >= 500 and all(seen[kind, False] > 50 for kind in kinds), seen
