"""From a command line to the cells of a sweep, all checked before TensorFlow is imported."""

import itertools
import types
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from absl.flags import FlagValues

import reproductions.sweeps
from common.program import flags
from common.program.cli import UserError
from common.program.flags import Flag
from common.settings import changed, flat, is_on
from common.sizes import GROUP
from reproductions import contract
from reproductions.sweeps import vary

RUNS = 48  # seeds per cell, unless the user says otherwise: a share has a standard error of 7 percentage points at most
AT_ONCE = 4 * GROUP  # runs that are trained together at most, as far as they fit the memory
MOST_CELLS = 10_000
OWN = (
    Flag('vary', flags.REPEATED, None, 'What differs from cell to cell: a flag of the post and its values. Up to three times.'),
    Flag('runs', int, RUNS, 'Seeds per cell, the same in every cell: seed .. seed+runs-1.', 1),
    Flag('output_dir', flags.PATH, None, 'Where the files go (default: output/sweep_<post>).'),
    Flag('resume', bool, False, 'Go on with the cells that are not done in --output_dir; all other flags as before.'),
    *(flag for flag in flags.COMMON if flag.name in ('num_steps', 'batch_size', 'strategy', 'logical_devices')),
)
NOT_OF_A_CELL = ('vary', 'runs', 'output_dir', 'resume', 'strategy', 'logical_devices')


class Cell(NamedTuple):
    """One combination of values."""

    values: tuple[str, ...]  # one per --vary, as on a command line
    settings: Any  # the post's `Settings`
    num_steps: int
    every: int  # steps between records
    at_once: int  # runs of such cells that may be trained together


class Plan(NamedTuple):
    """A sweep: what to train. `cells` are in the order of the last --vary first, as in a nested loop."""

    post: str
    opts: FlagValues
    varied: tuple[vary.Varied, ...]
    cells: tuple[Cell, ...]
    published: tuple[str, ...]  # the value of each varied flag where it is not varied: where the post stands
    words: tuple[str, ...]  # the flags that apply to every cell, as on a command line


def make_plan(post: str, argv: Sequence[str]) -> Plan:
    """The sweep of a command line; `argv` follows the post's name. Raises UserError."""
    main = contract.part(post, '__main__')
    own = [flag for flag in main.FLAGS if flag.kind != flags.PATH and flag.name not in vary.UNUSED]
    opts = flags.parse((*OWN, *own), [f'sweep {post}', *argv], reproductions.sweeps.__file__, shared=())
    varied = vary.parse(opts.vary, main.FLAGS)
    for one in varied:
        if opts[one.name].present:
            raise UserError(f'--{one.name} is varied; leave out --{one.name}={opts[one.name].value}')
    count = int(np.prod([len(one.values) for one in varied]))
    if count > MOST_CELLS:
        raise UserError(f'--vary: {count:,} cells are too many; use {MOST_CELLS:,} or fewer')
    words = tuple(opts[name].serialize() for name in opts if opts[name].present and name not in NOT_OF_A_CELL)
    cells = tuple(
        make_cell(post, main, opts, varied, values, words) for values in itertools.product(*(one.values for one in varied))
    )
    return Plan(post, opts, varied, cells, published(post, main, varied, words), words)


def make_cell(
    post: str,
    main: types.ModuleType,
    opts: FlagValues,
    varied: Sequence[vary.Varied],
    values: tuple[str, ...],
    words: Sequence[str],
) -> Cell:
    """A cell, checked as a command of the post with its flags would be. Raises UserError."""
    given = [f'--{one.name}={value}' for one, value in zip(varied, values, strict=True)]
    own = flags.parse(main.FLAGS, [post, *words, *given, f'--runs={opts.runs}'], main.__file__)
    settings = main.settings_from_flags(own)
    num_steps = own.num_steps or contract.part(post, 'settings').default_steps(settings)
    every = int(np.clip(num_steps // 100, 10, 100))
    main.check(own, settings, num_steps, every)
    group = getattr(contract.part(post, 'settings'), 'GROUP', GROUP)
    at_once = own.runs = max(opts.runs, AT_ONCE * group // GROUP)
    try:
        main.check(own, settings, num_steps, every)
    except UserError:  # several cells do not fit the memory, or the last seeds are too near 2^32 to tell
        at_once = opts.runs
    return Cell(values, settings, num_steps, every, at_once)


def published(post: str, main: types.ModuleType, varied: Sequence[vary.Varied], words: Sequence[str]) -> tuple[str, ...]:
    """The value of each varied flag where it is not varied, '' for one that has none."""
    opts = flags.parse(main.FLAGS, [post, *words], main.__file__)
    try:
        settings = main.settings_from_flags(opts)
    except UserError:  # some flags make sense only beside a value of a --vary
        return ('',) * len(varied)
    steps = opts.num_steps or contract.part(post, 'settings').default_steps(settings)
    found = []
    for one in varied:
        value = flat(settings).get(one.name, getattr(settings, one.name, None))
        if value is None and one.name.endswith('_learning_rate'):
            value = settings.learning_rate
        value = steps if one.name == 'num_steps' else opts[one.name].value if value is None else value
        value = ','.join(map(str, value)) if isinstance(value, tuple | list) else value
        found.append(as_text(value))
    return tuple(found)


def as_text(value: Any) -> str:
    """A flag's value as on a command line, '' for none."""
    if isinstance(value, bool) or value is None:
        return '' if value is None else str(value).lower()
    return f'{value:.12g}' if isinstance(value, float) else str(value)


class Outcome(NamedTuple):
    """What came of a sweep."""

    results: dict[str, np.ndarray]  # columns of results.csv, a row per run, cell after cell
    cells: dict[str, np.ndarray]  # columns of sweep.csv, a row per cell that is done
    done: list[int]  # the numbers of these cells in the plan
    stop: int  # the signal that stopped it, or 0


class Program(NamedTuple):
    """Cells that one compiled program trains together."""

    cells: list[int]  # their numbers in the plan
    varied: tuple[str, ...]  # fields of the settings that differ between them


def programs(plan: Plan, done: set[int]) -> Iterator[Program]:
    """The programs that train the cells not yet `done`, each of at most `Cell.at_once` runs."""
    numbers = contract.part(plan.post, 'settings').NUMBERS
    groups: dict[Any, list[int]] = {}
    for i, cell in enumerate(plan.cells):
        remedies = tuple(map(is_on, cell.settings.remedies))  # what is off is not in the program: exactly the post
        key = changed(cell.settings, dict.fromkeys(numbers)), cell.num_steps, remedies
        groups.setdefault(key, []).append(i)
    for members in groups.values():
        settings = [plan.cells[i].settings for i in members]
        differing = tuple(name for name in numbers if len({flat(each)[name] for each in settings}) > 1)
        size = max(1, min(plan.cells[i].at_once for i in members) // plan.opts.runs)
        left = [i for i in members if i not in done]
        for first in range(0, len(left), size):
            yield Program(left[first : first + size], differing)
