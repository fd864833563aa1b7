"""Checkpoints: the whole training state in one file, from which training resumes bit for bit.

A run's directory keeps its last two checkpoints, checkpoint/state-<number>.npz. They are numbered in ascending order, which
does not depend on the clock. Each is written under a temporary name, flushed to disk and then renamed, so that every checkpoint
is complete. Older ones are removed only after the new one has been written.
"""

import contextlib
import hashlib
import json
import pathlib
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from common.storage import files
from common.storage.directories import CHECKPOINTS as FOLDER

FORMAT = 4  # increase it whenever an older file could be misread
KEPT = 2
PREFIX = 'state-'  # of files in the run's directory `FOLDER`: state-<number>.npz


class CannotResume(Exception):
    """There is no checkpoint, or none that is intact and has these settings; the message says which."""


class Damaged(Exception):
    """A file is not as `save` wrote it; the message says why in a few words."""


class Loaded(NamedTuple):
    """The result of `load`."""

    state: Any  # nested structure of NumPy arrays
    records: dict[str, np.ndarray]  # recorded so far
    path: pathlib.Path  # of the checkpoint
    damaged: dict[pathlib.Path, str]  # {path: why} of later checkpoints that were skipped


def paths(directory: pathlib.Path) -> list[pathlib.Path]:
    """The checkpoints of a run's directory, oldest first."""
    found = {_number(path): path for path in (directory / FOLDER).glob('state*.npz')}
    return [found[number] for number in sorted(found)]


def _number(path):
    digits = path.stem.removeprefix(PREFIX)
    return int(digits) if digits.isdecimal() else -1  # state.npz of an earlier version


def exists(directory: pathlib.Path) -> bool:
    """Whether a run's directory has a checkpoint."""
    return bool(paths(directory))


def save(directory: pathlib.Path, settings: dict[str, Any], state: Any, records: dict[str, np.ndarray]) -> None:
    """Writes the next checkpoint of a run and removes all but the last two.

    Args:
      directory: of the run.
      settings: {name: value} that training must share to resume, as JSON gives it back.
      state: nested structure of NumPy arrays.
      records: {name: array} recorded so far.

    Raises:
      files.CannotWrite: the earlier checkpoints are unchanged.
    """
    arrays = dict(_named(state))
    arrays |= {f'records/{name}': value for name, value in records.items()}
    header = {'format': FORMAT, 'settings': settings, 'sha256': _digest(settings, arrays)}
    earlier = paths(directory)
    number = _number(earlier[-1]) + 1 if earlier else 0
    path = directory / FOLDER / f'{PREFIX}{number:06}.npz'
    with files.writing(path):
        path.parent.mkdir(exist_ok=True)
        files.write_npz(path, {'header': np.array(json.dumps(header)), **arrays}, durable=True)
        for old in earlier[: len(earlier) + 1 - KEPT]:
            old.unlink(missing_ok=True)


def load(directory: pathlib.Path, settings: dict[str, Any], template: Any) -> Loaded:
    """Reads the newest checkpoint that is intact.

    Args:
      directory: of the run.
      settings: as for `save`.
      template: nested structure of arrays with the shapes and types of the state.

    Raises:
      CannotResume: no checkpoint is intact, or the newest intact one has other settings; the message is one line.
    """
    damaged = {}
    for path in reversed(paths(directory)):
        try:
            theirs, arrays = _read(path)
            _refuse_other_settings(theirs, settings)
            state, records = _unpacked(arrays, template)
        except Damaged as error:
            damaged[path] = str(error)
            continue
        return Loaded(state, records, path, damaged)
    found = '; '.join(f'{path} {why}' for path, why in damaged.items())
    raise CannotResume(f'{found or f"{directory / FOLDER}/{PREFIX}*.npz does not exist"}; run without --resume')


def newest(directory: pathlib.Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """(settings, {name: array}) of the newest intact checkpoint, such as state/train_state/g/0/w. Raises CannotResume."""
    for path in reversed(paths(directory)):
        with contextlib.suppress(Damaged):
            return _read(path)
    raise CannotResume(f'{directory / FOLDER} has no intact checkpoint')


def set_aside(path: pathlib.Path) -> None:
    """Renames a damaged checkpoint so that it no longer counts as one of the last two. Raises files.CannotWrite."""
    with files.writing(path):
        path.rename(path.with_name(f'damaged-{path.name}'))


def _named(value, name='state'):
    """Yields (name, leaf) of a nested structure in the order of `tf.nest.flatten`: state/train_state/d/0/w for a weight of D.

    Leaves are identified by name and not by position, so that parts of equal shape (such as two networks) cannot be swapped.
    """
    if hasattr(value, '_fields'):
        parts = zip(value._fields, value, strict=True)
    elif isinstance(value, dict):
        parts = sorted(value.items())
    elif isinstance(value, list | tuple):
        parts = enumerate(value)
    else:
        yield name, value
        return
    for key, part in parts:
        yield from _named(part, f'{name}/{key}')


def _digest(settings, arrays):
    """SHA-256 of settings and arrays, with their names, types and shapes."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        digest.update(f'{name} {array.dtype.str} {array.shape} '.encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _read(path):
    """(settings, arrays) of one file. Raises Damaged unless `save` wrote it, CannotResume if that of another version did."""
    try:
        arrays = files.read_npz(path)
        header = json.loads(str(arrays.pop('header')))
        if header['format'] != FORMAT:
            raise CannotResume(
                f'{path} was written by another version of this suite (format {_short(header["format"])[:20]}; this one reads '
                f'{FORMAT}); resume with that version, or run without --resume'
            )
        if not isinstance(header['settings'], dict):
            raise Damaged('is not a checkpoint')
        if header['sha256'] != _digest(header['settings'], arrays):
            raise Damaged('is damaged: its contents are not those that were saved')
    except files.BadArchive as error:
        raise Damaged(str(error)) from error
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise Damaged('is not a checkpoint') from error
    return header['settings'], arrays


def _short(value):
    """A value from a file, shortened to fit into a one-line message."""
    return ' '.join(str(value).split())[:100]


def _refuse_other_settings(theirs, ours):
    missing = object()
    changes = [
        f'{_short(name)} was {_short(theirs.get(name, "not there"))}, is {ours.get(name, "not there")}'
        for name in {**ours, **theirs}
        if theirs.get(name, missing) != ours.get(name, missing)
    ]
    if changes:
        raise CannotResume(f'the checkpoint is of other settings: {", ".join(changes)}')


def _unpacked(arrays, template):
    """(state, records). Raises Damaged unless the state has the template's names, shapes and types."""
    wanted = {name: np.asarray(leaf) for name, leaf in _named(template)}
    found = {name: array for name, array in arrays.items() if name.startswith('state/')}
    shapes, theirs = ({name: (a.shape, a.dtype) for name, a in some.items()} for some in (wanted, found))
    if shapes != theirs:
        raise Damaged('is not a checkpoint of these networks')
    records = {name.removeprefix('records/'): value for name, value in arrays.items() if name.startswith('records/')}
    return tf.nest.pack_sequence_as(template, [found[name] for name in wanted]), records
