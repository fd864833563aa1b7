"""Replays recorded runs of Jang's program: the arrays a trace must contain, and a train step that reads its batches."""

import pathlib
from typing import Any

from common.evaluation import replay
from reproductions.jang import gan
from reproductions.jang.settings import VARIANTS, make_settings


def trace_settings(meta: dict[str, Any]) -> gan.Settings:
    """The settings a trace was recorded with. Raises replay.BadTrace if its metadata does not give valid ones."""
    if str(meta.get('variant')) not in VARIANTS:
        raise replay.BadTrace('names no known variant')
    most = {'batch_size': 10_000, 'train_iters': 10**6, 'pretrain_steps': 10**6, 'steps': 10**6}
    if not all(type(meta.get(name)) is int and 0 < meta[name] <= limit for name, limit in most.items()):
        raise replay.BadTrace('names an impossible size')
    return make_settings(
        meta['variant'],
        batch_size=meta['batch_size'],
        pretrain_steps=meta['pretrain_steps'],
        num_steps=meta['train_iters'],
    )


def trace_shapes(settings: gan.Settings, steps: int) -> dict[str, tuple[int, ...]]:
    """The arrays a trace with these settings must contain: {name: shape}; weights are [in, out]."""
    batch, widths = settings.batch_size, (1, *settings.hidden_sizes, 1)
    shapes = dict.fromkeys(('x', 'z_d', 'z_g'), (steps, batch, 1)) | dict.fromkeys(('obj_d', 'obj_g'), (steps,))
    shapes |= dict.fromkeys(('pre_x', 'pre_y'), (settings.pretrain_steps, batch, 1))
    shapes['pre_loss'] = (settings.pretrain_steps,)
    for network in ('init/D_pre', 'start/G'):
        for i in range(len(widths) - 1):
            shapes |= {f'{network}/w{i}': widths[i : i + 2], f'{network}/b{i}': widths[i + 1 : i + 2]}
    return shapes


def replay_trace(path: str | pathlib.Path) -> dict[str, list]:
    """Repeats a recorded run from its initial weights, on its batches, and compares losses: the columns of replay.csv.

    The pre-training is replayed too, and adversarial training continues from our pre-trained D. The recorded
    objectives are maximized, so `loss_d` and `loss_g` are compared with their negatives.

    Raises:
      replay.BadTrace: the file is not a usable trace.
    """
    meta, arrays = replay.load(path, 'jang')
    settings = trace_settings(meta)
    replay.check_shapes(arrays, trace_shapes(settings, meta['steps']))
    arrays |= {'loss_d': -arrays['obj_d'], 'loss_g': -arrays['obj_g']}

    def network(name):
        depth = range(len(settings.hidden_sizes) + 1)
        renamed = {f'{i}/{part}': arrays[f'{name}/{part}{i}'] for i in depth for part in 'wb'}
        return replay.linears(renamed, depth)

    def init(seeds):
        return network('init/D_pre'), network('start/G')

    steps = gan.make_train_step(settings), gan.make_pretrain_step(settings), settings.pretrain_steps
    return replay.compare_run(replay.on_trace(arrays, init, *steps), meta, arrays)
