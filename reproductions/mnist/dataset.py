"""Loads MNIST from a Keras `mnist.npz`, the four IDX files, Keras's cache or download, or the bundled subset.

Digits are identified by the SHA-256 of their uncompressed IDX files. Other formats are converted first, so one table of
checksums serves all.
"""

import dataclasses
import hashlib
import importlib.resources
import pathlib
import socket
import struct

import numpy as np
import tensorflow as tf

from common.nn import random
from common.nn.random import Stream
from common.storage import caches, files
from reproductions.mnist import idx
from reproductions.mnist.idx import PARTS, SIDE, BadData
from reproductions.mnist.settings import CLASSES, HELD_OUT

KNOWN = {  # SHA-256 of the uncompressed IDX files, in the order of `PARTS`
    'MNIST': (
        'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
        '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
        '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
        'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
    ),
    'MNIST, bundled subset': (
        '92e265b7414886ac52594f31a52609edbfc8c4bfa17dbe9e48c742312f417caa',
        'f7122ad9ee966f9c5014cbeac576e34fabb37bb75738f2f277c6fd4a7ba36fd4',
        '780e99a56e963f3affe4791a03545a6ddbdc0904dd880c7f3c50753282177303',
        'b547e409b08f1d55c77b7f0964dfb27202f97c41c014d9427a3acecfcf6a7129',
    ),
}
UNKNOWN = 'unknown digits'
KERAS_URL = 'https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz'
KERAS_SHA256 = '731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1'  # of that file, as in Keras
TIMEOUT = 5  # seconds without an answer from the network


@dataclasses.dataclass(frozen=True, eq=False)
class Digits:
    """Images uint8 [n, 784] and labels uint8 [n]. Equal only to itself, so that what is made of it can be cached."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    name: str  # a key of `KNOWN`, or `UNKNOWN`
    sha256: str  # of the four parts together


def load(source: str) -> tuple[Digits, str]:
    """Loads the digits named by --data.

    Args:
      source: 'auto' (Keras's cache, else its download, else the bundled subset), 'bundled', or a path: an .npz file with
        Keras's arrays, or a directory with the four IDX files under one of their usual names (see `idx.read`).

    Returns:
      (`Digits`, a note for the user if they may not be the expected ones, or '').

    Raises:
      BadData
    """
    if source == 'bundled':
        return bundled(), ''
    if source == 'auto':
        path, problem = _keras_file()
        if problem:
            return bundled(), f'no MNIST at {path} and none from the network ({problem}): using the bundled 10,000 digits'
    else:
        path = pathlib.Path(source)
    try:
        arrays = idx.read(path) if path.is_dir() else _read_archive(path)
    except OSError as error:  # an invalid path: too long, or not readable
        raise BadData(f'{path} cannot be read ({error.strerror})') from error
    digits = _identify(arrays, path)
    return digits, f'{path} is not MNIST as published (its checksums differ): used as it is' if digits.name == UNKNOWN else ''


def bundled() -> Digits:
    """8,000 training and 2,000 test digits of MNIST, balanced over classes. Raises BadData if the installed file is damaged."""
    source = importlib.resources.files('reproductions.data') / 'mnist10k.npz'
    with importlib.resources.as_file(source) as path:
        digits = _identify(_read_archive(path), path)
        if digits.name != 'MNIST, bundled subset':
            raise BadData(f'{path} is damaged (its checksums differ); install the suite again')
    return digits


def training_digits(digits: Digits) -> tuple[np.ndarray, np.ndarray]:
    """Training set of GAN and classifier, images uint8 [n, 784] and labels [n]; the first digits are held out."""
    first = len(digits.x_train) // HELD_OUT
    return digits.x_train[first:], digits.y_train[first:]


def too_few(digits: Digits) -> bool:
    """Whether there are too few digits for the evaluation, which needs a covariance with any one class left out."""
    judged = np.bincount(training_digits(digits)[1][: len(digits.x_test)])
    return len(digits.x_test) < 2 or judged.sum() - judged.max() < 2


def batch_indices(batch_size: int, seeds: tf.Tensor, step: tf.Tensor, size: int) -> tf.Tensor:
    """Indices of the digits in an iteration's batch, int32 [runs, batch].

    Every epoch is a new random permutation of all digits. Batches run through the epochs without a gap: the end of one epoch
    and the start of the next may share a batch, and none is short. The positions depend on the iteration alone.
    """
    positions = tf.cast(step, tf.int64) * batch_size + tf.range(batch_size, dtype=tf.int64)
    return random.permuted(seeds, Stream.ORDER, positions // size, positions % size, size)


def with_labels(rows: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Appends labels as 0 and 1: [runs, n, batch] and integers [runs, batch] -> [runs, n + 10, batch]."""
    return tf.concat([rows, tf.one_hot(tf.cast(labels, tf.int32), CLASSES, axis=1)], axis=1)


def _keras_file():
    """(path of Keras's file, ''), or (path, reason) if it is missing and cannot be downloaded."""
    home = caches.directory('KERAS_HOME', '.keras')
    if home is None:
        return pathlib.Path('~/.keras/datasets/mnist.npz'), 'there is no home directory'
    path = home / 'datasets' / 'mnist.npz'
    if path.exists():
        return path, ''
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tf.keras.utils.get_file(path.name, KERAS_URL, cache_dir=path.parent.parent, file_hash=KERAS_SHA256)
    except Exception as error:  # get_file turns urllib's errors into a bare Exception
        return path, files.first_line(str(error), type(error).__name__).rpartition('] ')[2]
    finally:
        socket.setdefaulttimeout(before)
    return path, ''


def _read_archive(path):
    """The four arrays of a Keras archive, images as [n, 28, 28]."""
    try:
        arrays = files.read_npz(path)
    except IsADirectoryError as error:
        raise BadData(f'{path} is a directory') from error
    except files.BadArchive as error:
        raise BadData(f'{path} {error}') from error
    lacking = [name for name in PARTS if name not in arrays]
    if lacking:
        raise BadData(f'{path} lacks {lacking[0]}')
    return {name: arrays[name] for name in PARTS}


def _identify(arrays, path):
    """`Digits` from the four arrays, after checking their form; their checksums give the name."""
    for kind in ('train', 'test'):
        x, y = arrays[f'x_{kind}'], arrays[f'y_{kind}']
        if x.dtype != np.uint8 or x.ndim != 3 or x.shape[1:] != (SIDE, SIDE) or not len(x):
            raise BadData(f'{path} has x_{kind} as {x.dtype} {x.shape}, not bytes of [n, {SIDE}, {SIDE}]')
        if kind == 'train' and x.max() <= 1:
            raise BadData(f'{path} has x_train with bytes of 0 and 1 only, where digits have 0 to 255; multiply them by 255')
        if y.dtype.kind not in 'iu' or y.shape != x.shape[:1] or y.min() < 0 or y.max() >= CLASSES:
            raise BadData(f'{path} has y_{kind} that are not a label from 0 to 9 for each of {len(x)} digits')
    arrays = {name: np.ascontiguousarray(array, np.uint8) for name, array in arrays.items()}
    checksums = tuple(_sha256(array) for array in arrays.values())
    names = [name for name, known in KNOWN.items() if known == checksums] or [UNKNOWN]
    flat = {name: array.reshape(len(array), -1) if array.ndim == 3 else array for name, array in arrays.items()}
    return Digits(**flat, name=names[0], sha256=hashlib.sha256(''.join(checksums).encode()).hexdigest())


def _sha256(array):
    """SHA-256 of an array as an uncompressed IDX file."""
    header = struct.pack(f'>4B{array.ndim}I', 0, 0, 8, array.ndim, *array.shape)
    return hashlib.sha256(header + array.tobytes()).hexdigest()
