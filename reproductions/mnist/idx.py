"""Reads the four IDX files of MNIST, or of data sets like it, from a directory, under the names that are in use for them."""

import gzip
import pathlib
import struct
import zlib

import numpy as np

PARTS = {  # arrays of a Keras archive, and the IDX file of each
    'x_train': 'train-images-idx3-ubyte',
    'y_train': 'train-labels-idx1-ubyte',
    'x_test': 't10k-images-idx3-ubyte',
    'y_test': 't10k-labels-idx1-ubyte',
}
EMNIST = {  # the digits of EMNIST (Cohen et al. 2017), whose images are stored column by column
    name: f'emnist-digits-{file.replace("t10k", "test")}' for name, file in PARTS.items()
}
PLACES = ('.', 'MNIST/raw', 'EMNIST/raw', 'raw', 'gzip')  # torchvision's folders, and that of EMNIST's own archive
SIDE = 28
MOST = 10**6  # digits per file: no header can make us allocate more


class BadData(Exception):
    """The digits cannot be loaded; the one-line message names the file and the reason."""


def read(directory: pathlib.Path) -> dict[str, np.ndarray]:
    """{name of `PARTS`: bytes [n, 28, 28] or [n]} of a directory, or of one of the `PLACES` in it.

    A file may be packed by gzip, whatever its suffix; have a dot for the dash before `idx`; or be in a folder of its own name,
    as on Kaggle. EMNIST's images are turned to stand as MNIST's do. Raises BadData.
    """
    for place in PLACES:
        for names in (PARTS, EMNIST):
            found = {part: _find(directory / place, file) for part, file in names.items()}
            missing = [names[part] for part, path in found.items() if path is None]
            if len(missing) == len(names):
                continue
            if missing:
                raise BadData(f'{directory / place} has no {missing[0]} and no {missing[0]}.gz')
            arrays = {part: _read(path, 3 if part.startswith('x') else 1) for part, path in found.items()}
            turned = {part: array.transpose(0, 2, 1) for part, array in arrays.items() if array.ndim == 3}
            return arrays | turned if names is EMNIST else arrays
    raise BadData(f'{directory} has no {PARTS["x_train"]} and no {PARTS["x_train"]}.gz')


def _find(directory, name):
    """The file of a name, or None."""
    dotted = name.replace('-idx', '.idx')
    for candidate in (name, f'{name}.gz', dotted, f'{dotted}.gz', f'{name}/{name}', f'{name}/{dotted}', f'{dotted}/{dotted}'):
        if (directory / candidate).is_file():
            return directory / candidate
    return None


def _read(path, dimensions):
    """One IDX file as bytes in the header's shape: magic 0x0000080n, then n big-endian sizes of four bytes."""
    try:
        with open(path, 'rb') as file:
            packed = file.read(2) == b'\x1f\x8b'
        with gzip.open(path) if packed else open(path, 'rb') as file:
            header = file.read(4 + 4 * dimensions)
            if len(header) < 4 + 4 * dimensions or header[:4] != bytes([0, 0, 8, dimensions]):
                raise BadData(f'{path} is no IDX file of bytes in {dimensions} dimension{"s" * (dimensions > 1)}')
            shape = struct.unpack(f'>{dimensions}I', header[4:])
            if shape[0] > MOST or shape[1:] not in ((), (SIDE, SIDE)):
                raise BadData(f'{path} holds {" x ".join(map(str, shape))}, not digits of {SIDE} x {SIDE}')
            size = int(np.prod(shape))
            values = _read_up_to(file, size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BadData(f'{path} cannot be read ({getattr(error, "strerror", None) or error})') from error
    if len(values) != size:
        raise BadData(f'{path} is {"truncated" if len(values) < size else "longer than its header says"}')
    return np.frombuffer(values, np.uint8).reshape(shape)


def _read_up_to(file, size):
    """The next `size` bytes of a file, or the rest if it is shorter; no memory is allocated in advance."""
    parts = []
    while size and (part := file.read(min(size, 2**20))):
        parts.append(part)
        size -= len(part)
    return b''.join(parts)
