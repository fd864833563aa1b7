"""The command line of the remedies: python -m reproductions remedies."""

import sys
from typing import Any

import reproductions.remedies
from common import quiet
from common.program import checks
from common.program.cli import UserError
from common.program.flags import PATH, Flag, parse
from common.settings import Kind
from common.storage import directories
from reproductions import contract, declaration
from reproductions.remedies import plan

FLAGS = (
    Flag('only', Kind.NAMES, None, f'Only these posts, out of {", ".join(contract.NAMES)}.'),
    Flag('runs', int, plan.RUNS, 'Held-out seeds of each post and remedy; one in 60 for MNIST.', 60, 1_000_000),
    Flag('output_dir', PATH, 'output/remedies', 'Directory of the files.'),
    Flag('data', str, 'auto', "Digits: see the MNIST post's --data."),
)


def main(argv: list[str]) -> int:
    """Measures what is not measured yet; returns the exit status: 0, or 128 plus the signal that stopped it."""
    opts = parse(FLAGS, argv, reproductions.remedies.__file__, shared=())
    chosen = contract.chosen(opts.only)
    with checks.opened(opts, 'remedies') as held:
        quiet.import_tensorflow()
        from reproductions.remedies import measurement, results

        directory, given = held.path, {post: flags_of(post, opts.data) for post in chosen}
        settle(held, given)
        table = results.read(directory, opts.runs)
        for post in chosen:
            done = measurement.measured(directory, post, opts.runs)
            missing = [one for one in plan.remedies_of(post) if one.name not in done and (post, one.name) not in table]
            if missing and plan.PUBLISHED.name not in done and plan.PUBLISHED not in missing:
                missing.insert(0, plan.PUBLISHED)  # the others are compared with it
            for remedy in missing:
                print(f'{post}: {remedy.title}', flush=True)
                try:
                    done[remedy.name] = measurement.complete(directory, post, remedy, opts.runs, given[post])
                except measurement.Stopped as stopped:
                    print('what is done is kept; the same command goes on with the rest', file=sys.stderr)
                    return 128 + stopped.args[0]
            table = {(post, row['remedy']): row for row in measurement.rows_of(post, done)} | table
        results.write(directory, measurement.corrected(results.in_order(table)))
        settle(held, given)
    print(f'files in {directory}/')
    return 0


def settle(held: directories.Held, given: dict[str, dict[str, Any]]) -> None:
    """Makes the directory that of the remedies; the data sets of the posts in it stay those that were measured before.

    `given`: {post: {flag: value}}. Raises UserError if a post was measured with another data set.
    """
    earlier, whose = directories.read(held.path), {}
    if earlier.kind == held.kind:
        whose |= earlier.identity
    for post, flags in given.items():
        _, ours = declaration.data_of(contract.post(post), flags, plan.settings_of(post))
        if whose.setdefault(post, ours) != ours:
            raise UserError(f'--output_dir={held.path} holds outcomes of {post} with another data set; name another directory')
    directories.settle(held, whose, goes_on=True)


def flags_of(post: str, data: str) -> dict[str, Any]:
    """{flag: value} of every command of a post, with the digits for one that has such a flag."""
    has_data = any(flag.name == 'data' for flag in contract.post(post).flags)
    return dict(contract.trial_of(post).flags) | ({'data': data} if has_data else {})
