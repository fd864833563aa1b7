"""Command lines as tables: each row is a flag, from which its parser, its checks and its --help text are generated."""

import ast
import importlib.util
import os
import pathlib
import re
import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from absl import flags

from common.devices import STRATEGIES
from common.program.cli import UserError

# Kinds of flags, besides int, float, bool, str and a tuple of the allowed values.
POSITIVE = 'a positive number'
FRACTION = 'a number from 0 to below 1'
PATH = 'a path'
WIDTHS, NUMBERS, NAMES = 'whole numbers', 'numbers', 'names'  # separated by commas
REPEATED = 'a text, any number of times'

SHOWN = {
    int: 'INT', float: 'FLOAT', str: 'TEXT', POSITIVE: 'FLOAT (above 0)',
    FRACTION: 'FLOAT (0 to below 1)', PATH: 'PATH', REPEATED: 'NAME=VALUES', WIDTHS: 'INT,INT,...',
    NUMBERS: 'FLOAT,FLOAT,...', NAMES: 'NAME,NAME,...',
}  # fmt: skip

LEAST, LARGEST = 1e-9, 1e30  # bounds of learning rates, means and stds, which float32 can represent
MOST = 2**31 - 1  # largest int32


class Flag(NamedTuple):
    """A row of a table."""

    name: str
    kind: Any
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
    Flag('claims', bool, False, "Measure the post's claims over --runs seeds (default: 200 or 500; MNIST: 8), nothing else."),
    Flag('replay', PATH, None, "Compare with this recorded run of the author's program, step by step, and nothing else."),
)  # fmt: skip


# Numbers of training that several posts share; each has a row in the table of a post that uses it.
D_RATE = Flag('d_learning_rate', POSITIVE, None, "D's learning rate (default: --learning_rate, as in the post).")
G_RATE = Flag('g_learning_rate', POSITIVE, None, "G's learning rate (default: --learning_rate, as in the post).")
EPSILON = Flag('epsilon', POSITIVE, 1e-8, "Adam's epsilon (the post: 1e-8).")
INIT_SCALE = Flag('init_scale', POSITIVE, 1.0, "Initial weights, as a multiple of the post's (the post: 1).")
D_STEPS = Flag('d_steps', int, 1, 'Updates of D per step (the post: 1).', 1, 1000)
G_STEPS = Flag('g_steps', int, 1, 'Updates of G per step (the post: 1).', 1, 1000)

# Rows of every post's table; see `common/remedies.py`. What a post does without any of them is as published.
REMEDIES = (
    Flag('label_smoothing', FRACTION, 0.0, "D's label for real samples is 1 - this (Salimans et al. 2016: 0.1; the post: 0)."),
    Flag('instance_noise', float, 0.0, "Std of normal noise on all that D is given, falling linearly to 0 over the training "
         '(Sonderby et al. 2017; the post: 0).', 0, 1000),
    Flag('noise_steps', int, None, 'Iterations over which --instance_noise falls to 0 (default: all).', 1, MOST),
    Flag('gradient_penalty', float, 0.0, "Weight gamma of R1, a penalty on D's slope at real samples (Mescheder et al. 2018: "
         '10; the post: 0).', 0, 1e6),
    Flag('dragan', float, 0.0, "Weight of DRAGAN's penalty, on slopes other than 1 near real samples (Kodali et al. 2017: 10; "
         'the post: 0).', 0, 1e6),
    Flag('historical_averaging', float, 0.0, 'Weight of the squared distance of all parameters to their mean so far (Salimans '
         'et al. 2016; the post: 0).', 0, 1e6),
    Flag('average', FRACTION, 0.0, "Decay of a moving average of G's parameters, which is judged in G's place (Yazici et al. "
         '2019: 0.9999; the post: 0).'),
    Flag('spectral_norm', bool, False, "Divide D's weights by their largest singular value (Miyato et al. 2018)."),
)  # fmt: skip


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
        elif flag.kind is REPEATED:
            flags.DEFINE_multi_string(**given)
        elif flag.kind in (float, POSITIVE, FRACTION):
            flags.DEFINE_float(**given, **bounds)
        elif flag.kind in (WIDTHS, NUMBERS, NAMES):
            flags.DEFINE_list(**given)
        else:
            flags.DEFINE_string(**given)
    return opts


def parse(
    own: Sequence[Flag],
    argv: list[str],
    file: str,
    not_with_replay: Sequence[str] = (),
    shared: Sequence[Flag] = COMMON,
) -> flags.FlagValues:
    """Parses and checks a command line. For --help it prints the text of `file` and the flags and raises SystemExit(0).

    Args:
      own: the command's own flags.
      argv: the program's name and its arguments.
      file: a module's; its docstring is the text above the flags in --help.
      not_with_replay: names of flags that a replayed trace determines, and which are therefore refused beside --replay.
      shared: flags that the command shares with others.

    Raises:
      UserError: unknown flags, invalid values, flags that exclude each other, arguments that are not flags.
    """
    argv = [argv[0]] + [_underscored(argument) for argument in argv[1:]]
    if {'--help', '-h', '--helpshort', '--helpfull', '-?'} & set(argv):
        print(f'{text_of(file)}\n\n{_help(own, shared)}')
        raise SystemExit(0)
    for word in argv[1:]:
        _refuse_unusable(word)
    opts = define((*own, *shared))
    try:
        rest = opts(argv)
    except (flags.Error, ValueError) as error:  # the latter for --noflag=value
        raise UserError(str(error).splitlines()[0]) from error
    if len(rest) > 1:
        raise UserError(f'{rest[1]!r} is not a flag; a flag begins with -- and takes its value after =')
    for flag in (*own, *shared):
        value = opts[flag.name].value
        if opts[flag.name].present and value in ('', []):
            raise UserError(f'--{flag.name}= is given without a value; give it one or leave it out')
        if flag.kind == POSITIVE and value is not None and not LEAST <= value <= LARGEST:
            raise UserError(f'--{flag.name}={value} must be a positive number, from {LEAST:g} to {LARGEST:g}')
        if flag.kind == FRACTION and value is not None and not 0 <= value < 1:
            raise UserError(f'--{flag.name}={value} must be at least 0 and below 1')
        if flag.kind is float and value is not None and not abs(value) < np.inf:
            raise UserError(f'--{flag.name}={value} must be a number')
        if flag.kind == PATH and value is not None:
            opts[flag.name].value = local_path(flag.name, value)
    if shared:
        _refuse_conflicts(opts, not_with_replay)
    return opts


def as_word(value: Any) -> str:
    """A Python value as it stands on a command line; the widths of a network in a list of several are joined by x."""
    if isinstance(value, list | tuple | np.ndarray):
        return ','.join('x'.join(map(str, each)) if isinstance(each, list | tuple) else as_word(each) for each in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def local_path(name: str, value: str) -> str:
    """The value of a path flag with ~ expanded. Raises UserError for an address, and for ~ without a home directory."""
    if re.match(r'[A-Za-z][A-Za-z0-9+.-]*://', value):
        raise UserError(f'--{name}={value} is an address; name a path on this machine')
    path = os.path.expanduser(value)
    if path.startswith('~'):
        raise UserError(f'--{name}={value}: {value.partition("/")[0]} has no home directory; name a path without ~')
    return path


def _refuse_conflicts(opts, not_with_replay):
    """Raises UserError for --replay or --claims beside flags that do not apply to them."""
    if opts.strategy == 'multiworker' and (opts.claims or opts.replay):
        raise UserError(f'--strategy=multiworker trains; --{"claims" if opts.claims else "replay"} runs on one machine')
    if opts.export is not None and (opts.claims or opts.replay):
        raise UserError(f'--export={opts.export} cannot be given beside --replay or --claims')
    if opts.tensorboard is not None:
        if opts.claims or opts.replay:
            raise UserError(f'--tensorboard={opts.tensorboard} cannot be given beside --replay or --claims')
        if importlib.util.find_spec('tensorboard') is None:
            raise UserError(f"--tensorboard={opts.tensorboard} needs TensorBoard; pip install '.[tensorboard]'")
    for name in not_with_replay if opts.replay else ():
        if opts[name].present:
            raise UserError(f'--{name} cannot be given beside --replay: the trace says how it was recorded')


def _refuse_unusable(word):
    """Raises UserError for an argument that cannot be printed or used as a path, and for the two flags that absl adds."""
    try:
        word.encode()
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
    values = SHOWN[flag.kind]
    if flag.least is not None:
        values += f' ({flag.least:,} or more)' if flag.most in (None, MOST) else f' ({flag.least:,} to {flag.most:,})'
    return f'--{flag.name}={values}: {flag.text}{default}'
