"""What the explorer shows of a directory: numbers as JSON, curves as bytes in base64."""

import base64
import io
import itertools
import pathlib
import shlex
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from common.evaluation import Columns
from common.plotting import densities, tensorboard
from common.program import flags, progress
from common.settings import fields, identity
from common.sizes import CHUNK
from common.storage import networks
from reproductions import contract, declaration
from reproductions.result import Result, read
from reproductions.sweeps import results

RECORDS = 100  # of each loss, at most; evenly spaced


def of(directory: pathlib.Path) -> dict[str, Any]:
    """The page of a finished training or sweep. Raises ValueError if the directory holds neither."""
    found = read(directory)
    return of_training(found) if isinstance(found, Result) else of_sweep(directory)


def of_training(result: Result) -> dict[str, Any]:
    """The page of a training."""
    columns = contract.post(result.post).columns
    followed = ('loss_d', 'loss_g', *columns.followed)
    page = {
        'kind': 'training',
        'title': f'{result.post} {result.config["variant"]}: {len(result.seeds):,} seed{"s" * (len(result.seeds) > 1)}',
        'command': ' '.join(['python -m', f'reproductions.{result.post}', *map(shlex.quote, told_flags(result))]),
        **seeds_of(result.table, columns),
        'history': {name: history_of(*each) for name, *each in tensorboard.curves(result.history) if name in followed},
    }
    steps, views = views_of(result)
    if isinstance(views[0], np.ndarray):
        return page | {'pictures': [picture(pixels) for pixels in views[-1]]}
    return page | {'curves': curves(steps, views)}


def told_flags(result: Result) -> list[str]:
    """The flags without which a command would train something else, but for --seed."""
    post, config, wanted = contract.post(result.post), result.config, identity(result.settings)
    declared = fields(post.settings.Settings)
    defaults = {flag.name: flag.default for flag in (*post.flags, *flags.COMMON)}
    given = {name: value for name, value in config['flags'].items() if name in declared and declared[name].has_flag}
    given = {name: value for name, value in given.items() if value not in (None, [], defaults[name])}

    def trained(changes):
        return identity(declaration.recorded_settings(post, {'flags': changes}))

    for name in list(given):
        fewer = {other: value for other, value in given.items() if other != name}
        given = fewer if trained(fewer) == wanted else given
    if config['flags']['num_steps'] != result.settings.default_steps and 'num_steps' not in declared:
        given['num_steps'] = config['flags']['num_steps']
    if config['flags'].get('data', 'auto') != 'auto':
        given['data'] = config['flags']['data']
    order = [name for name in defaults if name in given]
    return [f'--{name}={flags.spelled(given[name])}' for name in order]


def of_sweep(directory: pathlib.Path) -> dict[str, Any]:
    """The page of a sweep."""
    config, table, _ = results.read(directory)
    cell, varied = table.pop('cell'), config['vary']
    return {
        'kind': 'sweep',
        'title': f'{config["post"]}: {config["runs"]:,} seeds in each of {len(np.unique(cell)):,} cells',
        'command': ' '.join(['python -m', f'reproductions.{config["post"]}', *map(shlex.quote, config['flags'])]),
        **seeds_of({name: table[name] for name in table if name not in varied}, contract.post(config['post']).columns),
        'vary': varied,
        'cell': cell.tolist(),
        'cells': [' '.join(f'--{name}={value}' for name, value in zip(varied, values, strict=True))
                  for values in itertools.product(*varied.values())],
    }  # fmt: skip


def seeds_of(table: dict[str, np.ndarray], shown: Columns) -> dict[str, Any]:
    """{'seed', 'outcome', 'columns', 'axes'}; outcomes are 0 (not finite), 1 (not converged) and 2 (success)."""
    columns = {name: values for name, values in table.items() if name not in ('seed', 'finite', 'success')}
    numbers = {name: values.astype(float) for name, values in columns.items() if values.dtype.kind in 'fiu'}
    return {
        'seed': table['seed'].astype(int).tolist(),
        'outcome': (table['finite'] + table['success']).astype(int).tolist(),
        'columns': {name: rounded(values) for name, values in numbers.items()},
        'axes': next(axes for axes in shown.axes if set(axes) <= set(numbers)),
    }


def history_of(steps: np.ndarray, values: np.ndarray) -> dict[str, Any]:
    """Some of the records of a quantity: {'steps': [n], 'values': float32 [runs, n] in base64}."""
    chosen = np.unique(np.linspace(0, len(steps) - 1, RECORDS).round().astype(int))
    return {'steps': steps[chosen].tolist(), 'values': text_of(values[:, chosen].astype('<f4'))}


def text_of(array: np.ndarray) -> str:
    """The bytes of an array in base64."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode('ascii')


# --- Networks -----------------------------------------------------------------------------------------------------------------


def moments_of(result: Result) -> tuple[list[int], list[tuple[Any, Any]]]:
    """(iterations, [(d, g)]) of the networks that were kept; without --record_networks those at the end."""
    if 'networks/step' in result.history:
        steps = result.history['networks/step'].tolist()
        pairs = [
            tuple(networks.found(f'networks/{name}', result.history, (..., i)) for name in 'dg') for i in range(len(steps))
        ]
        return steps, pairs
    return [max(int(result.config['iterations']) - 1, 0)], [result.networks()]


def views_of(result: Result) -> tuple[list[int], list[Any]]:
    """(iterations, [what the post's `figures.seen` makes of the networks then]): `densities.Curves`, or pictures."""
    steps, pairs = moments_of(result)
    seen, settings = contract.part(result.post, 'figures').seen, result.settings
    runs, views = len(result.seeds), []
    with progress.progress_bar(len(pairs) * runs, 'curves', 'seeds') as bar:
        for pair in pairs:
            parts = []
            for first in range(0, runs, CHUNK):
                rows = slice(first, first + CHUNK)
                d, g = tf.nest.map_structure(lambda value, rows=rows: tf.constant(value[rows]), pair)
                parts.append(seen(settings, result.seeds[rows], d, g))
                bar.update(len(result.seeds[rows]))
            views.append(np.concatenate(parts) if isinstance(parts[0], np.ndarray) else densities.joined(parts))
    return steps, views


def curves(steps: list[int], views: list[densities.Curves]) -> dict[str, Any]:
    """The curves of every run at every moment: D, density of G, and G of the noise.

    Returns:
      {'values': bytes [moments, runs, 3, points], 'scales': float32 [moments, runs, 3, 2], both in base64, and what is the same
      for all}. A byte b stands for low + (high - low) * b / 254, where (low, high) is its curve's scale; 255 for a number that
      is not finite.
    """
    moments = [np.stack([view.decision, view.density, view.mapped], axis=1) for view in views]
    values, scales = as_bytes(np.concatenate(moments))
    return {
        'steps': steps,
        'x': rounded(views[0].x),
        'z': rounded(views[0].z),
        'real': rounded(views[0].real),
        'values': text_of(values),
        'scales': text_of(scales),
        'title': views[0].title,
    }


def as_bytes(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Curves [..., points] as bytes, and the low and high of each, float32 [..., 2]; see `curves`."""
    finite = np.isfinite(values)
    low, high = (
        extreme(values, axis=-1, keepdims=True, where=finite, initial=start)
        for extreme, start in ((np.min, np.inf), (np.max, -np.inf))
    )
    low, high = (np.where(finite.any(axis=-1, keepdims=True), end, 0.0) for end in (low, high))
    level = 254 * (np.where(finite, values, low) - low) / np.where(high > low, high - low, 1)
    return np.where(finite, level.round(), 255).astype(np.uint8), np.concatenate([low, high], axis=-1).astype('<f4')


def rounded(values: np.ndarray) -> list[float]:
    """Numbers with five digits, which are shorter as text."""
    return [float(f'{value:.5g}') for value in values]


def picture(pixels: np.ndarray) -> str:
    """Bytes [height, width], 255 for white, as the address of a picture."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, 'PNG')
    return f'data:image/png;base64,{base64.b64encode(file.getvalue()).decode("ascii")}'
