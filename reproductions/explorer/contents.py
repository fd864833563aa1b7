"""What the explorer shows of a directory: numbers as JSON, curves as bytes in base64."""

import base64
import contextlib
import io
import itertools
import json
import pathlib
import shlex
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from common.plotting import tensorboard
from common.program import cli, flags, progress
from common.sizes import CHUNK
from common.storage import files, networks
from reproductions import api, contract

FOLLOWED = ('loss_d', 'loss_g', 'wasserstein', 'mean', 'std', 'frechet', 'recognized', 'classes_covered')  # records of the page
RECORDS = 100  # of each loss, at most; evenly spaced
AXES = (('mean', 'std'), ('frechet', 'recognized'), ('frechet', 'classes_covered'))  # the first of them that a post has


def of(directory: pathlib.Path) -> dict[str, Any]:
    """The page of a finished training or sweep. Raises ValueError if the directory holds neither."""
    return of_sweep(directory) if (directory / 'sweep.npz').exists() else of_training(api.Result(directory))


def of_training(result: api.Result) -> dict[str, Any]:
    """The page of a training."""
    found = {
        'kind': 'training',
        'title': f'{result.post} {result.config["variant"]}: {len(result.seeds):,} seed{"s" * (len(result.seeds) > 1)}',
        'command': ' '.join(['python -m', f'reproductions.{result.post}', *map(shlex.quote, needed(result))]),
        **seeds_of(result.table),
        'history': {name: history_of(*each) for name, *each in tensorboard.curves(result.history) if name in FOLLOWED},
    }
    if hasattr(contract.part(result.post, 'figures'), 'curves_of'):
        found['curves'] = curves(result)
    else:
        found['pictures'] = pictures(result)
    return found


def needed(result: api.Result) -> list[str]:
    """The flags without which a command would train something else, but for --seed."""
    main = contract.part(result.post, '__main__')
    own = {f'--{name}=' for name in ('seed', 'runs', 'log_every', 'eval_every', 'anim_every')}

    def trained(words):
        opts = flags.parse(main.FLAGS, [result.post, *words], main.__file__)
        settings = main.settings_from_flags(opts)
        return settings, opts.num_steps or contract.part(result.post, 'settings').default_steps(settings)

    words = [word for word in api.words_of(result.config, main.FLAGS) if word[: word.index('=') + 1] not in own]
    wanted = trained(words)
    for word in [word for word in words if not word.startswith('--data=')]:  # all others act through the settings
        fewer = [other for other in words if other != word]
        with contextlib.suppress(cli.UserError):
            words = fewer if trained(fewer) == wanted else words
    return words


def of_sweep(directory: pathlib.Path) -> dict[str, Any]:
    """The page of a sweep."""
    try:
        config = json.loads((directory / 'config.json').read_text(encoding='utf-8'))
        arrays = files.read_npz(directory / 'sweep.npz')
        table = {name.removeprefix('run/'): values for name, values in arrays.items() if name.startswith('run/')}
        cell, varied = table.pop('cell'), config['vary']
    except (OSError, ValueError, KeyError, files.BadArchive) as error:
        raise ValueError(f'{directory} is not the directory of a finished sweep ({error})') from error
    return {
        'kind': 'sweep',
        'title': f'{config["post"]}: {config["runs"]:,} seeds in each of {len(np.unique(cell)):,} cells',
        'command': ' '.join(['python -m', f'reproductions.{config["post"]}', *map(shlex.quote, config['flags'])]),
        **seeds_of({name: values for name, values in table.items() if name not in varied}),
        'vary': varied,
        'cell': cell.tolist(),
        'cells': [' '.join(f'--{name}={value}' for name, value in zip(varied, values, strict=True))
                  for values in itertools.product(*varied.values())],
    }  # fmt: skip


def seeds_of(table: dict[str, np.ndarray]) -> dict[str, Any]:
    """{'seed', 'outcome', 'columns', 'axes'}; outcomes are 0 (not finite), 1 (not converged) and 2 (success)."""
    columns = {name: values for name, values in table.items() if name not in ('seed', 'finite', 'success')}
    numbers = {name: values.astype(float) for name, values in columns.items() if values.dtype.kind in 'fiu'}
    return {
        'seed': table['seed'].astype(int).tolist(),
        'outcome': (table['finite'] + table['success']).astype(int).tolist(),
        'columns': {name: rounded(values) for name, values in numbers.items()},
        'axes': next(axes for axes in AXES if set(axes) <= set(numbers)),
    }


def history_of(steps: np.ndarray, values: np.ndarray) -> dict[str, Any]:
    """Some of the records of a quantity: {'steps': [n], 'values': float32 [runs, n] in base64}."""
    chosen = np.unique(np.linspace(0, len(steps) - 1, RECORDS).round().astype(int))
    return {'steps': steps[chosen].tolist(), 'values': text_of(values[:, chosen].astype('<f4'))}


def text_of(array: np.ndarray) -> str:
    """The bytes of an array in base64."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode('ascii')


# --- Networks -----------------------------------------------------------------------------------------------------------------


def moments_of(result: api.Result) -> tuple[list[int], list[tuple[Any, Any]]]:
    """(iterations, [(d, g)]) of the networks that were kept; without --record_networks those at the end."""
    if 'networks/step' in result.history:
        steps = result.history['networks/step'].tolist()
        pairs = [
            tuple(networks.found(f'networks/{name}', result.history, (..., i)) for name in 'dg') for i in range(len(steps))
        ]
        return steps, pairs
    return [max(int(result.config['iterations']) - 1, 0)], [result.networks()]


def curves(result: api.Result) -> dict[str, Any]:
    """The curves of every run at every moment: D, density of G, and G of the noise.

    Returns:
      {'values': bytes [moments, runs, 3, points], 'scales': float32 [moments, runs, 3, 2], both in base64, and what is the same
      for all}. A byte b stands for low + (high - low) * b / 254, where (low, high) is its curve's scale; 255 for a number that
      is not finite.
    """
    steps, pairs = moments_of(result)
    curves_of, settings = contract.part(result.post, 'figures').curves_of, result.settings
    runs, moments = len(result.seeds), []
    with progress.progress_bar(len(pairs) * runs, 'curves', 'seeds') as bar:
        for pair in pairs:
            for first in range(0, runs, CHUNK):
                rows = slice(first, first + CHUNK)
                d, g = tf.nest.map_structure(lambda value, rows=rows: tf.constant(value[rows]), pair)
                found = curves_of(settings, d, g)
                moments.append(np.stack([found.decision, found.density, found.mapped], axis=1))
                bar.update(len(found.density))
    values, scales = as_bytes(np.concatenate(moments))
    return {
        'steps': steps,
        'x': rounded(found.x),
        'z': rounded(found.z),
        'real': rounded(contract.part(result.post, 'gan').truth(settings).pdf(found.x)),
        'values': text_of(values),
        'scales': text_of(scales),
        'title': found.title,
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


def pictures(result: api.Result) -> list[str]:
    """The pictures of the first runs, as addresses for the page."""
    grids = contract.part(result.post, 'figures').pictures_of(result.directory, len(result.seeds))
    return [picture(grid) for grid in grids]


def picture(pixels: np.ndarray) -> str:
    """Bytes [height, width], 255 for white, as the address of a picture."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, 'PNG')
    return f'data:image/png;base64,{base64.b64encode(file.getvalue()).decode("ascii")}'
