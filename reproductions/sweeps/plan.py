"""From a command line to the cells of a sweep, all checked before TensorFlow is imported."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from absl.flags import FlagValues

import reproductions.sweeps
from common.program import flags
from common.program.cli import UserError
from common.program.flags import Flag
from common.settings import Kind, changed, flat, is_on, learning_rate
from common.settings import numbers as per_run_numbers
from reproductions import contract, declaration
from reproductions.declaration import Post
from reproductions.sweeps import vary

RUNS = 48  # seeds per cell, unless the user says otherwise: a share has a standard error of 7 percentage points at most
MOST_CELLS = 10_000
OWN = (
    Flag('vary', Kind.REPEATED, None, 'What differs from cell to cell: a flag of the post and its values. Up to three times.'),
    Flag('runs', int, RUNS, 'Seeds per cell, the same in every cell: seed .. seed+runs-1.', 1),
    Flag('output_dir', flags.PATH, None, 'Where the files go (default: output/sweep_<post>).'),
    Flag('resume', bool, False, 'Go on with the cells that are not done in --output_dir; all other flags as before.'),
    *(flag for flag in flags.COMMON if flag.name in ('num_steps', 'batch_size', 'strategy', 'logical_devices')),
)
NOT_OF_A_CELL = ('vary', 'runs', 'output_dir', 'resume', 'strategy', 'logical_devices')


class Cell(NamedTuple):
    """One combination of values."""

    values: tuple[Any, ...]  # one per --vary
    settings: Any  # the post's `Settings`
    num_steps: int
    every: int  # steps between records
    at_once: int  # runs of such cells that may be trained together


class Plan(NamedTuple):
    """A sweep: what to train. `cells` are in the order of the last --vary first, as in a nested loop."""

    post: Post
    opts: FlagValues
    varied: tuple[vary.Varied, ...]
    cells: tuple[Cell, ...]
    published: tuple[Any, ...]  # the value of each varied flag where it is not varied, None for one that has none
    given: dict[str, Any]  # {flag: value} of the flags that apply to every cell
    words: tuple[str, ...]  # these flags as on a command line


def table(post: Post) -> tuple[Flag, ...]:
    """The flags of a post's sweep."""
    return (*OWN, *(flag for flag in post.flags if flag.kind is not flags.PATH and flag.name not in vary.UNUSED))


def parse(name: str, argv: Sequence[str]) -> Plan:
    """The sweep of a command line; `argv` follows the post's name. Raises UserError."""
    post = contract.post(name)
    opts = flags.parse(table(post), [f'sweep {name}', *argv], reproductions.sweeps.__file__, shared=())
    return make_plan(post, opts, vary.parse(opts.vary, post.flags))


def make_plan(post: Post, opts: FlagValues, varied: tuple[vary.Varied, ...]) -> Plan:
    """The sweep of these flags; every cell is checked as a command of the post would be. Raises UserError."""
    for one in varied:
        if opts[one.name].present:
            raise UserError(f'--{one.name} is varied; leave out --{one.name}={opts[one.name].value}')
    count = int(np.prod([len(one.values) for one in varied]))
    if count > MOST_CELLS:
        raise UserError(f'--vary: {count:,} cells are too many; use {MOST_CELLS:,} or fewer')
    names = [name for name in opts if opts[name].present and name not in NOT_OF_A_CELL]
    given = {name: opts[name].value for name in names}
    every_cell = itertools.product(*(one.values for one in varied))
    cells = tuple(make_cell(post, opts.runs, given, varied, values) for values in every_cell)
    words = tuple(opts[name].serialize() for name in names)
    return Plan(post, opts, varied, cells, published(post, given, varied), given, words)


def make_cell(post: Post, runs: int, given: dict[str, Any], varied: Sequence[vary.Varied], values: tuple[Any, ...]) -> Cell:
    """A cell of a sweep over so many runs, checked. Raises UserError."""
    of_cell = given | {one.name: value for one, value in zip(varied, values, strict=True)}
    opts = flags.given((*post.flags, *flags.COMMON), of_cell | {'runs': runs})
    settings = declaration.settings_of(post, opts)
    num_steps = declaration.steps_of(post, opts, settings)
    every = int(np.clip(num_steps // 100, 10, 100))
    declaration.check(post, opts, settings, num_steps, every)
    at_once = opts.runs = max(runs, post.at_once)
    try:
        declaration.check(post, opts, settings, num_steps, every)
    except UserError:  # several cells do not fit the memory, or the last seeds are too near 2^32 to tell
        at_once = runs
    return Cell(values, settings, num_steps, every, at_once)


def published(post: Post, given: dict[str, Any], varied: Sequence[vary.Varied]) -> tuple[Any, ...]:
    """The value of each varied flag where it is not varied: where the post stands. None for one that has none."""
    opts = flags.given((*post.flags, *flags.COMMON), given)
    try:
        settings = declaration.settings_of(post, opts)
    except UserError:  # some flags make sense only beside a value of a --vary
        return (None,) * len(varied)
    own = flat(settings) | {'num_steps': declaration.steps_of(post, opts, settings)}
    own |= {name: learning_rate(settings, name) for name in ('d_learning_rate', 'g_learning_rate')}
    return tuple(own.get(one.name) for one in varied)


class Outcome(NamedTuple):
    """What came of a sweep."""

    results: dict[str, np.ndarray]  # columns of results.csv, a row per run, cell after cell
    cells: dict[str, np.ndarray]  # columns of sweep.csv, a row per cell that is done
    done: list[int]  # the numbers of these cells in the plan
    stop: int  # the signal that stopped it, or 0
    map: dict[str, Any]  # what the map shows, see `figures.arrays_of`


class Program(NamedTuple):
    """Cells that one compiled program trains together."""

    cells: list[int]  # their numbers in the plan
    varied: tuple[str, ...]  # fields of the settings that differ between them


def programs(plan: Plan, done: set[int]) -> Iterator[Program]:
    """The programs that train the cells not yet `done`, each of at most `Cell.at_once` runs."""
    numbers = per_run_numbers(plan.post.settings.Settings)
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
