"""Damaged and fabricated archives are refused as documented, quickly and without much memory."""

import collections
import pathlib
import zipfile

import numpy as np
import pytest
from helpers.damage import BOMB, HEADERS, archive, damaged, npy, read, rebuilt, with_header
from hypothesis import given, settings

from common.storage import files

pytestmark = pytest.mark.usefixtures('small_archives')
ARRAYS = {'a': np.arange(6, dtype=np.float32).reshape(2, 3), 'b': np.array('{"x": 1}'), 'c': np.zeros(0, np.int32)}


def test_damaged_archives_are_refused_or_unchanged(tmp_path):
    seen = collections.Counter()

    @given(damaged(archive([(f'{name}.npy', npy(array)) for name, array in ARRAYS.items()])))
    def check(data):
        (tmp_path / 'a.npz').write_bytes(data)
        found = read(lambda: files.read_npz(tmp_path / 'a.npz'), files.BadArchive)
        seen[found is None] += 1
        # The damage may be in the zip file's metadata, such as a date or an array's name, but never in an array's values.
        assert found is None or all(np.array_equal(found[name], ARRAYS[name]) for name in found.keys() & ARRAYS.keys())

    check()
    assert seen.total() >= 500 and seen[True] > 300


@pytest.mark.statistical
def test_random_archives_hold_no_objects(tmp_path):
    seen = collections.Counter()

    @settings(max_examples=1000)  # a tenth of them are refused
    @given(rebuilt(ARRAYS, 'b'))
    def check(data):
        (tmp_path / 'a.npz').write_bytes(data)
        found = read(lambda: files.read_npz(tmp_path / 'a.npz'), files.BadArchive)
        seen[found is None] += 1
        assert found is None or not any(array.dtype.hasobject for array in found.values())

    check()
    assert seen.total() >= 500 and min(seen[True], seen[False]) > 50, seen


@pytest.mark.parametrize('header', HEADERS)
def test_false_headers_allocate_no_memory(header, tmp_path):
    for version in (1, 2, 3):
        (tmp_path / 'a.npz').write_bytes(archive([('a.npy', with_header(header, bytes(16), version))]))
        found = read(lambda: files.read_npz(tmp_path / 'a.npz'), files.BadArchive)
        assert found is None or (found['a'].nbytes <= 16 and not found['a'].dtype.hasobject)


def test_what_is_not_a_file_is_refused_without_waiting(tmp_path):
    import os

    os.mkfifo(tmp_path / 'pipe')
    for path in (tmp_path / 'pipe', tmp_path, pathlib.Path('/dev/zero')):
        assert read(lambda path=path: files.read_npz(path), files.BadArchive) is None
        assert read(lambda path=path: files.read_csv(path), files.BadTable) is None


def test_why_archives_are_refused(tmp_path):
    for message, members, packing in (
        ('two arrays of one name', [('a.npy', npy(1)), ('a.npy', npy(2))], zipfile.ZIP_STORED),
        ('two arrays of one name', [('a.npy', npy(1)), ('a', npy(2))], zipfile.ZIP_STORED),
        ('packed otherwise', [('a.npy', npy(1))], zipfile.ZIP_LZMA),
        ('unpack to more than 4 MiB', [('a.npy', npy(BOMB))], zipfile.ZIP_DEFLATED),
        ('pickled objects', [('a.npy', npy(np.array([None])))], zipfile.ZIP_STORED),
    ):
        (tmp_path / 'a.npz').write_bytes(archive(members, packing))
        with pytest.raises(files.BadArchive, match=message):
            files.read_npz(tmp_path / 'a.npz')
