"""Damaged and fabricated files of digits are refused, or give digits in the one usable form."""

import collections
import gzip
import struct

import numpy as np
import pytest
from helpers.damage import BYTES, archive, damaged, npy, read, rebuilt
from hypothesis import given
from hypothesis import strategies as st

from reproductions.mnist import dataset

pytestmark = pytest.mark.usefixtures('small_archives')
DIGITS = {
    'x_train': np.arange(6 * 784, dtype=np.uint8).reshape(6, 28, 28),
    'y_train': np.arange(6, dtype=np.uint8),
    'x_test': np.zeros((2, 28, 28), np.uint8),
    'y_test': np.array([9, 0], np.uint8),
}


def usable(digits):
    """Whether digits have the form that everything else relies on."""
    return all(
        x.dtype == y.dtype == np.uint8 and x.shape == (len(y), 784) and len(y) and y.max() < 10
        for x, y in ((digits.x_train, digits.y_train), (digits.x_test, digits.y_test))
    )


def test_damaged_and_fabricated_keras_files(tmp_path):
    valid, seen = archive([(f'{name}.npy', npy(array)) for name, array in DIGITS.items()]), collections.Counter()

    @given(damaged(valid) | rebuilt(DIGITS, None))
    def check(data):
        (tmp_path / 'digits.npz').write_bytes(data)
        found = read(lambda: dataset.load(str(tmp_path / 'digits.npz')), dataset.BadData)
        seen[found is not None] += 1
        assert found is None or (usable(found[0]) and 'not MNIST as published' in found[1])

    check()
    assert seen.total() >= 500 and seen[False] > 300 and seen[True] > 20, seen


def idx(array):
    return struct.pack(f'>HBB{array.ndim}I', 0, 8, array.ndim, *array.shape) + array.tobytes()


@st.composite
def other_idx(draw, array):
    """An IDX file with other sizes or another magic number, perhaps truncated."""
    sizes = draw(st.lists(st.integers(0, 2**32 - 1) | st.sampled_from([0, 1, 6, 28, 10**6, 10**6 + 1, 2**32 - 1]), max_size=4))
    sizes = draw(st.sampled_from([sizes, [10**6, 28, 28], [10**6], [len(array), *array.shape[1:]]]))
    magic = draw(st.sampled_from([b'\0\0\x08', b'\0\0\x08', b'\0\0\x0d', b'\1\0\x08']))
    magic += bytes([draw(st.integers(0, 255) | st.just(len(sizes)))])
    return magic + struct.pack(f'>{len(sizes)}I', *sizes) + array.tobytes()[: draw(st.integers(0, array.size))]


@pytest.mark.parametrize('packed', [False, True], ids=['plain', 'gz'])
def test_damaged_and_fabricated_idx_files(packed, tmp_path):
    seen, end = collections.Counter(), '.gz' if packed else ''
    pack = (lambda data: gzip.compress(data, mtime=0)) if packed else bytes
    zeros = pack(bytes(2 * BYTES))  # appended as one more member of the gzip file
    valid = {f'{dataset.PARTS[name]}{end}': pack(idx(array)) for name, array in DIGITS.items()}
    for name, data in valid.items():
        (tmp_path / name).write_bytes(data)

    @st.composite
    def idx_files(draw):
        name = draw(st.sampled_from(['x_train', 'y_train', 'x_test', 'y_test']))
        data = pack(idx(DIGITS[name]))
        made = draw(damaged(data) | other_idx(DIGITS[name]).map(pack))
        if packed and not draw(st.integers(0, 19)):
            made = data + zeros
        return f'{dataset.PARTS[name]}{end}', made

    @given(idx_files())
    def check(file):
        name, data = file
        (tmp_path / name).write_bytes(data)
        found = read(lambda: dataset.load(str(tmp_path)), dataset.BadData)
        (tmp_path / name).write_bytes(valid[name])
        seen[found is not None] += 1
        assert found is None or usable(found[0])

    check()
    assert seen.total() >= 500 and seen[False] > 300 and seen[True] > 10, seen
