"""The files of a run's output directory, each written under a temporary name and then renamed."""

import contextlib
import csv
import errno
import json
import math
import os
import pathlib
import stat
import tempfile
import warnings
import zipfile

import numpy as np

PARTIAL = '.partial-'  # begins the names of files that are being written


class CannotWrite(OSError):
    """A file cannot be written: full disk, missing or read-only directory, ...; the message, of one line, names it."""


@contextlib.contextmanager
def writing(path):
    """Raises CannotWrite for every OSError inside."""
    try:
        yield
    except CannotWrite:
        raise
    except OSError as error:
        raise CannotWrite(f'{path} cannot be written ({error.strerror or error})') from error


@contextlib.contextmanager
def replacing(path, durable=False):
    """Yields a temporary path beside `path`, with its suffix; renames it to `path` if the block succeeds, else removes it.

    So `path` is at every moment the old file or the new one, whole. Raises CannotWrite.

    Args:
      path: pathlib.Path or str.
      durable: bool, whether to flush the file to the disk before it is renamed, so that this survives a power cut too.
    """
    path = pathlib.Path(path)
    with writing(path):
        handle, temporary = tempfile.mkstemp(prefix=f'{PARTIAL}{path.stem}-', suffix=path.suffix, dir=path.parent)
        os.close(handle)
        try:
            yield pathlib.Path(temporary)
            os.chmod(temporary, 0o644)
            if durable:
                with open(temporary, 'rb') as file:
                    os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):  # the first error is the one to tell of
                pathlib.Path(temporary).unlink(missing_ok=True)
            raise


def remove_partial(directory):
    """Removes files that a process left which was killed while it wrote. No other process may be writing in the directory."""
    for path in pathlib.Path(directory).glob(f'{PARTIAL}*'):
        if path.is_file():
            path.unlink(missing_ok=True)


def prepare_directory(path):
    """Makes the directory and proves that it can be written to. Raises OSError where it cannot."""
    path = pathlib.Path(path)
    path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=path):
        return path


LONGEST_NAME = 230  # bytes: file systems take 255, and while a file is written its name has a few more


def check_place(path):
    """Raises OSError where nothing can be written at `path` (pathlib.Path): its names are too long, or the nearest directory
    above it that is there takes no files."""
    if any(len(os.fsencode(part)) > LONGEST_NAME for part in path.parts):
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if above.is_dir():
        prepare_directory(above)
    else:
        raise NotADirectoryError(errno.ENOTDIR, f'{above} is no directory')


def write_text(path, text):
    """Writes a text file."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding='utf-8')


def write_json(path, value):
    """Writes a JSON document, human-readable."""
    write_text(path, json.dumps(value, indent=2) + '\n')


def write_csv(path, columns):
    """Writes {name: sequence of equal length} as a table, integers as such and floats to 7 significant digits."""
    with replacing(path) as temporary, open(temporary, 'w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow([f'{v:.7g}' if isinstance(v, float | np.floating) else v for v in row])


class BadTable(Exception):
    """A table that is missing, damaged or not the one that is wanted; the message, of one line, names it and says why."""


def read_csv(path, columns=(), rows=None):
    """A table of numbers as {name: float64 array}. Raises BadTable.

    Args:
      path: pathlib.Path or str.
      columns: names that must be among its columns.
      rows: int, how many it must have, or None.
    """
    try:
        _refuse_unless_file(path, BadTable)
        with open(path, newline='', encoding='utf-8') as file:
            header, *lines = csv.reader(file)
        values = [[float(cell) for cell in line] for line in lines]
    except FileNotFoundError as error:
        raise BadTable(f'{path} does not exist') from error
    except (OSError, ValueError, csv.Error, BadTable) as error:  # text that is no UTF-8 is a ValueError
        raise BadTable(f'{path} is no table of numbers') from error
    if len(set(header)) < len(header) or any(len(line) != len(header) for line in values):
        raise BadTable(f'{path} is damaged: its rows and columns do not fit')
    lacking = [name for name in columns if name not in header]
    if lacking or rows not in (None, len(values)):
        raise BadTable(f'{path} is damaged: it lacks {lacking[0] if lacking else f"{rows} rows"}')
    return {name: np.array([line[i] for line in values], np.float64) for i, name in enumerate(header)}


def _refuse_unless_file(path, refusal):
    """Raises `refusal` for what is there but is no file: a directory, or a pipe that would be waited for."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise refusal('is no file')


def write_npz(path, arrays, durable=False):
    """Writes {name: array} as an uncompressed archive. `durable` as for `replacing`."""
    with replacing(path, durable) as temporary:
        np.savez(temporary, **arrays)


class BadArchive(Exception):
    """An .npz file that is missing, damaged or not one; the message says which in a few words."""


MOST_BYTES = 2**30  # that a file may unpack to, unless it is itself larger


def read_npz(path):
    """{name: array} of an .npz file, which need not be trusted. Raises BadArchive.

    Pickled objects are refused, and so is an array that is not as large as its header says, before memory is set aside for it.
    """
    try:
        _refuse_unless_file(path, BadArchive)
        with open(path, 'rb') as file:  # np.load leaves a file that it opened itself open when it fails
            if file.read(4) != b'PK\x03\x04':
                raise BadArchive('is no .npz file')
            _check_sizes(file)
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive, warnings.catch_warnings(action='error'):
                return {name: archive[name] for name in archive.files}
    except BadArchive:
        raise
    except FileNotFoundError as error:
        raise BadArchive('does not exist') from error
    except Exception as error:  # random bytes make zipfile, its decompressors and NumPy's parser raise a dozen different ones
        raise BadArchive(f'cannot be read ({type(error).__name__})') from error


def _check_sizes(file):
    """Raises BadArchive, or whatever reading fails with, unless every array of an .npz file is as large as it should be."""
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in members):
            raise BadArchive('is packed otherwise than NumPy does')  # the others' headers say how much memory they take
        if len({info.filename.removesuffix('.npy') for info in members}) < len(members):
            raise BadArchive('has two arrays of one name')
        if sum(info.file_size for info in members) > max(os.fstat(file.fileno()).st_size, MOST_BYTES):
            raise BadArchive(f'would unpack to more than {MOST_BYTES >> 20:,} MiB')
        for info in members:
            with archive.open(info) as member:
                shape, _, dtype = readers[np.lib.format.read_magic(member)](member)
                if dtype.hasobject:
                    raise BadArchive('holds pickled objects')
                if math.prod(shape) * dtype.itemsize != info.file_size - member.tell():
                    raise BadArchive('is damaged: an array is not as large as its header says')
