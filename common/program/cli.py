"""The command line of every post: flags, one-line errors for wrong input, and the exit status."""

import itertools
import os
import pathlib
import sys
import textwrap

import numpy as np
from absl import flags

from common import training
from common.devices import cluster, distribution
from common.plotting import figures
from common.storage import files, locks

MOST_SHOWN = 1000  # characters of a message
MOST_LAYERS = 20  # that a list of widths may name; each is compiled, for seconds
LEAST, LARGEST = 1e-9, 1e30  # of rates, means and deviations: float32 holds them, and a run diverges if not their powers
SIZES = ('runs', 'batch_size', 'hidden_size', 'hidden_sizes', 'd_hidden_sizes', 'layers', 'modes', 'means', 'num_steps')
SIZES += ('pretrain_steps', 'log_every', 'anim_every')  # flags that decide how much memory a training takes


class UserError(Exception):
    """Wrong input: its message is the one line that the user sees, before exit status 2."""


def common_flags():
    """The flags of every post, as a `flags.FlagValues` to which a post adds its own.

    Each post has a set of its own, and not absl's global one, so that several posts can be used in one process.
    """
    opts = flags.FlagValues()
    flags.DEFINE_integer(
        'runs', 1, 'GANs trained at once, with seeds seed .. seed+runs-1 (the posts: 1).', lower_bound=1, flag_values=opts
    )
    flags.DEFINE_integer(
        'num_steps', None, "Training iterations (default: the variant's).", lower_bound=1, upper_bound=2**31 - 1,
        flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_integer('batch_size', None, "Samples in a batch (default: the variant's).", lower_bound=1, flag_values=opts)
    flags.DEFINE_string('output_dir', None, 'Where the files go (default: output/<post>).', flag_values=opts)
    flags.DEFINE_enum(
        'strategy', 'auto', distribution.STRATEGIES,
        'Devices: every GPU or else the CPU (auto), the CPU, one GPU, or the runs shared out over all GPUs or logical CPU '
        'devices (mirrored) or over the machines of TF_CONFIG (multiworker).', flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_integer(
        'logical_devices', None, 'Split the CPU into so many devices.', lower_bound=1, upper_bound=1024, flag_values=opts
    )
    flags.DEFINE_bool(
        'resume', False, 'Go on from the last checkpoint in --output_dir, bit for bit; the other flags must be the same.',
        flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_float(
        'checkpoint_every', 60, 'Seconds between checkpoints, of which the last two are kept; 0 is as often as possible.',
        lower_bound=0, flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_string(
        'export', None,
        'Write the trained generator of --export_seed into this new directory, as a SavedModel with generate(z) and '
        'sample(n, seed); with --resume, that of a finished run.', flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_integer('export_seed', None, 'Which run to export (default: the first).', flag_values=opts)
    flags.DEFINE_bool('animation', False, "Also draw the first run's training as animation.gif.", flag_values=opts)
    flags.DEFINE_bool(
        'claims',
        False,
        "Measure the post's claims over --runs seeds (default: 200 or 500; MNIST: 8) and train nothing else.",
        flag_values=opts,
    )
    flags.DEFINE_string(
        'replay', None, "Compare with this recorded run of the author's program, step by step, and train nothing else.",
        flag_values=opts,
    )  # fmt: skip
    return opts


def parse(opts, argv, doc):
    """Parses the command line into `opts`. Prints `doc` and the flags, and raises SystemExit(0), if help is asked for.

    Raises:
      UserError: an unknown flag, a value that a flag does not take, or a word that is no flag.
    """
    argv = [argv[0]] + [_underscored(argument) for argument in argv[1:]]
    if {'--help', '-h', '--helpshort', '--helpfull', '-?'} & set(argv):
        print(f'{doc.strip()}\n\n{_flag_help(opts)}')
        raise SystemExit(0)
    for word in argv[1:]:
        _refuse_unusable(word)
    try:
        rest = opts(argv)
    except (flags.Error, ValueError) as error:  # the latter for --noflag=value
        raise UserError(str(error).splitlines()[0]) from error
    if len(rest) > 1:
        raise UserError(f'{rest[1]!r} is no flag; a flag begins with -- and takes its value after =')
    for name in opts:
        if opts[name].present and opts[name].value in ('', []):
            raise UserError(f'--{name}= is given without a value; give it one or leave it out')
    if 'checkpoint_every' in opts and not opts.checkpoint_every < np.inf:
        raise UserError(f'--checkpoint_every={opts.checkpoint_every} must be a number of seconds')
    if 'strategy' in opts and opts.strategy == 'multiworker' and (opts.claims or opts.replay):
        raise UserError(f'--strategy=multiworker trains; --{"claims" if opts.claims else "replay"} runs on one machine')
    if 'export' in opts:
        _check_export(opts)


def run(main):
    """Runs `main(argv)` as the program and exits with its status."""
    sys.exit(call(main, sys.argv))


def call(main, argv):
    """The exit status of `main(argv)`: 2 for wrong input, 1 for a file that cannot be written (a line each), 130 for Ctrl-C."""
    try:
        return main(argv) or 0
    except UserError as error:
        print(f'error: {_one_line(error)}', file=sys.stderr)
        return 2
    except files.BadTable as error:
        print(f'error: {_one_line(error)}; make it anew, or install the suite again', file=sys.stderr)
        return 2
    except files.CannotWrite as error:
        remedy = 'make room for it, or its directory writable, and run again (with --resume from the last checkpoint, if any)'
        print(f'error: {_one_line(error)}; {remedy}', file=sys.stderr)
        return 1
    except cluster.LostWorker as error:
        print(f'error: {error}; start all workers again, with --resume from the last checkpoint', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        return 130
    finally:
        locks.give_back()


def _one_line(error):
    """A message with whatever breaks the line or cannot be shown escaped, and its middle left out where it is very long."""
    text = ''.join(char if char.isprintable() else ascii(char)[1:-1] for char in str(error))
    return text if len(text) <= MOST_SHOWN else f'{text[: MOST_SHOWN // 2]} ... {text[-MOST_SHOWN // 2 :]}'


def _refuse_unusable(word):
    """Raises UserError for a word that can be neither shown nor a file's name, and for the two flags that absl adds unasked."""
    try:
        word.encode()
    except UnicodeEncodeError as error:
        raise UserError(f'{word!r} is not text') from error
    if '\0' in word:
        raise UserError(f'{word!r} is not text')
    if word.startswith('-') and word.lstrip('-').partition('=')[0] in ('flagfile', 'undefok'):
        raise UserError(f'{word!r} is no flag; flags are listed by --help')


def _underscored(argument):
    """--num-steps=5 as --num_steps=5: the spelling of the posts' own command lines."""
    if not argument.startswith('--'):
        return argument
    name, equals, value = argument.partition('=')
    return '--' + name[2:].replace('-', '_') + equals + value


def _flag_help(opts):
    """One paragraph a flag, the post's own first."""
    shared = set(common_flags())
    lines = []
    for heading, names in (
        ("This post's flags:" if shared <= set(opts) else 'Flags:', sorted(set(opts) - shared)),
        ('Flags of every post:', sorted(shared & set(opts))),
    ):
        lines.append(heading)
        for name in names:
            flag = opts[name]
            values = f'={"|".join(flag.parser.enum_values)}' if hasattr(flag.parser, 'enum_values') else ''
            default = '' if flag.default is None or flag.boolean else f' [{flag.default}]'
            text = flag.help.partition('>: ')[2] if values else flag.help  # absl puts the values before the text as well
            text = f'--{"[no]" if flag.boolean else ""}{name}{values}: {text}{default}'
            lines.append(textwrap.fill(text, 110, initial_indent='  ', subsequent_indent='      '))
        lines.append('')
    return '\n'.join(lines)


def _check_export(opts):
    """Raises UserError where --export and --export_seed make no sense."""
    if opts.export is None:
        if opts.export_seed is not None:
            raise UserError(f'--export_seed={opts.export_seed} needs --export=DIR')
        return
    seed = opts.seed if opts.export_seed is None else opts.export_seed
    if opts.replay or opts.claims:
        raise UserError(f'--export={opts.export} cannot be given beside --replay or --claims')
    if _usable_path(opts, 'export').exists():
        raise UserError(f'--export={opts.export} is there already; name a new directory')
    if not opts.seed <= seed < opts.seed + opts.runs:
        raise UserError(f'--export_seed={seed} is not among the seeds {opts.seed} to {opts.seed + opts.runs - 1}')


def _usable_path(opts, name):
    """The path that a flag gives. Raises UserError where the system cannot have such a file."""
    path = pathlib.Path(opts[name].value)
    try:
        files.check_place(path)
        path.exists()
    except OSError as error:
        raise UserError(f'--{name}={path} cannot be written ({error.strerror}); name another') from error
    return path


def positive(opts, *names):
    """Raises UserError if one of these float flags has a value that is not a positive number that float32 can work with."""
    for name in names:
        if opts[name].value is not None and not LEAST <= opts[name].value <= LARGEST:
            raise UserError(f'--{name}={opts[name].value} must be a positive number, from {LEAST:g} to {LARGEST:g}')


def check_normal(opts):
    """Raises UserError unless float32 can work with --mu and --sigma, the mean and deviation of the data."""
    positive(opts, 'sigma')
    if not abs(opts.mu) <= LARGEST:
        raise UserError(f'--mu={opts.mu} must be a number, from {-LARGEST:g} to {LARGEST:g}')
    if opts.sigma < 1e-6 * abs(opts.mu):
        raise UserError(f'--sigma={opts.sigma} is lost in rounding beside --mu={opts.mu}; use a millionth of it or more')


def sizes(opts, name):
    """The widths that a list flag gives, () where it was not given. Raises UserError unless they are positive whole numbers."""
    words = [word.strip() for word in opts[name].value or []]
    if not all(word.isdecimal() and len(word) < 10 and int(word) for word in words) or len(words) > MOST_LAYERS:
        raise UserError(f'--{name}={",".join(words)} must be up to {MOST_LAYERS} positive whole numbers, such as 8,8,8')
    return tuple(int(word) for word in words)


def memory():
    """Bytes of this machine's memory, a great many where they cannot be known (Windows)."""
    if not hasattr(os, 'sysconf'):
        return 2**50
    return os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')


def check_memory(opts, networks, batch_size, more=0, group=None):
    """Raises UserError for a training that this machine's memory cannot hold, before anything of that size is asked for.

    What is counted is held at once in any case, in float32: four numbers a weight (itself, its gradient, what the optimiser
    keeps, the copy for a checkpoint) and two a unit and sample of the runs that are trained together (its output, its
    gradient). What could run is not refused.

    Args:
      opts: the command line.
      networks: the widths of the layers of each, inputs and outputs too.
      batch_size: int.
      more: bytes that a post holds besides.
      group: int, runs that are trained together, if not `training.GROUP`.
    """
    weights = sum(outputs * (inputs + 1) for widths in networks for inputs, outputs in itertools.pairwise(widths))
    units = sum(sum(widths) for widths in networks)
    together = min(opts.runs, group or training.GROUP)
    refuse_beyond_memory(opts, 4 * (4 * opts.runs * weights + 2 * together * batch_size * units) + more)


def refuse_beyond_memory(opts, needed):
    """Raises UserError, naming the flags that are to blame, where this machine has less memory than the bytes `needed`."""
    if needed > memory():
        given = ' '.join(f'--{name}={_as_given(opts[name].value)}' for name in SIZES if name in opts and opts[name].present)
        there = f'this machine has {memory() / 2**30:,.0f}; use fewer or smaller ones'
        raise UserError(f'{given or "this training"} would take {needed / 2**30:,.0f} GiB of memory or more, and {there}')


def _as_given(value):
    return ','.join(value) if isinstance(value, list) else value


def seeds(opts, times=1):
    """Seeds seed .. seed+runs-1, uint32 [runs]; raises UserError unless there are `times` as many."""
    if opts.seed + times * opts.runs > 2**32:
        raise UserError(f'--seed={opts.seed} --runs={opts.runs}: seeds end at 2^32 - 1; use a smaller --seed')
    return np.arange(opts.seed, opts.seed + opts.runs, dtype=np.uint32)


def animation_path(opts, directory):
    """Where to draw the animation: --anim_path (the post's), or animation.gif under --animation, or None."""
    if opts.anim_path is None:
        return directory / 'animation.gif' if opts.animation else None
    path = _usable_path(opts, 'anim_path')
    if path.is_dir():
        raise UserError(f'--anim_path={path} is a directory; name a file in it')
    if path.suffix not in ('.gif', '.mp4'):
        raise UserError(f'--anim_path={path} must end in .gif or .mp4')
    if path.suffix == '.mp4' and not figures.can_write_mp4():
        raise UserError(f'--anim_path={path} needs ffmpeg, which is not on the path; install it or use a .gif')
    if not path.parent.is_dir():
        raise UserError(f'--anim_path={path}: there is no directory {path.parent}')
    return path
