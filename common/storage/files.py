"""Reading and writing the files of an output directory; each is written under a temporary name and then renamed."""

import contextlib
import csv
import errno
import json
import math
import os
import pathlib
import secrets
import stat
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

PARTIAL = '.partial-'  # prefix of files that are being written


class CannotWrite(OSError):
    """A file cannot be written (full disk, missing or read-only directory, ...); the one-line message names it."""


@contextlib.contextmanager
def writing(path: pathlib.Path | str) -> Iterator[None]:
    """Turns every OSError inside the block into CannotWrite."""
    try:
        yield
    except CannotWrite:
        raise
    except OSError as error:
        raise CannotWrite(f'{path} cannot be written ({error.strerror or error})') from error


@contextlib.contextmanager
def replacing(path: pathlib.Path | str, durable: bool = False) -> Iterator[pathlib.Path]:
    """Yields a temporary path beside `path`, with its suffix; renames it to `path` if the block succeeds, else removes it.

    So `path` is always the complete old or the complete new file, with the permissions of the user's umask. Raises CannotWrite.

    Args:
      path: the file to write.
      durable: whether to flush the file to disk before it is renamed, so that it also survives a power failure.
    """
    path = pathlib.Path(path)
    with writing(path):
        temporary = partial(path)
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        try:
            yield temporary
            if durable:
                with open(temporary, 'rb') as file:
                    os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):  # report the original error
                temporary.unlink(missing_ok=True)
            raise


def first_line(text: str, otherwise: str) -> str:
    """The first line of an error's text, which may have several, or none."""
    return next((line for line in text.splitlines() if line.strip()), otherwise)


def partial(path: pathlib.Path) -> pathlib.Path:
    """A new temporary name beside `path`, with its suffix."""
    return path.with_name(f'{PARTIAL}{path.stem}-{secrets.token_hex(4)}{path.suffix}')


def remove_partial(directory: pathlib.Path | str) -> None:
    """Removes partial files left by killed processes. No other process may be writing to the directory."""
    for path in pathlib.Path(directory).glob(f'{PARTIAL}*'):
        if path.is_file():
            path.unlink(missing_ok=True)


def prepare_directory(path: pathlib.Path | str) -> pathlib.Path:
    """Creates the directory if necessary and checks that it can be written to. Raises OSError if it cannot."""
    path = pathlib.Path(path)
    path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=path):
        return path


LONGEST_NAME = 230  # bytes: file systems allow 255, and the temporary name of a file is longer


def check_place(path: pathlib.Path) -> None:
    """Raises OSError if nothing can be written at `path`: a name is too long or the nearest existing parent not writable."""
    if any(len(os.fsencode(part)) > LONGEST_NAME for part in path.parts):
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if above.is_dir():
        prepare_directory(above)
    else:
        raise NotADirectoryError(errno.ENOTDIR, f'{above} is no directory')


def write_text(path: pathlib.Path | str, text: str) -> None:
    """Writes a text file in UTF-8, lines ending with a newline alone. Raises CannotWrite."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding='utf-8', newline='\n')


def write_json(path: pathlib.Path | str, value: Any) -> None:
    """Writes an indented JSON document, with null for NaN and infinities, which JSON does not have. Raises CannotWrite."""
    write_text(path, json.dumps(finite(value), indent=2, allow_nan=False) + '\n')


def finite(value):
    """A JSON value with None for every float that is not finite."""
    if isinstance(value, dict):
        return {name: finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_csv(path: pathlib.Path | str, columns: dict[str, Sequence]) -> None:
    """Writes {name: column} as a table; floats have 7 significant digits. Columns have equal lengths. Raises CannotWrite."""
    with replacing(path) as temporary, open(temporary, 'w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow([f'{v:.7g}' if isinstance(v, float | np.floating) else v for v in row])


class BadTable(Exception):
    """A table is missing, damaged or not the one that is needed; the one-line message names it and says why."""


def read_csv(path: pathlib.Path | str, columns: Sequence[str] = (), rows: int | None = None) -> dict[str, np.ndarray]:
    """A table of numbers as {name: float64 [rows]}. Raises BadTable.

    Args:
      path: the file.
      columns: names of required columns; there may be others.
      rows: the number of rows that it must have; None allows any.
    """
    try:
        _refuse_unless_file(path, BadTable)
        with open(path, newline='', encoding='utf-8') as file:
            header, *lines = csv.reader(file)
        values = [[float(cell) for cell in line] for line in lines]
    except FileNotFoundError as error:
        raise BadTable(f'{path} does not exist') from error
    except (OSError, ValueError, csv.Error, BadTable) as error:  # ValueError: also text that is not UTF-8
        raise BadTable(f'{path} is not a table of numbers') from error
    if len(set(header)) < len(header) or any(len(line) != len(header) for line in values):
        raise BadTable(f'{path} is damaged: its rows and columns do not match')
    missing = [name for name in columns if name not in header]
    if missing or rows not in (None, len(values)):
        raise BadTable(f'{path} is damaged: it lacks {missing[0] if missing else f"{rows} rows"}')
    return {name: np.array([line[i] for line in values], np.float64) for i, name in enumerate(header)}


def _refuse_unless_file(path, refusal):
    """Raises `refusal` for a path that is not a regular file: a directory, or a pipe, which would block."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise refusal('is no file')


def write_npz(path: pathlib.Path | str, arrays: dict[str, Any], durable: bool = False) -> None:
    """Writes {name: array} as an uncompressed archive; `durable` as for `replacing`. Raises CannotWrite."""
    with replacing(path, durable) as temporary:
        np.savez(temporary, **arrays)


class BadArchive(Exception):
    """A file is missing, damaged or not an .npz file; the message says which in a few words."""


MOST_BYTES = 2**30  # limit on the unpacked size, unless the file itself is larger


def read_npz(path: pathlib.Path | str) -> dict[str, np.ndarray]:
    """{name: array} of an untrusted .npz file. Raises BadArchive.

    It refuses pickled objects, and arrays whose size differs from their header, before it allocates memory for them.
    """
    try:
        _refuse_unless_file(path, BadArchive)
        with open(path, 'rb') as file:  # np.load does not close a file that it fails to read
            if file.read(4) != b'PK\x03\x04':
                raise BadArchive('is not an .npz file')
            _check_sizes(file)
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive, warnings.catch_warnings(action='error'):
                return {name: archive[name] for name in archive.files}
    except BadArchive:
        raise
    except FileNotFoundError as error:
        raise BadArchive('does not exist') from error
    except Exception as error:  # on random bytes zipfile, its decompressors and NumPy raise a dozen kinds
        raise BadArchive(f'cannot be read ({type(error).__name__})') from error


def _check_sizes(file):
    """Raises BadArchive, or any error of the readers, unless every array of an .npz file has the size its header states."""
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in members):
            raise BadArchive('is packed otherwise than NumPy does')  # other methods may take any amount of memory
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
