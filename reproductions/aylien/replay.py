"""Replays recorded runs of Aylien's programs: the arrays a trace must contain, and a train step that reads its batches."""

import pathlib
from collections.abc import Callable
from typing import Any

from common.evaluation import replay
from common.sizes import KERNEL_DIMS, KERNELS
from reproductions.aylien import gan
from reproductions.aylien.settings import PLOT_POINTS, VARIANTS, make_settings


def trace_settings(meta: dict[str, Any]) -> gan.Settings:
    """The settings a trace was recorded with. Raises replay.BadTrace if its metadata does not give valid ones."""
    whole = [meta.get(name) for name in ('hidden_size', 'batch_size', 'steps')]
    if str(meta.get('variant')) not in VARIANTS or not isinstance(meta.get('minibatch'), bool):
        raise replay.BadTrace('names no known variant')
    if not all(type(number) is int and 0 < number <= PLOT_POINTS for number in whole):
        raise replay.BadTrace('names an impossible size')
    return make_settings(**{name: meta[name] for name in ('variant', 'minibatch', 'hidden_size', 'batch_size')})


def trace_shapes(settings: gan.Settings, steps: int) -> dict[str, tuple[int, ...]]:
    """The arrays a trace with these settings must contain: {name: shape}; weights are [in, out]."""
    h, batch = settings.hidden_size, settings.batch_size
    width = 2 * h + KERNELS if settings.minibatch else 2 * h
    middle = ('minibatch', KERNELS * KERNEL_DIMS) if settings.minibatch else ('d2', 2 * h)
    stage = 'init/D_pre' if settings.pretrain_steps else 'init/D'
    layers_of = {'init/G/g0': (1, h), 'init/G/g1': (h, 1), f'{stage}/d0': (1, 2 * h), f'{stage}/d1': (2 * h, 2 * h)}
    layers_of |= {f'{stage}/{middle[0]}': (2 * h, middle[1]), f'{stage}/d3': (width, 1)}
    shapes = {f'{name}/w': shape for name, shape in layers_of.items()}
    shapes |= {f'{name}/b': shape[1:] for name, shape in layers_of.items()}
    shapes |= dict.fromkeys(('x', 'z_d', 'z_g'), (steps, batch, 1)) | dict.fromkeys(('loss_d', 'loss_g'), (steps,))
    if settings.pretrain_steps:
        shapes |= dict.fromkeys(('pre_x', 'pre_y'), (settings.pretrain_steps, batch, 1))
        shapes['pre_loss'] = (settings.pretrain_steps,)
    return shapes


def replay_trace(
    path: str | pathlib.Path,
    make_train_step: Callable = gan.make_train_step,
    make_pretrain_step: Callable = gan.make_pretrain_step,
) -> dict[str, list]:
    """Repeats a recorded run from its initial weights, on its batches, and compares losses: the columns of replay.csv.

    The pre-training is replayed too, and adversarial training continues from our pre-trained D.

    Args:
      path: the trace file.
      make_train_step, make_pretrain_step: functions of Aylien's settings; another post may pass its own.

    Raises:
      replay.BadTrace: the file is not a usable trace.
    """
    meta, arrays = replay.load(path, 'aylien')
    settings = trace_settings(meta)
    shapes = trace_shapes(settings, meta['steps'])
    replay.check_shapes(arrays, shapes)

    def init(seeds):
        names = [name[:-2] for name in shapes if name.endswith('/w')]  # in the order of the layers
        return tuple(replay.linears(arrays, [n for n in names if n.startswith(f'init/{net}')]) for net in 'DG')

    steps = make_train_step(settings), make_pretrain_step(settings), settings.pretrain_steps
    return replay.compare_run(replay.on_trace(arrays, init, *steps), meta, arrays)
