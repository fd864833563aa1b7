"""Files that are not to be trusted: damaged and made-up ones are refused as documented, soon and without much memory."""

import collections
import gzip
import io
import json
import pathlib
import struct
import time
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.evaluation import replay
from common.program import cli
from common.storage import checkpoints, files
from reproductions import accepted_numbers, posts
from reproductions.aylien import claims as aylien_claims
from reproductions.devnag import claims as devnag_claims
from reproductions.devnag import replay as devnag_replay
from reproductions.jang import claims as jang_claims
from reproductions.mnist import dataset

DATA = pathlib.Path(__file__).parent / 'data'
SECONDS, BYTES = 5.0, 2**24  # that reading a file may take
UNPACKED = 2**22  # what an archive may unpack to in these tests, in place of `files.MOST_BYTES`


@pytest.fixture(autouse=True)
def small_archives(monkeypatch):
    assert files.MOST_BYTES == 2**30
    monkeypatch.setattr(files, 'MOST_BYTES', UNPACKED)


def read(function, refusal):
    """What a function gives, or None where it raises `refusal` with a message of one line; fails if it takes long or much."""
    begin = time.monotonic()
    tracemalloc.start()
    try:
        return function()
    except refusal as error:
        assert str(error).strip() and len(str(error).splitlines()) == 1
        return None
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < BYTES and time.monotonic() - begin < SECONDS


# --- Damage -------------------------------------------------------------------------------------------------------------------


@st.composite
def damaged(draw, whole):
    """The bytes of a file, cut off, changed in places, with pieces cut out, put in or repeated; or nothing but noise."""
    kind = draw(st.sampled_from(['cut off', 'changed', 'changed', 'cut out', 'put in', 'repeated', 'noise', 'noisy']))
    last = len(whole) - 1
    place = draw(st.integers(0, last) | st.integers(0, min(last, 64)) | st.integers(max(0, last - 200), last))
    noise = draw(st.binary(min_size=1, max_size=40))
    other = draw(st.integers(place, min(len(whole), place + 3000)))
    if kind == 'changed':
        changed = bytearray(whole)
        for at in [place, *draw(st.lists(st.integers(0, len(whole) - 1), max_size=3))]:
            changed[at] ^= draw(st.sampled_from([1, 2, 4, 8, 16, 32, 64, 128, 255]))
        return bytes(changed)
    return {
        'cut off': whole[:place],
        'cut out': whole[:place] + whole[other:],
        'put in': whole[:place] + noise + whole[place:],
        'repeated': whole[:other] + whole[place:],
        'noise': noise,
        'noisy': whole[:4] + noise * 20,
    }[kind]


def npy(array):
    """An array as a file of its own, with pickles where it holds objects."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=True)
    return file.getvalue()


def made_up(header, data=b'', version=1):
    """A file of NumPy's format with this text for a header."""
    text = header.encode('latin1') + b'\n'
    return b'\x93NUMPY' + bytes([version, 0]) + struct.pack('<H' if version == 1 else '<I', len(text)) + text + data


def archive(members, packing=zipfile.ZIP_STORED):
    """An .npz file of [(name, bytes)]; names may come twice."""
    file = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch, zipfile.ZipFile(file, 'w', packing) as made:
        patch.setattr('warnings.warn', lambda *args, **kwargs: None)  # of names that come twice
        for name, data in members:
            made.writestr(name, data)
    return file.getvalue()


HEADERS = [
    f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}}}{more}"
    for descr, order, shape, more in (
        ("'<f4'", False, '(1000000000000000000,)', ''),
        ("'<f4'", False, '(1000000000000000000, 0)', ''),
        ("'<f4'", False, '(4611686018427387904, 4)', ''),
        ("'<f4'", False, '(-1,)', ''),
        ("'<f4'", False, '(-2, -2)', ''),
        ("'<f4'", True, '()', ''),
        ("'<f4'", False, '(2.5,)', ''),
        ("'<f4'", False, '(2L, 2L)', ''),
        ("'<f4'", False, '4', ''),
        ("'<U0'", False, '(1000000000000000000,)', ''),
        ("'V0'", False, '(1000000000000000000,)', ''),
        ("'<U100000000'", False, '(1,)', ''),
        ("'|O'", False, '(2,)', ''),
        ("[('a', '<f4'), ('b', '|O')]", False, '(2,)', ''),
        ("[('a', '<f4', (1000000000,))]", False, '(1,)', ''),
        ("'nothing'", False, '(1,)', ''),
        ("'<M8[ns]'", False, '(2,)', ''),
        ("'<f4'", 'None', '(4,)', ''),
        ("'<f4'", False, '(4,)', '[' * 5000),
        ('(' * 5000, False, '(4,)', ''),
        ('-' * 9000 + '1', False, '(4,)', ''),
        ("'<f4'", False, '(4,)', ' ' * 20_000),
        ("__import__('os')", False, '(4,)', ''),
    )
]
BOMB = np.zeros(2 * UNPACKED, np.uint8)
JSON = st.recursive(
    st.none() | st.booleans() | st.sampled_from([-1, 0, 1, 2, 10**6, 10**18, 10**400]) | st.floats() | st.text(max_size=5),
    lambda values: st.lists(values, max_size=2) | st.dictionaries(st.text(max_size=3), values, max_size=2),
    max_leaves=4,
)  # fmt: skip


@st.composite
def text_of(draw, described):
    """JSON of a description, {name: value}, with some values changed or left out; or what is none."""
    if not draw(st.integers(0, 4)):
        return draw(st.text(max_size=20) | st.sampled_from(['[' * 10**5, '1' * 5000, '{}', 'null', '"' + 'x' * 10**5 + '"']))
    changed = dict(described)
    for name in draw(st.sets(st.sampled_from(sorted(described)), max_size=2)):
        changed[name] = draw(JSON)
        if not draw(st.integers(0, 3)):
            del changed[name]
    return json.dumps(changed)


@st.composite
def rebuilt(draw, arrays, described):
    """A sound archive of other arrays: some left out, reshaped, of other types, twice there, claiming more than there is, ...

    Args:
      arrays: {name: array}.
      described: the name of the one that holds JSON, or None.
    """
    members = {name: npy(array) for name, array in arrays.items()}
    packing = zipfile.ZIP_STORED
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from(sorted(arrays)) | st.just(described or sorted(arrays)[0]))
        array, kind = arrays[name], draw(st.integers(0, 9))
        if name == described and kind < 8:
            members[name] = npy(np.array(draw(text_of(json.loads(str(array))))))
        elif kind == 0:
            members.pop(name, None)
        elif kind == 1:
            shapes = [array.shape[1:], (1, *array.shape), array.shape[::-1], (0, *array.shape), (0,), (), (3, 0)]
            shape = draw(st.sampled_from(shapes))
            members[name] = npy(np.resize(array, shape))
        elif kind == 2:
            types = ['<f8', '>f4', '<f2', '|i1', '|u1', '<i8', '<u8', '|b1', '<c8', '<U3', '|S2', '|O', '<M8[s]', '|V4', '<f4']
            kept = draw(st.sampled_from(types))
            members[name] = npy(np.zeros(array.shape, kept))
        elif kind in (3, 4):
            version = draw(st.sampled_from([1, 1, 2, 3]))
            members[name] = made_up(draw(st.sampled_from(HEADERS)), draw(st.binary(max_size=16)), version)
        elif kind == 5:
            members[name] = draw(st.binary(max_size=30)) + members.get(name, b'')[draw(st.integers(0, 200)) :]
        elif kind == 6:
            packing = draw(st.sampled_from([zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2]))
        elif kind == 7:
            members[name], packing = npy(BOMB), zipfile.ZIP_DEFLATED
        elif kind == 8:
            members[draw(st.text(max_size=5)) + '/' + name] = members.get(name, b'')
        else:
            members[f'{name}.npy'] = npy(array)  # and so twice
    return archive([(f'{name}.npy', data) for name, data in members.items()], packing)


def equal(found, arrays):
    """Whether arrays are the same in name, type and value."""
    return found.keys() == arrays.keys() and all(
        found[name].dtype == array.dtype and np.array_equal(found[name], array) for name, array in arrays.items()
    )


# --- Archives -----------------------------------------------------------------------------------------------------------------

ARRAYS = {'a': np.arange(6, dtype=np.float32).reshape(2, 3), 'b': np.array('{"x": 1}'), 'c': np.zeros(0, np.int32)}


def test_damaged_archives_are_refused_or_as_they_were(tmp_path):
    seen = collections.Counter()

    @given(damaged(archive([(f'{name}.npy', npy(array)) for name, array in ARRAYS.items()])))
    def check(data):
        (tmp_path / 'a.npz').write_bytes(data)
        found = read(lambda: files.read_npz(tmp_path / 'a.npz'), files.BadArchive)
        seen[found is None] += 1
        # A byte of the zip file's own may be damaged, in a date or in the name of an array; an array's own values never.
        assert found is None or all(np.array_equal(found[name], ARRAYS[name]) for name in found.keys() & ARRAYS.keys())

    check()
    assert seen.total() >= 500 and seen[True] > 300


def test_archives_at_random_hold_no_objects(tmp_path):
    seen = collections.Counter()

    @given(rebuilt(ARRAYS, 'b'))
    def check(data):
        (tmp_path / 'a.npz').write_bytes(data)
        found = read(lambda: files.read_npz(tmp_path / 'a.npz'), files.BadArchive)
        seen[found is None] += 1
        assert found is None or not any(array.dtype.hasobject for array in found.values())

    check()
    assert seen.total() >= 500 and min(seen[True], seen[False]) > 50, seen


@pytest.mark.parametrize('header', HEADERS)
def test_made_up_headers_take_no_memory(header, tmp_path):
    for version in (1, 2, 3):
        (tmp_path / 'a.npz').write_bytes(archive([('a.npy', made_up(header, bytes(16), version))]))
        found = read(lambda: files.read_npz(tmp_path / 'a.npz'), files.BadArchive)
        assert found is None or (found['a'].nbytes <= 16 and not found['a'].dtype.hasobject)


def test_what_is_no_file_is_not_waited_for(tmp_path):
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


# --- Traces -------------------------------------------------------------------------------------------------------------------

SMALLER = {  # of each post's program, with the numbers of steps that a shorter one has
    'aylien': ('aylien_2017-06_plain_seed5', {'steps': 3}),
    'jang': ('jang_m40_seed1', {'steps': 3, 'pretrain_steps': 2}),
    'devnag': ('devnag_2018_raw_data_seed0', {'epochs': 1}),
    'mnist': ('mnist_small', {'steps': 2}),
}


class Accepted(Exception):
    """In place of a training: the arrays that it would draw from."""


def trace(name):
    """(module that replays, its settings and arrays): a recorded trace of a post, cut down to a few steps."""
    module = posts.part(name, 'replay')
    file, changes = SMALLER[name]
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


# --- Checkpoints --------------------------------------------------------------------------------------------------------------

STATE = ((np.int32(3), np.arange(6.0).reshape(2, 3)), {'b': np.ones(2, np.float32)})
SETTINGS = {'runs': 2, 'sizes': [8, 8]}


def test_damaged_and_made_up_checkpoints(tmp_path):
    """Refused, or the state is to the bit what was saved; made-up ones have the digest of what they hold."""
    checkpoints.save(tmp_path, SETTINGS, STATE, {'step': np.array([0, 10]), 'loss_d': np.zeros((2, 2))})
    (path,) = checkpoints.paths(tmp_path)
    sound, arrays, seen = path.read_bytes(), files.read_npz(path), collections.Counter()
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

    kinds = {'damaged': damaged(sound), 'rebuilt': rebuilt(arrays, 'header'), 'signed': signed()}

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


# --- Digits -------------------------------------------------------------------------------------------------------------------

DIGITS = {
    'x_train': np.arange(6 * 784, dtype=np.uint8).reshape(6, 28, 28),
    'y_train': np.arange(6, dtype=np.uint8),
    'x_test': np.zeros((2, 28, 28), np.uint8),
    'y_test': np.array([9, 0], np.uint8),
}


def usable(digits):
    """Whether digits are of the one form that everything else takes for granted."""
    return all(
        x.dtype == y.dtype == np.uint8 and x.shape == (len(y), 784) and len(y) and y.max() < 10
        for x, y in ((digits.x_train, digits.y_train), (digits.x_test, digits.y_test))
    )


def test_damaged_and_made_up_keras_files(tmp_path):
    sound, seen = archive([(f'{name}.npy', npy(array)) for name, array in DIGITS.items()]), collections.Counter()

    @given(damaged(sound) | rebuilt(DIGITS, None))
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
    """An IDX file of other sizes or another magic number, more or less of it there."""
    sizes = draw(st.lists(st.integers(0, 2**32 - 1) | st.sampled_from([0, 1, 6, 28, 10**6, 10**6 + 1, 2**32 - 1]), max_size=4))
    sizes = draw(st.sampled_from([sizes, [10**6, 28, 28], [10**6], [len(array), *array.shape[1:]]]))
    magic = draw(st.sampled_from([b'\0\0\x08', b'\0\0\x08', b'\0\0\x0d', b'\1\0\x08']))
    magic += bytes([draw(st.integers(0, 255) | st.just(len(sizes)))])
    return magic + struct.pack(f'>{len(sizes)}I', *sizes) + array.tobytes()[: draw(st.integers(0, array.size))]


@pytest.mark.parametrize('packed', [False, True], ids=['plain', 'gz'])
def test_damaged_and_made_up_idx_files(packed, tmp_path):
    seen, end = collections.Counter(), '.gz' if packed else ''
    pack = (lambda data: gzip.compress(data, mtime=0)) if packed else bytes
    zeros = pack(bytes(2 * BYTES))  # that follow as one more member of the gzip file
    sound = {f'{dataset.PARTS[name]}{end}': pack(idx(array)) for name, array in DIGITS.items()}
    for name, data in sound.items():
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
        (tmp_path / name).write_bytes(sound[name])
        seen[found is not None] += 1
        assert found is None or usable(found[0])

    check()
    assert seen.total() >= 500 and seen[False] > 300 and seen[True] > 10, seen


# --- References ---------------------------------------------------------------------------------------------------------------

CASE = min((case for case in accepted_numbers.CASES if case.runs), key=lambda case: case.runs)
TABLES = {
    'outcomes': lambda: accepted_numbers.recorded_outcomes(CASE),
    'course': lambda: accepted_numbers.recorded_course(CASE),
    'aylien': lambda: aylien_claims.original('2016-08', 'plain'),
    'jang': jang_claims.original,
    'devnag': devnag_claims.original,
    'devnag, course': devnag_claims.original_course,
}


@st.composite
def other_tables(draw, text):
    """A table with cells, rows or columns that are no numbers, missing or too many."""
    header, *rows = [line.split(',') for line in text.split()]
    for _ in range(draw(st.integers(1, 2))):
        row = draw(st.sampled_from(rows[:20]))
        cells = ['', 'nan', '-inf', '1e400', '1_0', '"', '"1', '1' * 200_000, '٣', '0x1']
        cell = draw(st.text(max_size=5) | st.sampled_from(cells))
        row[draw(st.integers(0, len(row) - 1))] = cell
    kind = draw(st.integers(0, 5))
    if kind == 0:
        header[0] = header[-1]
    elif kind == 1:
        header = header[: draw(st.integers(0, len(header)))]
    elif kind == 2:
        rows = rows[: draw(st.integers(0, len(rows)))]
    elif kind == 3:
        rows[0] = [*rows[0], '1']
    return '\n'.join(','.join(row) for row in [header, *rows]).encode('utf-8', 'surrogatepass')


def test_damaged_and_made_up_tables(tmp_path, monkeypatch):
    """Refused, or numbers, as many in every column as are wanted."""
    path = tmp_path / f'{CASE.post}_{CASE.name}.csv'
    monkeypatch.setattr(accepted_numbers, 'DIRECTORY', tmp_path)
    columns = ['seed', *accepted_numbers.RATES, *CASE.columns]
    rng, seen = np.random.default_rng(0), collections.Counter()
    files.write_csv(path, {name: rng.normal(size=CASE.runs) for name in columns})
    sound = path.read_bytes()

    @given(damaged(sound) | other_tables(sound.decode()))
    def check(data):
        path.write_bytes(data)
        found = read(TABLES['outcomes'], files.BadTable)
        seen[found is not None] += 1
        assert found is None or (found.keys() >= set(columns) and {v.shape for v in found.values()} == {(CASE.runs,)})
        assert found is None or {value.dtype for value in found.values()} == {np.dtype(np.float64)}

    check()
    assert seen.total() >= 500 and seen[False] > 200 and seen[True] > 20, seen


@pytest.mark.parametrize('name', TABLES)
def test_a_reference_that_lacks_what_is_wanted_is_named(name, tmp_path, monkeypatch):
    monkeypatch.setattr(accepted_numbers, 'DIRECTORY', tmp_path)
    monkeypatch.setattr('importlib.resources.files', lambda package: tmp_path)
    ours = f'{CASE.post}_{CASE.name}'
    originals = ('aylien_2016-08_plain', 'jang_2016-06', 'devnag_2018-11_moments', 'devnag_2018-11_moments_trajectory')
    for file in (ours, f'{ours}_course', *originals):
        files.write_csv(tmp_path / f'{file}.csv', {'seed': [1, 2], 'finite': [1, 1]})
    with pytest.raises(files.BadTable, match=r'\.csv is damaged: it lacks'):
        TABLES[name]()


@pytest.mark.parametrize('name', TABLES)
def test_the_installed_references_are_whole(name):
    assert len({len(column) for key, column in TABLES[name]().items() if key != 'round'}) == 1


def test_a_command_ends_with_one_line_where_a_reference_is_damaged(tmp_path, capsys):
    assert cli.call(lambda argv: files.read_csv(tmp_path / 'none.csv'), ['aylien']) == 2
    error = capsys.readouterr().err
    assert error.startswith(f'error: {tmp_path}/none.csv does not exist; ') and error.count('\n') == 1
