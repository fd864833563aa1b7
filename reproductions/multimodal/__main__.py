"""The command line of the multi-modal post: python -m reproductions.multimodal."""

import functools

import reproductions.multimodal
from common.evaluation import Columns
from common.program import cli
from common.program.flags import Flag
from common.sizes import MOST, minibatch_group, minibatch_memory
from reproductions import command, declaration
from reproductions.multimodal import settings

OPTIONS = (
    Flag('log_every', int, settings.RECORD_EVERY, 'Steps between records of the losses, which a single-seed run prints; in '
         'addition, every fifth step up to the 400th is recorded.', 1, MOST),
)  # fmt: skip

POST = declaration.Post(
    name='multimodal',
    file=reproductions.multimodal.__file__,
    settings=settings,
    flags=declaration.table(
        settings, [declaration.seed_flag(settings.SEED, 'First seed (the post mentions 42 and 4).')], OPTIONS
    ),
    pace=lambda opts, num_steps: (opts.log_every,) * 3,
    networks=lambda s: [(1, *s.hidden_sizes, 1)],
    memory=minibatch_memory,
    group=minibatch_group,
    columns=Columns(covered='modes_covered'),
    published=False,
    traces='aylien',  # whose program this post starts from
)
main = functools.partial(command.run, POST)

if __name__ == '__main__':
    cli.run(main)
