"""The command line of the MNIST post: python -m reproductions.mnist."""

import functools
import sys
from collections.abc import Callable
from typing import Any

import reproductions.mnist
from common.program import cli
from common.program.flags import Flag, local_path
from common.sizes import MOST, minibatch_memory
from reproductions import command, declaration
from reproductions.mnist import settings
from reproductions.mnist.settings import COLUMNS, Settings

FIRST = (
    declaration.seed_flag(0, 'First seed (the post: none given).'),
    Flag('data', str, 'auto', "Digits: auto (Keras's cache or download; without a network, bundled), bundled (8,000 + 2,000 of "
         'MNIST), or a path: a Keras mnist.npz, or a directory with the four IDX files, plain or .gz (the post: MNIST).'),
)  # fmt: skip
OPTIONS = (
    Flag('eval_every', int, 2500, 'Iterations between evaluations; each takes a second or two per seed (the post: none).',
         1, MOST),
)  # fmt: skip
COLLAPSES = (
    "the post's listing collapses to one blot within 60 iterations, whatever the seed; --variant=2018-06 draws digits, as does "
    '--variant=repaired, the listing with one more term'
)


def intervals(runs: int, num_steps: int, eval_every: int) -> tuple[int, int]:
    """Iterations between records and between sample grids. Every evaluation and every sample grid falls on a record."""
    most = max(1, min(settings.MOST_BETWEEN, settings.CALL // runs))
    every = max(size for size in range(1, most + 1) if eval_every % size == 0)
    return every, every * max(1, round(num_steps / settings.ANIMATION_FRAMES / every))


def pace(opts, num_steps: int) -> tuple[int, int, None]:
    """Iterations between records and between printed losses; an animation shows the sample grids that are recorded anyway."""
    every, _ = intervals(opts.runs, num_steps, opts.eval_every)
    return every, max(every, num_steps // 10 // every * every), None


def due(opts, num_steps: int) -> Callable[[int], tuple[str, ...]]:
    """When evaluations and sample grids are recorded: after iteration 0, at multiples of their interval, and at the end."""
    _, grid_every = intervals(opts.runs, num_steps, opts.eval_every)
    every = {'evaluation': opts.eval_every, 'sheet': grid_every}
    return lambda step: tuple(name for name, each in every.items() if (step - 1) % each == 0 or step == num_steps)


def load_digits(opts, settings: Settings) -> tuple[Any]:
    """The digits of --data (`dataset.Digits`); prints a note if they may not be the expected ones. Raises UserError."""
    from reproductions.mnist import dataset

    try:
        digits, notice = dataset.load(local_path('--data', opts.data))
    except dataset.BadData as error:
        remedy = 'name a Keras mnist.npz, a directory with the four IDX files, bundled or auto'
        raise cli.UserError(f'--data={opts.data}: {error}; {remedy}') from error
    if dataset.too_few(digits):
        raise cli.UserError(f'--data={opts.data} has too few digits to evaluate others by; give more of each class')
    size = len(dataset.training_digits(digits)[0])
    if settings.batch_size > size and opts['batch_size'].present:
        raise cli.UserError(f'--batch_size={opts.batch_size} is more than the {size:,} training digits')
    if notice:
        print(f'note: {notice}', file=sys.stderr)
    return (digits,)


POST = declaration.Post(
    name='mnist',
    file=reproductions.mnist.__file__,
    settings=settings,
    flags=declaration.table(settings, FIRST, OPTIONS),
    pace=pace,
    networks=lambda s: (s.d_widths, s.g_widths),
    memory=lambda s, runs: minibatch_memory(s, 1),
    group=lambda s: settings.GROUP,
    at_once=4,
    claim_runs=settings.CLAIM_RUNS,
    claim_steps=settings.CLAIM_STEPS,
    columns=COLUMNS,
    remark=lambda s: COLLAPSES if s == settings.make_settings() else '',
    load=load_digits,
    resume_key=lambda opts, data: {'eval_every': opts.eval_every, 'data_sha256': data[0].sha256},
    due=due,
    sharded_batch=lambda s: None if s.minibatch else s.batch_size,
    no_networks='is for the small networks of the other posts; leave it out: progress.png, runs.png and --animation show the '
    'digits of a training',
    conditional=lambda s: s.conditional,
)
main = functools.partial(command.run, POST)

if __name__ == '__main__':
    cli.run(main)
