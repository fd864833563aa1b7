"""The command line of Aylien's post: python -m reproductions.aylien."""

import functools

import reproductions.aylien
from common import sizes
from common.program import cli
from common.program.flags import PATH, Flag
from common.sizes import MOST
from reproductions import command, declaration
from reproductions.aylien import settings

OPTIONS = (
    Flag('log_every', int, None, 'Steps between records of the losses, which a single-seed run prints (default: 10, as in '
         'the post; with several seeds, about 100 records in all).', 1, MOST),
    Flag('anim_every', int, None, 'Steps between animation frames (default: about 120 frames in all; the post: 1).', 1, MOST),
    Flag('anim_path', PATH, None, 'Write the animation to this .gif file, or .mp4 if ffmpeg is installed.'),
)  # fmt: skip


def pace(opts, num_steps: int) -> tuple[int, int, int]:
    """Steps between records, between printed losses, and between frames of an animation."""
    every = opts.log_every or (10 if opts.runs == 1 else max(10, num_steps // 100))
    return every, every, opts.anim_every or max(1, num_steps // 120)


POST = declaration.Post(
    name='aylien',
    file=reproductions.aylien.__file__,
    settings=settings,
    flags=declaration.table(settings, [declaration.seed_flag(settings.SEED, "First seed (the post's program: 42).")], OPTIONS),
    pace=pace,
    networks=lambda s: [(1, *s.d_hidden_sizes, 1), (1, s.hidden_size, 1)],
    memory=sizes.minibatch_memory,
    group=sizes.minibatch_group,
    claim_runs=500,
)
main = functools.partial(command.run, POST)

if __name__ == '__main__':
    cli.run(main)
