"""Command lines as tables: each row is a flag, from which its parser, its checks and its --help text are generated.

Text is parsed here and nowhere else; from Python the same flags are given values (`given`).
"""

import ast
import importlib.util
import os
import pathlib
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from absl import flags

from common.devices import STRATEGIES
from common.program.cli import UserError
from common.settings import Derived, Kind, fields
from common.sizes import MOST

SHOWN = {int: 'INT', float: 'FLOAT', str: 'TEXT'}  # in --help; a `Kind` is shown as its value
PATH = Kind.PATH
LISTS = (Kind.WIDTHS, Kind.NUMBERS, Kind.NAMES)
LEAST, LARGEST = 1e-9, 1e30  # bounds of learning rates, means and stds, which float32 can represent
MOST_LAYERS = 20  # in a list of widths; compiling a layer takes seconds


class Flag(NamedTuple):
    """A row of a table."""

    name: str
    kind: Any  # int, float, bool, str, a `Kind`, or the allowed texts
    default: Any  # None: the variant decides, or the flag is off
    text: str  # for --help
    least: float | None = None
    most: float | None = None


COMMON = (
    Flag('runs', int, 1, 'GANs trained at once, with seeds seed .. seed+runs-1 (the posts: 1).', 1),
    Flag('num_steps', int, None, "Training iterations (default: the variant's).", 1, MOST),
    Flag('batch_size', int, None, "Samples in a batch (default: the variant's).", 1),
    Flag('output_dir', PATH, None, 'Where the files go (default: output/<post>).'),
    Flag('strategy', STRATEGIES, 'auto', 'Devices: every GPU or else the CPU (auto), the CPU, one GPU, or the runs sharded '
         'over all GPUs or logical CPU devices (mirrored) or over the machines of TF_CONFIG (multiworker).'),
    Flag('logical_devices', int, None, 'Split the CPU into so many devices.', 1, 1024),
    Flag('resume', bool, False, 'Resume from the last checkpoint in --output_dir, bit for bit; all other flags as before.'),
    Flag('checkpoint_every', float, 60, 'Seconds between checkpoints, of which the last two are kept; 0: after every call.', 0),
    Flag('export', PATH, None, 'Write the trained generator of --export_seed into this new directory, as a SavedModel with '
         'generate(z) and sample(n, seed); with --resume, that of a finished run.'),
    Flag('export_seed', int, None, 'Which seed to export (default: the first).'),
    Flag('tensorboard', PATH, None, 'After training, write records (with several seeds, their quantiles) and figures into this '
         "directory for TensorBoard; needs pip install '.[tensorboard]'."),
    Flag('record_networks', int, None, 'Also keep both networks of every run at so many moments, for the slider of the page '
         'that `python -m reproductions explore` makes.', 2, 1000),
    Flag('animation', bool, False, "Also draw the first seed's training as animation.gif; nothing else changes."),
    Flag('claims', bool, False, "Measure the claims over --runs seeds (default: as many as the page says), nothing else."),
    Flag('replay', PATH, None, "Compare with this recorded run of the author's program, step by step, and nothing else."),
)  # fmt: skip


def of_settings(settings: type, variants: Mapping[str, Mapping[str, Any]]) -> list[Flag]:
    """The flags of a post's `Settings` that not all posts have.

    The default is None if it depends on the variant or on other settings, and of a list, whose text gives it.
    """
    own = []
    for name, field in fields(settings).items():
        if field.text:
            left_out = isinstance(field.default, Derived | tuple) or any(name in changes for changes in variants.values())
            own.append(Flag(name, field.kind, None if left_out else field.default, field.text, *field.bounds))
    return own


def define(table: Sequence[Flag]) -> flags.FlagValues:
    """The flags of a table as a new `absl.flags.FlagValues`, so that one process can run several commands."""
    opts = flags.FlagValues()
    for flag in table:
        given = {'name': flag.name, 'default': flag.default, 'help': flag.text, 'flag_values': opts}
        bounds = {'lower_bound': flag.least, 'upper_bound': flag.most}
        if isinstance(flag.kind, tuple):
            flags.DEFINE_enum(enum_values=list(flag.kind), **given)
        elif flag.kind is bool:
            flags.DEFINE_bool(**given)
        elif flag.kind is int:
            flags.DEFINE_integer(**given, **bounds)
        elif flag.kind is Kind.REPEATED:
            flags.DEFINE_multi_string(**given)
        elif flag.kind in (float, Kind.POSITIVE, Kind.FRACTION):
            flags.DEFINE_float(**given, **bounds)
        elif flag.kind in LISTS:
            flags.DEFINE_list(**given)
        else:
            flags.DEFINE_string(**given)
    return opts


def parse(own: Sequence[Flag], argv: list[str], file: str, shared: Sequence[Flag] = COMMON) -> flags.FlagValues:
    """Parses and checks a command line. For --help it prints the text of `file` and the flags and raises SystemExit(0).

    Args:
      own: the command's own flags.
      argv: the program's name and its arguments.
      file: a module's; its docstring is the text above the flags in --help.
      shared: flags that the command shares with others.

    Raises:
      UserError: unknown flags, invalid values, arguments that are not flags.
    """
    argv = [argv[0]] + [_underscored(argument) for argument in argv[1:]]
    if {'--help', '-h', '--helpshort', '--helpfull', '-?'} & set(argv):
        print(f'{text_of(file)}\n\n{_help(own, shared)}')
        raise SystemExit(0)
    for word in argv[1:]:
        _refuse_unusable(word)
    table = (*own, *shared)
    opts = define(table)
    try:
        rest = opts(argv)
    except (flags.Error, ValueError) as error:  # the latter for --noflag=value
        raise UserError(str(error).splitlines()[0]) from error
    if len(rest) > 1:
        raise UserError(f'{rest[1]!r} is not a flag; a flag begins with -- and takes its value after =')
    return _checked(opts, table)


def given(table: Sequence[Flag], values: Mapping[str, Any]) -> flags.FlagValues:
    """The flags of a table with these values, {name: value}; None leaves a flag at its default.

    Values of NumPy and pandas count as Python's; a text counts as on a command line. Raises UserError with the command line's
    own message for an unknown flag or an invalid value.
    """
    opts, kinds = define(table), {flag.name: flag.kind for flag in table}
    opts.mark_as_parsed()
    for name, value in values.items():
        if value is None:
            continue
        try:
            if name not in kinds:
                opts(['', f'--{name}'])  # raises absl's error
            opts[name].parse(_for_parser(kinds[name], value))
        except flags.Error as error:
            raise UserError(str(error).splitlines()[0]) from error
    return _checked(opts, table)


def _for_parser(kind, value):
    """A Python value as absl's parser of a kind takes it: a number, a list, or whatever else as text."""
    value = value.tolist() if hasattr(value, 'tolist') else value  # of NumPy or pandas
    if kind in LISTS and not isinstance(value, str):
        return list(value) if isinstance(value, Iterable) else [value]
    is_number = isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
    return value if is_number and kind in (int, float, Kind.POSITIVE, Kind.FRACTION) else str(value)


def _checked(opts, table):
    """Flags whose values absl has parsed, lists as tuples of numbers and paths with ~ expanded. Raises UserError."""
    for flag in table:
        value = opts[flag.name].value
        if opts[flag.name].present and value in ('', []):
            raise UserError(f'--{flag.name}= is given without a value; give it one or leave it out')
        if value is None:
            continue
        if flag.kind is Kind.POSITIVE and not LEAST <= value <= LARGEST:
            raise UserError(f'--{flag.name}={value} must be a positive number, from {LEAST:g} to {LARGEST:g}')
        if flag.kind is Kind.FRACTION and not 0 <= value < 1:
            raise UserError(f'--{flag.name}={value} must be at least 0 and below 1')
        if flag.kind is float and not abs(value) < np.inf:
            raise UserError(f'--{flag.name}={value} must be a number')
        if flag.kind is Kind.PATH:
            opts[flag.name].value = local_path(f'--{flag.name}', value)
        if flag.kind is Kind.WIDTHS:
            opts[flag.name].value = _widths(flag.name, value)
        if flag.kind is Kind.NUMBERS:
            opts[flag.name].value = _numbers(flag.name, value)
    return opts


def _widths(name, values):
    """The layer widths of a list. Raises UserError unless they are positive whole numbers."""
    words = [str(value).strip() for value in values]
    if not all(word.isdecimal() and len(word) < 10 and int(word) for word in words) or len(words) > MOST_LAYERS:
        raise UserError(f'--{name}={",".join(words)} must be up to {MOST_LAYERS} positive whole numbers, such as 8,8,8')
    return tuple(int(word) for word in words)


def _numbers(name, values):
    """The numbers of a list. Raises UserError unless they are finite."""
    try:
        numbers = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        numbers = (np.nan,)
    if not np.isfinite(numbers).all():
        raise UserError(f'--{name}={",".join(map(str, values))} must be numbers, such as -4,0.5,4')
    return numbers


def spelled(value: Any) -> str:
    """A value as it stands on a command line, '' for None."""
    if isinstance(value, bool) or value is None:
        return '' if value is None else str(value).lower()
    if isinstance(value, list | tuple):
        return ','.join(map(spelled, value))
    short = f'{value:.12g}' if isinstance(value, float) else str(value)
    return short if not isinstance(value, float) or float(short) == value else repr(value)


def local_path(name: str, value: str) -> str:
    """A path as the user gave it, with ~ expanded. Raises UserError for an address, and for ~ without a home directory.

    `name` is how the user knows it, such as --data.
    """
    if re.match(r'[A-Za-z][A-Za-z0-9+.-]*://', value):
        raise UserError(f'{name}={value} is an address; name a path on this machine')
    path = os.path.expanduser(value)
    if path.startswith('~'):
        raise UserError(f'{name}={value}: {value.partition("/")[0]} has no home directory; name a path without ~')
    return path


ALONE = {  # {flag: those that have a meaning beside it}
    'replay': ('output_dir', 'strategy', 'logical_devices'),
    'claims': ('output_dir', 'strategy', 'logical_devices', 'seed', 'runs'),
}


def refuse_conflicts(opts: flags.FlagValues, decided_by_trace: Iterable[str], claims_train: bool) -> None:
    """Raises UserError for --replay or --claims beside flags that do not apply to them, such as those that a trace decides.

    `claims_train`: whether the claims are judged by the runs of one training, which any flag may change.
    """
    if opts.strategy == 'multiworker' and (opts.claims or opts.replay):
        raise UserError(f'--strategy=multiworker trains; --{"claims" if opts.claims else "replay"} runs on one machine')
    if opts.export is not None and (opts.claims or opts.replay):
        raise UserError(f'--export={opts.export} cannot be given beside --replay or --claims')
    if opts.tensorboard is not None:
        if opts.claims or opts.replay:
            raise UserError(f'--tensorboard={opts.tensorboard} cannot be given beside --replay or --claims')
        if importlib.util.find_spec('tensorboard') is None:
            raise UserError(f"--tensorboard={opts.tensorboard} needs TensorBoard; pip install '.[tensorboard]'")
    for name in decided_by_trace if opts.replay else ():
        if name in opts and opts[name].present:
            raise UserError(f'--{name} cannot be given beside --replay: the trace says how it was recorded')
    mode = 'replay' if opts.replay else 'claims' if opts.claims and not claims_train else None
    for name in opts if mode else ():
        if opts[name].present and opts[name].value and name not in (mode, *ALONE[mode]):
            raise UserError(f'--{name} would change nothing beside --{mode}; leave it out')


def _refuse_unusable(word):
    """Raises UserError for an argument that cannot be used as a path, and for the two flags that absl adds."""
    try:
        os.fsencode(word)  # a path of another encoding than the user's has bytes that Python keeps as lone surrogates
    except UnicodeEncodeError as error:
        raise UserError(f'{word!r} is not text') from error
    if '\0' in word:
        raise UserError(f'{word!r} is not text')
    if word.startswith('-') and word.lstrip('-').partition('=')[0] in ('flagfile', 'undefok'):
        raise UserError(f'{word!r} is not a flag; flags are listed by --help')


def _underscored(argument):
    """Turns --num-steps=5, as in the posts' own command lines, into --num_steps=5."""
    if not argument.startswith('--'):
        return argument
    name, equals, value = argument.partition('=')
    return '--' + name[2:].replace('-', '_') + equals + value


def text_of(file: str) -> str:
    """A module's docstring, which `python -OO` leaves out of the module itself."""
    return ast.get_docstring(ast.parse(pathlib.Path(file).read_text(encoding='utf-8')))


def _help(own, shared):
    """One paragraph per flag, the command's own flags first."""
    lines = []
    for heading, table in (("This post's flags:" if shared else 'Flags:', own), ('Flags of every post:', shared)):
        if table:
            lines += [heading, described(table), '']
    return '\n'.join(lines)


def described(table: Sequence[Flag]) -> str:
    """The --help of some flags."""
    lines = [textwrap.fill(_described(flag), 110, initial_indent='  ', subsequent_indent='      ') for flag in table]
    return '\n'.join(lines)


def _described(flag):
    """A flag with the values it accepts: --runs=INT (1 or more): GANs trained at once, ... [1]"""
    default = '' if flag.default is None or flag.kind is bool else f' [{flag.default}]'
    if flag.kind is bool:
        return f'--[no]{flag.name}: {flag.text}'
    if isinstance(flag.kind, tuple):
        return f'--{flag.name}={"|".join(flag.kind)}: {flag.text}{default}'
    values = flag.kind.value if isinstance(flag.kind, Kind) else SHOWN[flag.kind]
    if flag.least is not None:
        values += f' ({flag.least:,} or more)' if flag.most in (None, MOST) else f' ({flag.least:,} to {flag.most:,})'
    return f'--{flag.name}={values}: {flag.text}{default}'
