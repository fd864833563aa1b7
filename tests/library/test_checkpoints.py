"""Checkpoints: round trips; the last two are kept; what does not match is refused with a one-line message."""

import io
import json
import os
import resource
import signal
import time
import tracemalloc
import warnings
import zipfile
from typing import NamedTuple

import numpy as np
import pytest

from common.storage import checkpoints, files

STATE = ((np.int32(3), np.arange(6.0).reshape(2, 3)), {'b': np.ones(2, np.float32)})
RECORDS = {'step': np.array([0, 10]), 'loss_d': np.zeros((2, 2))}


def numbers(directory):
    return [int(path.stem.removeprefix('state-')) for path in checkpoints.paths(directory)]


def test_round_trip_to_the_bit(tmp_path):
    checkpoints.save(tmp_path, {'runs': 2}, STATE, RECORDS)
    found = checkpoints.load(tmp_path, {'runs': 2}, STATE)
    (pretrain_state, g), records = found.state, found.records
    assert pretrain_state[0] == 3 and found.damaged == {}
    np.testing.assert_array_equal(pretrain_state[1], STATE[0][1])
    np.testing.assert_array_equal(g['b'], STATE[1]['b'])
    assert {name: value.tolist() for name, value in records.items()} == {n: v.tolist() for n, v in RECORDS.items()}


def test_a_missing_checkpoint(tmp_path):
    assert not checkpoints.exists(tmp_path)
    with pytest.raises(checkpoints.CannotResume, match='does not exist'):
        checkpoints.load(tmp_path, {}, STATE)


def test_the_last_two_by_number_are_kept_whatever_the_clock_says(tmp_path):
    for step in range(12):
        checkpoints.save(tmp_path, {}, {'step': np.int32(step)}, {})
        os.utime(checkpoints.paths(tmp_path)[-1], (1e9 - step, 1e9 - step))
    assert numbers(tmp_path) == [10, 11] and checkpoints.exists(tmp_path)
    assert checkpoints.load(tmp_path, {}, {'step': np.int32(0)}).state['step'] == 11
    assert len(list((tmp_path / 'checkpoint').iterdir())) == 2


def test_different_settings_are_named(tmp_path):
    checkpoints.save(tmp_path, {'runs': 2, 'seed': 42, 'old': 1}, STATE, RECORDS)
    with pytest.raises(checkpoints.CannotResume, match='seed was 42, is 7') as error:
        checkpoints.load(tmp_path, {'runs': 2, 'seed': 7, 'new': None}, STATE)
    assert 'old was 1, is not there' in str(error.value) and 'new was not there, is None' in str(error.value)
    assert 'runs' not in str(error.value)


def test_a_damaged_newest_falls_back_to_the_one_before(tmp_path):
    for step in range(3):
        checkpoints.save(tmp_path, {}, {'step': np.int32(step)}, {})
    newest = checkpoints.paths(tmp_path)[-1]
    newest.write_bytes(newest.read_bytes()[:-40])
    found = checkpoints.load(tmp_path, {}, {'step': np.int32(0)})
    assert found.state['step'] == 1 and list(found.damaged) == [newest] and 'cannot be read' in found.damaged[newest]
    checkpoints.set_aside(newest)
    checkpoints.save(tmp_path, {}, {'step': np.int32(7)}, {})
    assert numbers(tmp_path) == [1, 2]  # both intact
    assert checkpoints.load(tmp_path, {}, {'step': np.int32(0)}).state['step'] == 7
    assert newest.with_name(f'damaged-{newest.name}').exists()


class Pair(NamedTuple):
    """Two networks of the same shape."""

    d: np.ndarray
    g: np.ndarray


def test_parts_of_the_same_shape_are_distinguished_by_name(tmp_path):
    checkpoints.save(tmp_path, {}, Pair(np.zeros(3), np.ones(3)), {})
    (path,) = checkpoints.paths(tmp_path)
    assert {'state/d', 'state/g'} <= set(files.read_npz(path))
    assert checkpoints.load(tmp_path, {}, Pair(np.zeros(3), np.zeros(3))).state.g.tolist() == [1, 1, 1]
    with pytest.raises(checkpoints.CannotResume, match='is not a checkpoint of these networks'):
        checkpoints.load(tmp_path, {}, {'g': np.zeros(3), 'h': np.zeros(3)})


def test_an_older_format_is_named(tmp_path):
    (tmp_path / 'checkpoint').mkdir()
    header = np.array(json.dumps({'format': 1, 'settings': {}}))
    files.write_npz(tmp_path / 'checkpoint' / 'state.npz', {'header': header, 'state/0': np.int32(3)})
    with pytest.raises(
        checkpoints.CannotResume,
        match=r'state\.npz was written by another version of this suite \(format 1; this one reads 4\)',
    ):
        checkpoints.load(tmp_path, {}, {'step': np.int32(0)})
    checkpoints.save(tmp_path, {}, {'step': np.int32(0)}, {})
    assert [path.name for path in checkpoints.paths(tmp_path)] == ['state.npz', 'state-000000.npz']


# --- Untrusted files ----------------------------------------------------------------------------------------------------------


def refused(directory, seconds=5.0, most=50e6):
    """Loading fails with a one-line message, quickly and without much memory."""
    begin = time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(checkpoints.CannotResume) as error:
            checkpoints.load(directory, {'runs': 2}, STATE)
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()
    assert time.monotonic() - begin < seconds and '\n' not in str(error.value)
    return str(error.value)


def rewritten(directory, change, digest=True):
    """Saves, then changes the arrays ({name: array}) in the file, with the digest of the new arrays or of the old ones."""
    for path in checkpoints.paths(directory):
        path.unlink()
    checkpoints.save(directory, {'runs': 2}, STATE, RECORDS)
    (path,) = checkpoints.paths(directory)
    arrays = files.read_npz(path)
    header = json.loads(str(arrays.pop('header')))
    arrays = change(arrays)
    if digest:
        header['sha256'] = checkpoints._digest(header['settings'], arrays)
    files.write_npz(path, arrays | {'header': np.array(json.dumps(header))})


@pytest.mark.parametrize(
    'change',
    [
        lambda arrays: {name: value for name, value in arrays.items() if name != 'state/0/1'},
        lambda arrays: arrays | {'state/0/2': np.zeros(1)},
        lambda arrays: arrays | {'state/0/1': np.zeros((2, 4))},
        lambda arrays: arrays | {'state/0/1': arrays['state/0/1'].astype(np.float32)},
        lambda arrays: arrays | {'state/1/b': np.array(['a', 'b'])},
        lambda arrays: {},
    ],
    ids=['missing', 'extra', 'shape', 'type', 'text', 'empty'],
)
def test_a_valid_file_of_another_structure_is_refused(change, tmp_path):
    rewritten(tmp_path, change)
    assert 'is not a checkpoint of these networks' in refused(tmp_path)
    rewritten(tmp_path, change, digest=False)
    assert 'not those that were saved' in refused(tmp_path)


def test_records_that_were_changed_are_refused(tmp_path):
    rewritten(tmp_path, lambda arrays: arrays | {'records/loss_d': np.zeros((5, 7))}, digest=False)
    assert 'not those that were saved' in refused(tmp_path)


@pytest.mark.parametrize(
    'header',
    ['null', '[]', '"x"', '{', '[' * 10**5, '{}', '{"format": 3}', '{"format": 3, "settings": 3, "sha256": 1}'],
    ids=range(8),
)  # fmt: skip
def test_invalid_headers(header, tmp_path):
    (tmp_path / 'checkpoint').mkdir()
    files.write_npz(tmp_path / 'checkpoint' / 'state-000000.npz', {'header': np.array(header), 'state/0': np.zeros(2)})
    refused(tmp_path)


def test_arrays_that_claim_to_be_huge_allocate_no_memory(tmp_path, monkeypatch):
    directory = tmp_path / 'checkpoint'
    directory.mkdir()
    claim = io.BytesIO()
    np.lib.format.write_array_header_1_0(claim, {'descr': '<f8', 'fortran_order': False, 'shape': (10**11,)})
    with zipfile.ZipFile(directory / 'state-000000.npz', 'w') as archive:
        archive.writestr('header.npy', claim.getvalue() + bytes(100))
    assert 'an array is not as large as its header says' in refused(tmp_path)
    assert files.MOST_BYTES == 2**30
    monkeypatch.setattr(files, 'MOST_BYTES', 2**20)
    with zipfile.ZipFile(directory / 'state-000000.npz', 'w', zipfile.ZIP_DEFLATED) as archive:
        for i in range(9):
            archive.writestr(f'state/{i}.npy', bytes(2**17))
    assert 'would unpack to more than 1 MiB' in refused(tmp_path, most=1e6)


def test_pickles_are_refused(tmp_path):
    (tmp_path / 'checkpoint').mkdir()
    with open(tmp_path / 'checkpoint' / 'state-000000.npz', 'wb') as file:
        np.savez(file, header=np.array([{'format': 3}], dtype=object))
    assert 'holds pickled objects' in refused(tmp_path)


# --- Writing that fails -------------------------------------------------------------------------------------------------------


def test_a_full_disk_leaves_the_earlier_checkpoints(tmp_path):
    """The kernel stops a file from growing in the middle of a write."""
    for _ in range(2):
        checkpoints.save(tmp_path, {}, STATE, RECORDS)
    before = {path.name: path.read_bytes() for path in (tmp_path / 'checkpoint').iterdir()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(files.CannotWrite, match=r'state-000002\.npz cannot be written \(File too large\)'):
            checkpoints.save(tmp_path, {}, STATE, RECORDS | {'loss_d': np.zeros((2, 5000))})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {path.name: path.read_bytes() for path in (tmp_path / 'checkpoint').iterdir()} == before


def test_killed_while_writing(tmp_path):
    """Processes that do nothing but save are killed with SIGKILL at random moments: the newest checkpoint is always intact."""
    rng, template = np.random.default_rng(0), {'step': np.int32(0), 'w': np.zeros(50_000, np.int64)}
    last, newest, partial = -1, -1, 0
    for _ in range(15):
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', DeprecationWarning)  # about forking with threads: the child uses none of them
            child = os.fork()
        if not child:
            try:
                for step in range(last + 1, 10**6):
                    state = {'step': np.int32(step), 'w': np.full(50_000, step)}
                    checkpoints.save(tmp_path, {}, state, {'step': np.arange(step + 1)})
            finally:
                os._exit(1)
        while not numbers(tmp_path) or numbers(tmp_path)[-1] == newest:  # until it has saved once
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.05))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        found = checkpoints.load(tmp_path, {}, template)
        step = int(found.state['step'])
        assert found.damaged == {} and step >= last and (found.state['w'] == step).all()
        assert found.records['step'].tolist() == list(range(step + 1)) and len(numbers(tmp_path)) <= 3
        partial += len(list((tmp_path / 'checkpoint').glob(f'{files.PARTIAL}*')))
        files.remove_partial(tmp_path / 'checkpoint')
        last, newest = step, numbers(tmp_path)[-1]
    assert last >= 14 and partial  # some of the kills happened during a write
