"""What --vary=NAME=VALUES means: the name of a flag and its values."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from common.program import flags
from common.program.cli import UserError
from common.program.flags import Flag, spelled
from common.settings import Kind

MOST_VARIED = 3  # a map of more cannot be drawn
MOST_VALUES = 100
UNUSED = ('log_every', 'eval_every', 'anim_every')  # flags of posts that a sweep has no use for
FIXED = ('seed', 'data', *UNUSED)  # flags that do not say how a post trains
REFUSED = (Kind.PATH, Kind.NUMBERS, Kind.NAMES, Kind.REPEATED)  # kinds of flags whose values cannot stand in a list
TRUE, FALSE = ('true', 'yes', '1'), ('false', 'no', '0')


class Varied(NamedTuple):
    """One --vary."""

    name: str
    values: tuple[Any, ...]
    geometric: bool  # a map shows these values on a logarithmic axis


def names_of(table: Sequence[Flag]) -> list[str]:
    """Names of the flags of a post that can vary."""
    shared = [flag for flag in flags.COMMON if flag.name in ('num_steps', 'batch_size')]
    return [flag.name for flag in (*table, *shared) if flag.kind not in REFUSED and flag.name not in FIXED]


def parse(texts: Sequence[str], table: Sequence[Flag]) -> tuple[Varied, ...]:
    """The values of all --vary of a command line, for a post whose table of flags is given. Raises UserError."""
    named = []
    for text in texts or ():
        name, equals, values = text.partition('=')
        if not equals or not values.strip():
            raise UserError(f'--vary={text} must be NAME=VALUES, such as learning_rate=0.001..0.1:5 or batch_size=4,12,48')
        named.append((name.strip().replace('-', '_'), values.strip()))
    return of_values(named, table)


def of_values(named: Iterable[tuple[str, Any]], table: Sequence[Flag]) -> tuple[Varied, ...]:
    """The same of pairs (name, values); values are a text as on a command line, or a sequence. Raises UserError."""
    named = [(name, values if isinstance(values, str) else listed(name, values)) for name, values in named]
    if not 1 <= len(named) <= MOST_VARIED:
        given = f'{len(named)} times' if named else 'not at all'
        raise UserError(
            f'--vary is given {given}; give it one to {MOST_VARIED} times, such as --vary=learning_rate=0.001..0.1:5'
        )
    names, varied = names_of(table), []
    for name, values in named:
        given = f'--vary={name}={values if isinstance(values, str) else spelled(values)}'
        if name not in names:
            raise UserError(f'{given}: {name!r} cannot vary; these can: {", ".join(names)}')
        if name in [one.name for one in varied]:
            raise UserError(f'{given}: {name} is varied twice; join its values in one --vary')
        flag = next(flag for flag in (*table, *flags.COMMON) if flag.name == name)
        varied.append(one(flag, values, given))
    return tuple(varied)


def listed(name: str, values: Any) -> list[Any]:
    """A sequence of values, NumPy's and pandas' as Python's; widths as tuples. Raises UserError if it is none."""
    values = values.tolist() if hasattr(values, 'tolist') else values
    if not isinstance(values, Iterable) or isinstance(values, Mapping):
        raise UserError(f'--vary={name}={values}: give a list of values, such as [0.005, 0.05]')
    plain = (value.tolist() if hasattr(value, 'tolist') else value for value in values)
    return [tuple(value) if isinstance(value, list) else value for value in plain]


def one(flag: Flag, values: str | list[Any], given: str) -> Varied:
    """One --vary of a flag; `given` is what the user wrote. Raises UserError."""
    if not isinstance(values, str):
        values = [value(each, flag, given) if isinstance(each, str) else each for each in values]
        geometric = is_geometric(values)
    elif '..' in values:
        values, geometric = steps(values, flag, given)
    else:
        values = [value(word.strip(), flag, given) for word in values.split(',')]
        geometric = is_geometric(values)
    values = list(dict.fromkeys(values))
    if not values:
        raise UserError(f'{given} has no values; name one or more')
    if len(values) > MOST_VALUES:
        raise UserError(f'{given} names {len(values):,} values; use {MOST_VALUES} or fewer')
    return Varied(flag.name, tuple(values), geometric)


def steps(text: str, flag: Flag, given: str) -> tuple[list[float], bool]:
    """The values of a..b:n or a..b:n:linear, and whether they are geometric. Raises UserError."""
    ends, *rest = text.split(':')
    low, _, high = ends.partition('..')
    try:
        low, high, count = float(low), float(high), int(rest[0])
        linear = rest[1:] == ['linear']
        if rest[1:] not in ([], ['linear'], ['geometric']) or not (np.isfinite([low, high]).all() and count > 1):
            raise ValueError
    except (ValueError, IndexError) as error:
        raise UserError(f'{given}: a range is a..b:n or a..b:n:linear with n of 2 or more, such as 0.001..0.1:5') from error
    if flag.kind is not int and flag.kind not in (float, Kind.POSITIVE, Kind.FRACTION):
        raise UserError(f'{given}: {flag.name} is not a number; list its values, separated by commas')
    if low >= high:
        raise UserError(f'{given} is an empty range; put the smaller number first')
    if count > MOST_VALUES:
        raise UserError(f'{given} asks for {count:,} values; use {MOST_VALUES} or fewer')
    if not linear and low <= 0:
        raise UserError(f'{given}: geometric steps need positive numbers; add :linear, or begin above 0')
    between = (np.linspace if linear else np.geomspace)(low, high, count)[1:-1]
    values = [low, *(float(f'{v:.6g}') for v in between), high]  # the ends as they were given
    return [round(v) for v in values] if flag.kind is int else values, not linear


def value(word: str, flag: Flag, given: str) -> Any:
    """A listed value. Raises UserError if it cannot; ranges are checked with the whole."""
    if not word:
        raise UserError(f'{given} has an empty value; separate values by single commas')
    if flag.kind is bool:
        if word.lower() not in TRUE + FALSE:
            raise UserError(f'{given}: {word!r} is neither true nor false')
        return word.lower() in TRUE
    if flag.kind is Kind.WIDTHS:
        if not all(part.isdecimal() for part in word.split('x')):
            raise UserError(f'{given}: {word!r} must be widths joined by x, such as 8x8x8')
        return tuple(int(part) for part in word.split('x'))
    if isinstance(flag.kind, tuple):
        if word not in flag.kind:
            raise UserError(f'{given}: {word!r} is none of {", ".join(flag.kind)}')
        return word
    try:
        return int(word) if flag.kind is int else float(word)
    except ValueError as error:
        raise UserError(f'{given}: {word!r} is not a {"whole " * (flag.kind is int)}number') from error


def is_geometric(values: Sequence[Any]) -> bool:
    """Whether values are numbers whose ratios are more alike than their differences."""
    if len(values) < 2 or any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
        return False
    numbers = np.array(values, float)
    if len(numbers) == 2:
        return bool((numbers > 0).all())
    if (numbers <= 0).any() or (np.diff(numbers) <= 0).any():
        return False
    ratios, differences = np.diff(np.log(numbers)), np.diff(numbers)
    return bool(ratios.std() / ratios.mean() < differences.std() / differences.mean())


def shown(value: Any) -> str:
    """A value as in tables and maps: as on a command line, widths joined by x."""
    return spelled(value).replace(',', 'x')


def as_numbers(texts: Sequence[Any]) -> np.ndarray:
    """Texts of a table as float64 if they are numbers, else as they are."""
    try:
        return np.array([float(text) for text in texts])
    except ValueError:
        return np.array([str(text) for text in texts])
