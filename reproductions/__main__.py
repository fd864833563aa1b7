"""The classic GAN tutorials, reproduced.

python -m reproductions list                     the posts, their variants and how many claims hold
python -m reproductions report                   trains every post over many seeds, writes one page of results
python -m reproductions sweep <post> --vary=...  a post over a grid of settings, and a map of when it succeeds
python -m reproductions remedies                 every post with well-known remedies, and how often it then succeeds
python -m reproductions explore <directory>      a page on which every seed of a training can be looked at
python -m reproductions <post> ...               one post: the same as python -m reproductions.<post> ...
python -m reproductions report --help            the flags of the report; <post> --help: those of a post
"""

import collections

from common.evaluation import Verdict
from common.program import cli, flags
from reproductions import contract, overview


def list_posts() -> None:
    """Prints one line per post: its variants (the default first) and the recorded verdicts of its claims."""
    rows = [('post', 'variants (the first is the default)', 'claims')]
    for name, claims in overview.recorded_claims().items():
        counts = collections.Counter(claim['verdict'] for claim in claims)
        found = [f'{counts[verdict.value]} {verdict.value}' for verdict in Verdict if counts[verdict.value]]
        rows.append((name, ', '.join(contract.part(name, 'settings').VARIANTS), ', '.join(found)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print('  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def main(argv: list[str]) -> int | None:
    """Runs a command; returns the exit status."""
    name = argv[1] if len(argv) > 1 else '--help'
    if name in ('--help', '-h', 'help'):
        print(flags.text_of(__file__))
        return 0
    if name == 'list':
        if argv[2:]:
            raise cli.UserError(f'{argv[2]!r}: list takes no arguments')
        return list_posts()
    if name == 'report':
        from reproductions.report import command

        return command.main([f'{argv[0]} report', *argv[2:]])
    if name == 'remedies':
        from reproductions.remedies import command

        return command.main([f'{argv[0]} remedies', *argv[2:]])
    if name == 'explore':
        from reproductions.explorer import command

        return command.main(argv[2:])
    if name == 'sweep':
        from reproductions.sweeps import command

        return command.main(argv[2:])
    if name not in contract.NAMES:
        known = f'list, report, sweep, remedies, explore or a post: {", ".join(contract.NAMES)}'
        raise cli.UserError(f'{name!r} is not a command; use {known}')
    return contract.part(name, '__main__').main([name, *argv[2:]])


if __name__ == '__main__':
    cli.run(main)
