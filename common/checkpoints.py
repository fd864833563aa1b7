"""A training's whole state in one file, so that it can go on bit for bit."""

import json

import numpy as np
import tensorflow as tf

from common import results

FORMAT = 1
NAME = 'state.npz'


class CannotResume(Exception):
    """There is no checkpoint, or it is damaged or of other settings; the message says which."""


def save(directory, settings, state, records):
    """Writes directory/checkpoint/state.npz.

    Args:
      directory: pathlib.Path of the run.
      settings: {name: value}, what must be the same for the training to go on.
      state: nested structure of NumPy arrays.
      records: {name: array} of what was recorded so far.
    """
    leaves = {f'state/{i}': leaf for i, leaf in enumerate(tf.nest.flatten(state))}
    header = {'format': FORMAT, 'settings': settings}
    (directory / 'checkpoint').mkdir(exist_ok=True)
    arrays = leaves | {f'records/{name}': value for name, value in records.items()}
    results.write_npz(directory / 'checkpoint' / NAME, {'header': np.array(json.dumps(header)), **arrays})


def load(directory, settings, template):
    """Reads what `save` wrote: (state, records).

    Args:
      directory, settings: as for `save`.
      template: a nested structure of arrays of the state's shapes.

    Raises:
      CannotResume: with a message of one line.
    """
    path = directory / 'checkpoint' / NAME
    try:
        arrays = results.read_npz(path)
        header = json.loads(str(arrays.pop('header')))
    except results.BadArchive as error:
        raise CannotResume(f'{path} {error}; run without --resume') from error
    except (KeyError, ValueError) as error:
        raise CannotResume(f'{path} is no checkpoint; run without --resume') from error
    theirs = header['settings'] | {'format': header['format']}
    different = [name for name, value in (settings | {'format': FORMAT}).items() if theirs.get(name) != value]
    if different:
        changes = ', '.join(f'{name} was {theirs.get(name)}, is {settings.get(name, FORMAT)}' for name in different)
        raise CannotResume(f'the checkpoint is of other settings: {changes}')
    leaves = [arrays[f'state/{i}'] for i in range(len(tf.nest.flatten(template)))]
    records = {name.removeprefix('records/'): value for name, value in arrays.items() if name.startswith('records/')}
    return tf.nest.pack_sequence_as(template, leaves), records
