"""Loading digits: every format gives the same, damaged files are refused with one line, and no network is needed."""

import gzip
import hashlib
import struct

import numpy as np
import pytest
import tensorflow as tf

from reproductions.mnist import dataset

RNG = np.random.default_rng(0)
ARRAYS = {
    'x_train': RNG.integers(0, 256, (24, 28, 28), np.uint8),
    'y_train': np.arange(24, dtype=np.uint8) % 10,
    'x_test': RNG.integers(0, 256, (10, 28, 28), np.uint8),
    'y_test': np.arange(10, dtype=np.uint8),
}


def idx(array):
    return struct.pack(f'>HBB{array.ndim}I', 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_idx(directory, packed=()):
    directory.mkdir(exist_ok=True)
    for name, array in ARRAYS.items():
        path, data = directory / dataset.PARTS[name], idx(array)
        if name in packed:
            path.with_name(f'{path.name}.gz').write_bytes(gzip.compress(data))
        else:
            path.write_bytes(data)
    return directory


def test_bundled_digits_are_those_that_the_license_describes():
    digits, notice = dataset.load('bundled')
    assert (digits.name, notice) == ('MNIST, bundled subset', '')
    assert digits.x_train.shape == (8000, 784) and digits.x_test.shape == (2000, 784)
    assert np.bincount(digits.y_train).tolist() == [800] * 10 and np.bincount(digits.y_test).tolist() == [200] * 10
    assert digits.x_train.max() == 255 and 30 < digits.x_train.mean() < 36  # MNIST's own mean is 33.3


def test_every_format_gives_the_same(tmp_path):
    np.savez(tmp_path / 'digits.npz', **ARRAYS, more=np.zeros(3))
    sources = [
        tmp_path / 'digits.npz',
        write_idx(tmp_path / 'plain'),
        write_idx(tmp_path / 'mixed', packed=['x_train', 'y_test']),
    ]
    loaded = [dataset.load(str(source)) for source in sources]
    for digits, notice in loaded:
        assert digits.name == dataset.UNKNOWN and 'not MNIST as published' in notice
        np.testing.assert_array_equal(digits.x_train, ARRAYS['x_train'].reshape(24, 784))
        np.testing.assert_array_equal(digits.y_test, ARRAYS['y_test'])
        assert digits.sha256 == loaded[0][0].sha256
    np.savez(tmp_path / 'other.npz', **ARRAYS | {'y_test': ARRAYS['y_test'][::-1]})
    assert dataset.load(str(tmp_path / 'other.npz'))[0].sha256 != loaded[0][0].sha256


def dotted(name):
    return name.replace('-idx', '.idx')


def emnist(name):
    return f'emnist-digits-{name.replace("t10k", "test")}'


@pytest.mark.parametrize(
    ('place', 'naming'),
    [
        ('', dotted),
        ('', lambda name: f'{name}/{dotted(name)}'),
        ('', lambda name: f'{name}/{name}'),
        ('', lambda name: f'{name}.gz'),  # unpacked already
        ('MNIST/raw', str),
        ('raw', lambda name: f'{dotted(name)}.gz'),
        ('gzip', emnist),
        ('EMNIST/raw', lambda name: f'{emnist(name)}.gz'),
    ],
    ids=['a dot', 'folders of Kaggle', 'folders', 'unpacked .gz', 'torchvision', 'raw', 'EMNIST', 'torchvision, EMNIST'],
)
def test_other_usual_names(place, naming, tmp_path):
    """EMNIST's images are stored column by column, and are turned."""
    turned = 'EMNIST' in place or place == 'gzip'
    for name, array in ARRAYS.items():
        path = tmp_path / place / naming(dataset.PARTS[name])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(idx(array.transpose(0, 2, 1).copy() if turned and array.ndim == 3 else array))
    digits, _ = dataset.load(str(tmp_path))
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(getattr(digits, name), array.reshape(len(array), -1).squeeze())
    (tmp_path / place / naming(dataset.PARTS['y_test'])).unlink()
    with pytest.raises(dataset.BadData, match='labels-idx1-ubyte'):
        dataset.load(str(tmp_path))


def test_known_digits_are_identified_by_the_checksums_of_their_idx_files(tmp_path, monkeypatch):
    known = tuple(hashlib.sha256(idx(array)).hexdigest() for array in ARRAYS.values())
    monkeypatch.setitem(dataset.KNOWN, 'ours', known)
    np.savez(tmp_path / 'digits.npz', **ARRAYS)
    for source in (tmp_path / 'digits.npz', write_idx(tmp_path / 'idx')):
        digits, notice = dataset.load(str(source))
        assert (digits.name, notice) == ('ours', '')


def damaged_sources(path):
    """{what is wrong: (source, part of the message)}."""
    np.savez(path / 'digits.npz', **ARRAYS)
    whole = (path / 'digits.npz').read_bytes()
    (path / 'short.npz').write_bytes(whole[: len(whole) // 2])
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    (path / 'flipped.npz').write_bytes(flipped)
    (path / 'text.npz').write_text('no digits', encoding='utf-8')
    np.savez(path / 'lacking.npz', x_train=ARRAYS['x_train'])
    np.savez(path / 'floats.npz', **ARRAYS | {'x_train': ARRAYS['x_train'] / 255})
    np.savez(path / 'binary.npz', **ARRAYS | {'x_train': ARRAYS['x_train'] // 128})
    np.savez(path / 'labels.npz', **ARRAYS | {'y_train': ARRAYS['y_train'] + 1})
    np.savez(path / 'objects.npz', **ARRAYS | {'y_train': np.array([None] * 24)})
    cases = {
        'nowhere': (path / 'none', 'does not exist'),
        'truncated archive': (path / 'short.npz', 'cannot be read'),
        'flipped bit': (path / 'flipped.npz', 'cannot be read'),
        'text': (path / 'text.npz', 'is not an .npz file'),
        'lacking': (path / 'lacking.npz', 'lacks y_train'),
        'zeros and ones': (path / 'binary.npz', 'bytes of 0 and 1 only, where digits have 0 to 255'),
        'floats': (path / 'floats.npz', 'x_train as float64'),
        'labels': (path / 'labels.npz', 'y_train'),
        'pickled objects': (path / 'objects.npz', 'holds pickled objects'),
        'empty directory': (path / 'empty', 'has no train-images-idx3-ubyte'),
    }
    (path / 'empty').mkdir()
    images = dataset.PARTS['x_train']
    for name, change, message in (
        ('idx truncated', lambda data: data[:-1], 'truncated'),
        ('idx longer', lambda data: data + b'0', 'longer'),
        ('idx magic', lambda data: b'\0\0\x0d\3' + data[4:], 'no IDX file'),
        ('idx of another size', lambda data: data[:8] + struct.pack('>I', 32) + data[12:], '24 x 32 x 28'),
        ('idx of many', lambda data: data[:4] + struct.pack('>I', 2**31) + data[8:], 'not digits'),
        ('idx empty', lambda data: b'', 'no IDX file'),
    ):
        directory = write_idx(path / name)
        (directory / images).write_bytes(change((directory / images).read_bytes()))
        cases[name] = (directory, message)
    directory = write_idx(path / 'gz', packed=['x_train'])
    packed = (directory / f'{images}.gz').read_bytes()
    (directory / f'{images}.gz').write_bytes(packed[:-200])
    cases['gz truncated'] = (directory, 'cannot be read')
    return cases


def test_damaged_files_are_refused_with_one_line(tmp_path):
    for name, (source, message) in damaged_sources(tmp_path).items():
        with pytest.raises(dataset.BadData) as caught:
            dataset.load(str(source))
        assert message in str(caught.value) and '\n' not in str(caught.value), name


def test_a_damaged_bundle_is_refused(monkeypatch):
    monkeypatch.setitem(dataset.KNOWN, 'MNIST, bundled subset', ('0',) * 4)
    with pytest.raises(dataset.BadData, match='damaged'):
        dataset.load('bundled')


def test_auto_uses_the_cached_file_or_else_the_bundled_digits(tmp_path, monkeypatch):
    monkeypatch.setenv('KERAS_HOME', str(tmp_path))
    asked = []

    def no_network(name, origin, **kwargs):
        asked.append((name, origin))
        raise Exception(f'URL fetch failure on {origin}: None -- [Errno -2] Name or service not known')

    monkeypatch.setattr(tf.keras.utils, 'get_file', no_network)
    digits, notice = dataset.load('auto')
    assert digits.name == 'MNIST, bundled subset'
    assert 'Name or service not known' in notice and 'bundled' in notice and '\n' not in notice
    assert asked == [('mnist.npz', dataset.KERAS_URL)]
    np.savez(tmp_path / 'datasets' / 'mnist.npz', **ARRAYS)
    assert dataset.load('auto')[0].x_train.shape == (24, 784) and len(asked) == 1


def test_a_download_that_fails_without_a_word_is_named_by_its_kind(tmp_path, monkeypatch):
    monkeypatch.setenv('KERAS_HOME', str(tmp_path))

    def fail(name, origin, **kwargs):
        raise TimeoutError

    monkeypatch.setattr(tf.keras.utils, 'get_file', fail)
    digits, notice = dataset.load('auto')
    assert digits.name == 'MNIST, bundled subset' and 'TimeoutError' in notice


def test_auto_downloads_into_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv('KERAS_HOME', str(tmp_path))

    def download(name, origin, cache_dir, file_hash):
        assert file_hash == dataset.KERAS_SHA256
        np.savez(cache_dir / 'datasets' / name, **ARRAYS)

    monkeypatch.setattr(tf.keras.utils, 'get_file', download)
    assert dataset.load('auto')[0].x_test.shape == (10, 784)
