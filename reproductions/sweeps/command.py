"""The command line of sweeps: python -m reproductions sweep POST --vary=NAME=VALUES ..."""

import numpy as np

import reproductions.sweeps
from common import quiet
from common.program import cli, flags
from common.program.flags import spelled
from reproductions import contract
from reproductions.sweeps import plan as planning
from reproductions.sweeps.plan import Outcome, Plan


def main(argv: list[str]) -> int:
    """Runs the command; `argv` follows `sweep`. Returns the exit status: 0, or 128 plus the signal that stopped it."""
    argv = argv or ['--help']
    name = argv[0]
    if name.startswith('-'):
        if not {'--help', '-h'} & set(argv):
            raise cli.UserError(f'sweep {name}: name a post first, one of {", ".join(contract.NAMES)}')
        print(f'{flags.text_of(reproductions.sweeps.__file__)}\n\nFlags:\n{flags.described(planning.OWN)}\n'
              'and those of the post; with its name, --help lists them and what can vary.')  # fmt: skip
        return 0
    if name not in contract.NAMES:
        raise cli.UserError(contract.unknown_post(f'sweep {name}: {name!r}'))
    plan = planning.parse(name, argv[1:])
    quiet.import_tensorflow()
    from common.devices import cluster
    from common.program import command
    from reproductions.sweeps import execution

    devices = command.strategy(plan.opts)
    with command.opened(f'sweep_{name}', plan.opts, 'sweep', devices) as held:
        outcome = execution.execute(plan, devices, held)
        if cluster.is_chief(devices):
            show(plan, outcome)
            print(f'files in {held.path}/')
    if outcome.stop:
        print('the sweep was stopped; --resume goes on with the cells that are not done')
    return 128 + outcome.stop if outcome.stop else 0


def show(plan: Plan, outcome: Outcome) -> None:
    """Prints how many cells are done, the best, and the one where the post stands."""
    print(f'{len(outcome.done)} of {len(plan.cells)} cells done, {plan.opts.runs} seeds each')
    if outcome.done and not outcome.cells['success'].any():
        print('no seed succeeds in any of them')
    elif outcome.done:
        print(f'best: {in_words(plan, outcome, int(np.argmax(outcome.cells["success"])))}')
    for row, number in enumerate(outcome.done):
        if plan.cells[number].values == plan.published:
            print(f'unchanged: {in_words(plan, outcome, row)}')


def in_words(plan: Plan, outcome: Outcome, row: int) -> str:
    """A row of sweep.csv."""
    values = plan.cells[outcome.done[row]].values
    given = ' '.join(f'--{one.name}={spelled(value)}' for one, value in zip(plan.varied, values, strict=True))
    share, low, high = (outcome.cells[name][row] for name in ('success', 'success_low', 'success_high'))
    return f'{given}: success {share:.1%} [{low:.1%}, {high:.1%}]'
