"""Damaged and fabricated files, by hand and at random, and reading them within limits of time and memory."""

import io
import json
import struct
import time
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import strategies as st

SECONDS, BYTES = 5.0, 2**24  # limits for reading a file
UNPACKED = 2**22  # the limit on unpacked archives in these tests, in place of `files.MOST_BYTES`


def read(function, refusal):
    """What a function returns, or None if it raises `refusal` with a one-line message; fails if it exceeds a limit."""
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


@st.composite
def damaged(draw, whole):
    """The bytes of a file: truncated, with bits flipped, with pieces cut out, inserted or repeated, or nothing but noise."""
    kind = draw(st.sampled_from(['truncated', 'flipped', 'flipped', 'cut out', 'inserted', 'repeated', 'noise', 'noisy']))
    last = len(whole) - 1
    start = draw(st.integers(0, last) | st.integers(0, min(last, 64)) | st.integers(max(0, last - 200), last))
    noise = draw(st.binary(min_size=1, max_size=40))
    end = draw(st.integers(start, min(len(whole), start + 3000)))
    if kind == 'flipped':
        flipped = bytearray(whole)
        for at in [start, *draw(st.lists(st.integers(0, len(whole) - 1), max_size=3))]:
            flipped[at] ^= draw(st.sampled_from([1, 2, 4, 8, 16, 32, 64, 128, 255]))
        return bytes(flipped)
    return {
        'truncated': whole[:start],
        'cut out': whole[:start] + whole[end:],
        'inserted': whole[:start] + noise + whole[start:],
        'repeated': whole[:end] + whole[start:],
        'noise': noise,
        'noisy': whole[:4] + noise * 20,
    }[kind]


def npy(array):
    """An array as the bytes of an .npy file, pickled where it holds objects."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=True)
    return file.getvalue()


def with_header(header, data=b'', version=1):
    """The bytes of an .npy file with this text as its header."""
    text = header.encode('latin1') + b'\n'
    return b'\x93NUMPY' + bytes([version, 0]) + struct.pack('<H' if version == 1 else '<I', len(text)) + text + data


def archive(members, packing=zipfile.ZIP_STORED):
    """The bytes of an .npz file of [(name, bytes)]; names may be repeated."""
    file = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch, zipfile.ZipFile(file, 'w', packing) as made:
        patch.setattr('warnings.warn', lambda *args, **kwargs: None)  # about repeated names
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
NAMES = st.characters(codec='utf-8', exclude_characters='\0')  # `zipfile` itself fails at a name that begins with a zero byte
BOMB = np.zeros(2 * UNPACKED, np.uint8)
JSON = st.recursive(
    st.none() | st.booleans() | st.sampled_from([-1, 0, 1, 2, 10**6, 10**18, 10**400]) | st.floats() | st.text(max_size=5),
    lambda values: st.lists(values, max_size=2) | st.dictionaries(st.text(max_size=3), values, max_size=2),
    max_leaves=4,
)  # fmt: skip


@st.composite
def text_of(draw, described):
    """A JSON object with some values changed or removed; or text that is not a JSON object."""
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
    """A valid archive of other arrays: some removed, reshaped, of other types, repeated, with false sizes in their headers, ...

    Args:
      arrays: {name: array}.
      described: the name of the array that holds JSON, or None.
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
            members[name] = with_header(draw(st.sampled_from(HEADERS)), draw(st.binary(max_size=16)), version)
        elif kind == 5:
            members[name] = draw(st.binary(max_size=30)) + members.get(name, b'')[draw(st.integers(0, 200)) :]
        elif kind == 6:
            packing = draw(st.sampled_from([zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2]))
        elif kind == 7:
            members[name], packing = npy(BOMB), zipfile.ZIP_DEFLATED
        elif kind == 8:
            members[draw(st.text(NAMES, max_size=5)) + '/' + name] = members.get(name, b'')
        else:
            members[f'{name}.npy'] = npy(array)  # which repeats the name
    return archive([(f'{name}.npy', data) for name, data in members.items()], packing)


def equal(found, arrays):
    """Whether two dictionaries of arrays are equal in names, types and values."""
    return found.keys() == arrays.keys() and all(
        found[name].dtype == array.dtype and np.array_equal(found[name], array) for name, array in arrays.items()
    )
