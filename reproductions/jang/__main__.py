"""The command line of Jang's post: python -m reproductions.jang."""

import functools

import reproductions.jang
from common.program import cli
from common.program.flags import Flag
from common.sizes import CHUNK, MOST, minibatch_group, minibatch_memory
from reproductions import command, declaration
from reproductions.jang import settings

OPTIONS = (
    Flag('log_every', int, None, 'Iterations between records of the losses, which a single-seed run prints (default: record '
         'each, as in the post, and print ten; with several seeds, about 200 records in all).', 1, MOST),
)  # fmt: skip


def pace(opts, num_steps: int) -> tuple[int, int, int]:
    """Iterations between records, between printed losses, and between frames of an animation."""
    every = opts.log_every or (1 if opts.runs == 1 else max(10, num_steps // 200))
    return every, opts.log_every or max(1, num_steps // 10), max(1, num_steps // 120)


def memory(s: settings.Settings, runs: int) -> int:
    """Bytes of the evaluation: minibatch discrimination, and the widest layer on the grid."""
    return minibatch_memory(s, runs) + 4 * min(runs, CHUNK) * settings.PLOT_POINTS * max(s.hidden_sizes)


POST = declaration.Post(
    name='jang',
    file=reproductions.jang.__file__,
    settings=settings,
    flags=declaration.table(settings, [declaration.seed_flag(0, 'First seed (the post: none given).')], OPTIONS),
    pace=pace,
    networks=lambda s: [(1, *s.hidden_sizes, 1)] * 2,
    memory=memory,
    group=minibatch_group,
    claim_times=5,  # J2
)
main = functools.partial(command.run, POST)

if __name__ == '__main__':
    cli.run(main)
