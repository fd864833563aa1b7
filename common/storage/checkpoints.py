"""A training's whole state in one file, so that it can go on bit for bit.

A run's directory keeps its last two checkpoints, checkpoint/state-<number>.npz, of ascending numbers: their order does not
depend on the clock. Each is written under a temporary name, flushed to the disk and then renamed, so that a name that is there
stands for a whole file; the one before is removed only after the next but one has been written.
"""

import hashlib
import json
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from common.storage import files

FORMAT = 4  # to be raised whenever an older file could be misread
KEPT = 2
FOLDER, PREFIX = 'checkpoint', 'state-'  # of a run's directory, and of the files in it: state-<number>.npz


class CannotResume(Exception):
    """There is no checkpoint, or none that is sound and of these settings; the message says which."""


class Damaged(Exception):
    """A file that `save` did not write, or not like this; the message says why in a few words."""


class Loaded(NamedTuple):
    """What `load` gives."""

    state: Any  # nested structure of NumPy arrays
    records: dict  # {name: array} of what was recorded so far
    path: Any  # pathlib.Path, where they were read
    damaged: dict  # {path: why} of the later checkpoints that were passed over


def paths(directory):
    """The checkpoints of a run's directory (pathlib.Path), oldest first."""
    found = {_number(path): path for path in (directory / FOLDER).glob('state*.npz')}
    return [found[number] for number in sorted(found)]


def _number(path):
    digits = path.stem.removeprefix(PREFIX)
    return int(digits) if digits.isdecimal() else -1  # state.npz, of an earlier version


def exists(directory):
    """Whether a run was begun in a directory (pathlib.Path) and came as far as a checkpoint."""
    return bool(paths(directory))


def save(directory, settings, state, records):
    """Writes the next checkpoint of a run and removes all but the last two.

    Args:
      directory: pathlib.Path of the run.
      settings: {name: value}, what must be the same for the training to go on; as JSON gives it back.
      state: nested structure of NumPy arrays.
      records: {name: array} of what was recorded so far.

    Raises:
      files.CannotWrite: the earlier checkpoints are as they were.
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


def load(directory, settings, template):
    """Reads the newest checkpoint that is sound.

    Args:
      directory, settings: as for `save`.
      template: a nested structure of arrays of the state's shapes and types.

    Returns:
      `Loaded`.

    Raises:
      CannotResume: with a message of one line. A sound checkpoint of other settings is not passed over.
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


def set_aside(path):
    """Renames a damaged checkpoint, so that it no longer counts as one of the last two. Raises files.CannotWrite."""
    with files.writing(path):
        path.rename(path.with_name(f'damaged-{path.name}'))


def _named(value, name='state'):
    """Yields (name, leaf) of a nested structure in the order of `tf.nest.flatten`: state/train_state/d/0/w for a weight of D.

    By names and not by positions, so that parts of equal shapes (the two networks of a post, say) cannot be swapped in silence.
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
    """(settings, arrays) of one file. Raises Damaged unless it is as `save` wrote it, CannotResume if another version did."""
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
    """What a file says, to be shown in a line."""
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
    """(state, records). Raises Damaged where the state is not of the template's shapes and types."""
    wanted = {name: np.asarray(leaf) for name, leaf in _named(template)}
    found = {name: array for name, array in arrays.items() if name.startswith('state/')}
    shapes, theirs = ({name: (a.shape, a.dtype) for name, a in some.items()} for some in (wanted, found))
    if shapes != theirs:
        raise Damaged('is not a checkpoint of these networks')
    records = {name.removeprefix('records/'): value for name, value in arrays.items() if name.startswith('records/')}
    return tf.nest.pack_sequence_as(template, [found[name] for name in wanted]), records
