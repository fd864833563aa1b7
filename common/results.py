"""The files of a run's output directory, each written under a temporary name and then renamed."""

import contextlib
import csv
import json
import os
import pathlib
import platform
import struct
import subprocess
import tempfile
import zipfile
import zlib

import numpy as np
import tensorflow as tf


@contextlib.contextmanager
def replacing(path):
    """Yields a temporary path beside `path`, with its suffix; renames it to `path` if the block succeeds, else removes it."""
    path = pathlib.Path(path)
    handle, temporary = tempfile.mkstemp(prefix=f'.{path.stem}-', suffix=path.suffix, dir=path.parent)
    os.close(handle)
    try:
        yield pathlib.Path(temporary)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        pathlib.Path(temporary).unlink(missing_ok=True)
        raise


def prepare_directory(path):
    """Makes the directory and proves that it can be written to. Raises OSError where it cannot."""
    path = pathlib.Path(path)
    path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=path):
        return path


def write_text(path, text):
    """Writes a text file."""
    with replacing(path) as temporary:
        temporary.write_text(text)


def write_json(path, value):
    """Writes a JSON document, human-readable."""
    write_text(path, json.dumps(value, indent=2) + '\n')


def write_csv(path, columns):
    """Writes {name: sequence of equal length} as a table, integers as such and floats to 7 significant digits."""
    with replacing(path) as temporary, open(temporary, 'w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow([f'{v:.7g}' if isinstance(v, float | np.floating) else v for v in row])


def read_csv(path):
    """A table of numbers as {name: float64 array}."""
    with open(path, newline='') as file:
        header, *rows = csv.reader(file)
    return {name: np.array([float(row[i]) for row in rows]) for i, name in enumerate(header)}


def write_npz(path, arrays):
    """Writes {name: array} as an uncompressed archive."""
    with replacing(path) as temporary:
        np.savez(temporary, **arrays)


class BadArchive(Exception):
    """An .npz file that is missing, damaged or not one; the message says which in a few words."""


def read_npz(path):
    """{name: array} of an .npz file, which need not be trusted: pickled objects are refused. Raises BadArchive."""
    damage = (OSError, ValueError, EOFError, KeyError, TypeError, RuntimeError, MemoryError, OverflowError, struct.error)
    try:
        with open(path, 'rb') as file:  # np.load leaves a file that it opened itself open when it fails
            if file.read(4) != b'PK\x03\x04':
                raise BadArchive('is no .npz file')
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
    except FileNotFoundError as error:
        raise BadArchive('does not exist') from error
    except (*damage, zipfile.BadZipFile, zlib.error) as error:
        raise BadArchive(f'cannot be read ({type(error).__name__})') from error


def versions():
    """What the numbers may depend on: Python, libraries, and the suite's git revision where known."""
    here = pathlib.Path(__file__).parent
    try:
        git = subprocess.run(
            ['git', 'describe', '--always', '--dirty'], cwd=here, capture_output=True, text=True, timeout=5, check=True
        )
        revision = git.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        revision = None
    return {
        'python': platform.python_version(),
        'tensorflow': tf.__version__,
        'numpy': np.__version__,
        'git_revision': revision,
    }
