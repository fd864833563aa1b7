"""What --vary=NAME=VALUES means: the name of a flag and its values as texts, as they would stand on a command line."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from common.program import flags
from common.program.cli import UserError
from common.program.flags import Flag

MOST_VARIED = 3  # a map of more cannot be drawn
MOST_VALUES = 100
UNUSED = ('log_every', 'eval_every', 'anim_every')  # flags of posts that a sweep has no use for
FIXED = ('seed', 'data', *UNUSED)  # flags that do not say how a post trains
REFUSED = (flags.PATH, flags.NUMBERS, flags.NAMES, flags.REPEATED)  # kinds of flags whose values cannot stand in a list
TRUE, FALSE = ('true', 'yes', '1'), ('false', 'no', '0')


class Varied(NamedTuple):
    """One --vary."""

    name: str
    values: tuple[str, ...]  # as on a command line
    geometric: bool  # a map shows these values on a logarithmic axis


def names_of(table: Sequence[Flag]) -> list[str]:
    """Names of the flags of a post that can vary."""
    shared = [flag for flag in flags.COMMON if flag.name in ('num_steps', 'batch_size')]
    return [flag.name for flag in (*table, *shared) if flag.kind not in REFUSED and flag.name not in FIXED]


def parse(texts: Sequence[str], table: Sequence[Flag]) -> tuple[Varied, ...]:
    """The values of all --vary, for a post whose table of flags is given. Raises UserError."""
    names, found = names_of(table), []
    if not 1 <= len(texts or ()) <= MOST_VARIED:
        given = f'{len(texts)} times' if texts else 'not at all'
        raise UserError(
            f'--vary is given {given}; give it one to {MOST_VARIED} times, such as --vary=learning_rate=0.001..0.1:5'
        )
    for text in texts:
        name, equals, values = text.partition('=')
        name = name.strip().replace('-', '_')
        if not equals or not values.strip():
            raise UserError(f'--vary={text} must be NAME=VALUES, such as learning_rate=0.001..0.1:5 or batch_size=4,12,48')
        if name not in names:
            raise UserError(f'--vary={text}: {name!r} cannot vary; these can: {", ".join(names)}')
        if name in [one.name for one in found]:
            raise UserError(f'--vary={text}: {name} is varied twice; join its values in one --vary')
        flag = next(flag for flag in (*table, *flags.COMMON) if flag.name == name)
        found.append(one(name, values.strip(), flag, f'--vary={text}'))
    return tuple(found)


def one(name: str, text: str, flag: Flag, given: str) -> Varied:
    """One --vary, from the text of its values; `given` is what the user wrote. Raises UserError."""
    if '..' in text:
        values, geometric = steps(text, flag, given)
    else:
        values = [value(word.strip(), flag, given) for word in text.split(',')]
        geometric = is_geometric(values)
    values = list(dict.fromkeys(values))
    if len(values) > MOST_VALUES:
        raise UserError(f'{given} names {len(values):,} values; use {MOST_VALUES} or fewer')
    return Varied(name, tuple(values), geometric)


def steps(text: str, flag: Flag, given: str) -> tuple[list[str], bool]:
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
    if flag.kind is not int and flag.kind not in (float, flags.POSITIVE, flags.FRACTION):
        raise UserError(f'{given}: {flag.name} is not a number; list its values, separated by commas')
    if low >= high:
        raise UserError(f'{given} is an empty range; put the smaller number first')
    if count > MOST_VALUES:
        raise UserError(f'{given} asks for {count:,} values; use {MOST_VALUES} or fewer')
    if not linear and low <= 0:
        raise UserError(f'{given}: geometric steps need positive numbers; add :linear, or begin above 0')
    values = np.linspace(low, high, count) if linear else np.geomspace(low, high, count)
    return [str(round(v)) if flag.kind is int else f'{v:.6g}' for v in values], not linear


def value(word: str, flag: Flag, given: str) -> str:
    """A listed value as it stands on a command line. Raises UserError if it cannot; ranges are checked with the whole."""
    if not word:
        raise UserError(f'{given} has an empty value; separate values by single commas')
    if flag.kind is bool:
        if word.lower() not in TRUE + FALSE:
            raise UserError(f'{given}: {word!r} is neither true nor false')
        return 'true' if word.lower() in TRUE else 'false'
    if flag.kind == flags.WIDTHS:
        if not all(part.isdecimal() for part in word.split('x')):
            raise UserError(f'{given}: {word!r} must be widths joined by x, such as 8x8x8')
        return word.replace('x', ',')
    if isinstance(flag.kind, tuple):
        if word not in flag.kind:
            raise UserError(f'{given}: {word!r} is none of {", ".join(flag.kind)}')
        return word
    try:
        return str(int(word)) if flag.kind is int else f'{float(word):.12g}'
    except ValueError as error:
        raise UserError(f'{given}: {word!r} is not a {"whole " * (flag.kind is int)}number') from error


def is_geometric(values: Sequence[str]) -> bool:
    """Whether values are numbers whose ratios are more alike than their differences."""
    numbers = as_numbers(values)
    if len(numbers) < 3 or numbers.dtype.kind != 'f' or (numbers <= 0).any() or (np.diff(numbers) <= 0).any():
        return len(numbers) == 2 and numbers.dtype.kind == 'f' and bool((numbers > 0).all())
    ratios, differences = np.diff(np.log(numbers)), np.diff(numbers)
    return bool(ratios.std() / ratios.mean() < differences.std() / differences.mean())


def as_numbers(values: Sequence[Any]) -> np.ndarray:
    """Texts as float64 if they are numbers, else as texts with widths joined by x."""
    try:
        return np.array([float(v) for v in values])
    except ValueError:
        return np.array([str(v).replace(',', 'x') for v in values])
