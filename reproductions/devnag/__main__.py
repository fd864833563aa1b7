"""The command line of Dev Nag's post: python -m reproductions.devnag."""

import functools

import reproductions.devnag
from common.program import cli
from common.program.flags import PATH, Flag
from common.sizes import MOST
from reproductions import command, declaration
from reproductions.devnag import settings

OPTIONS = (
    Flag('log_every', int, None, 'Rounds between records of the losses, which a single-seed run prints (default: record each '
         "and print every hundredth, as the post's program does).", 1, MOST),
    Flag('anim_every', int, None, 'Rounds between animation frames (default: about 120 frames in all).', 1, MOST),
    Flag('anim_path', PATH, None, 'Write the animation to this .gif file, or .mp4 if ffmpeg is installed.'),
)  # fmt: skip

POST = declaration.Post(
    name='devnag',
    file=reproductions.devnag.__file__,
    settings=settings,
    flags=declaration.table(settings, [declaration.seed_flag(0, 'First seed (the post: none given).')], OPTIONS),
    pace=lambda opts, rounds: (opts.log_every or 1, opts.log_every or 100, opts.anim_every or max(1, rounds // 120)),
    networks=lambda s: [(s.d_hidden_size,) * 2, (s.g_hidden_size,) * 2],
)
main = functools.partial(command.run, POST)

if __name__ == '__main__':
    cli.run(main)
