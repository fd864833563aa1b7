"""The command line of the post."""

import functools

import reproductions.corners
from reproductions.corners import settings

from common.evaluation import PLANE
from common.program import cli
from reproductions import command, declaration

POST = declaration.Post(
    name='corners',
    file=reproductions.corners.__file__,
    settings=settings,
    flags=declaration.table(settings, [declaration.seed_flag(0, 'First seed (the post: none given).')]),
    pace=lambda opts, num_steps: (max(1, num_steps // 100), max(1, num_steps // 10), max(1, num_steps // 60)),
    networks=lambda s: [(2, s.hidden_size, s.hidden_size, 1), (2, s.hidden_size, s.hidden_size, 2)],
    columns=PLANE,
    no_trace='the post published no program that could be recorded',
)
main = functools.partial(command.run, POST)

if __name__ == '__main__':
    cli.run(main)
