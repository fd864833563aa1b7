"""Checks of a command line that take more than one flag to make, all before TensorFlow is loaded.

Each raises `cli.UserError`, whose line names flag, value and remedy. `opts` is always what `flags.parse` gave.
"""

import itertools
import os
import pathlib
import shutil

import numpy as np

from common.program.cli import UserError
from common.program.flags import LARGEST, SEEDS
from common.sizes import GROUP
from common.storage import files

MOST_LAYERS = 20  # that a list of widths may name; each is compiled, for seconds
FEWEST_CLAIM_RUNS, MOST_CLAIM_RUNS = 100, 100_000  # fewer cannot judge a claim; the report's bounds too
NOT_SIZES = ('seed', 'export_seed', 'logical_devices')  # whole numbers that do not decide how much memory a training takes


def normal(opts, mean, std):
    """Raises UserError unless float32 can work with the data's mean and standard deviation, flags of these names."""
    mu, sigma = opts[mean].value, opts[std].value
    if not abs(mu) <= LARGEST:
        raise UserError(f'--{mean}={mu} must be a number, from {-LARGEST:g} to {LARGEST:g}')
    if sigma < 1e-6 * abs(mu):
        raise UserError(f'--{std}={sigma} is lost in rounding beside --{mean}={mu}; use a millionth of it or more')


def widths(opts, name):
    """The widths that a list flag gives, () where it was not given. Raises UserError unless they are positive whole numbers."""
    words = [word.strip() for word in opts[name].value or []]
    if not all(word.isdecimal() and len(word) < 10 and int(word) for word in words) or len(words) > MOST_LAYERS:
        raise UserError(f'--{name}={",".join(words)} must be up to {MOST_LAYERS} positive whole numbers, such as 8,8,8')
    return tuple(int(word) for word in words)


def numbers(opts, name):
    """The numbers of a list flag, () where it was not given. Raises UserError unless they are finite."""
    words = opts[name].value
    try:
        found = tuple(float(word) for word in words or ())
    except ValueError:
        found = (np.nan,)
    if words is not None and not (found and np.isfinite(found).all()):
        raise UserError(f'--{name}={",".join(words)} must be numbers, such as -4,0.5,4')
    return found


def seeds(opts, times=1):
    """Raises UserError unless there are `times` as many seeds from --seed on as --runs says."""
    if opts.seed + times * opts.runs > SEEDS:
        raise UserError(f'--seed={opts.seed} --runs={opts.runs}: seeds end at 2^32 - 1; use a smaller --seed')


def claim_runs(opts, default, times=1):
    """Sets --runs of --claims to its default, unless it is given. Raises UserError for too few, too many, or no such seeds.

    `times`: so many times the seeds are in the largest ensemble.
    """
    if not opts['runs'].present:
        opts.runs = default
    elif opts.runs < FEWEST_CLAIM_RUNS:
        raise UserError(f'--runs={opts.runs} is too few to judge a claim by; use {FEWEST_CLAIM_RUNS} or more')
    if opts.runs > MOST_CLAIM_RUNS:
        raise UserError(f'--runs={opts.runs} is more than a claim needs; use {MOST_CLAIM_RUNS:,} or fewer')
    seeds(opts, times)


def export(opts):
    """Raises UserError where --export and --export_seed make no sense."""
    if opts.export is None:
        if opts.export_seed is not None:
            raise UserError(f'--export_seed={opts.export_seed} needs --export=DIR')
        return
    seed = opts.seed if opts.export_seed is None else opts.export_seed
    if _usable_path(opts, 'export').exists():
        raise UserError(f'--export={opts.export} is there already; name a new directory')
    if not opts.seed <= seed < opts.seed + opts.runs:
        raise UserError(f'--export_seed={seed} is not among the seeds {opts.seed} to {opts.seed + opts.runs - 1}')


def animation_path(opts):
    """--anim_path, or None where it is not given. Raises UserError where nothing can be drawn there."""
    if opts.anim_path is None:
        return None
    path = _usable_path(opts, 'anim_path')
    if path.is_dir():
        raise UserError(f'--anim_path={path} is a directory; name a file in it')
    if path.suffix not in ('.gif', '.mp4'):
        raise UserError(f'--anim_path={path} must end in .gif or .mp4')
    if path.suffix == '.mp4' and not shutil.which('ffmpeg'):
        raise UserError(f'--anim_path={path} needs ffmpeg, which is not on the path; install it or use a .gif')
    if not path.parent.is_dir():
        raise UserError(f'--anim_path={path}: there is no directory {path.parent}')
    return path


def _usable_path(opts, name):
    """The path that a flag gives. Raises UserError where the system cannot have such a file."""
    path = pathlib.Path(opts[name].value)
    try:
        files.check_place(path)
        path.exists()
    except OSError as error:
        raise UserError(f'--{name}={path} cannot be written ({error.strerror}); name another') from error
    return path


# --- Memory -------------------------------------------------------------------------------------------------------------------


def machine_memory():
    """Bytes of this machine's memory, a great many where they cannot be known (Windows)."""
    if not hasattr(os, 'sysconf'):
        return 2**50
    return os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')


def memory(opts, networks, batch_size, records, more=0, group=GROUP):
    """Raises UserError for a training that this machine's memory cannot hold, before anything of that size is asked for.

    What is counted is held at once in any case, in float32: four numbers a weight (itself, its gradient, what the optimizer
    keeps, the copy for a checkpoint), two a unit and sample of the runs that are trained together (its output, its gradient),
    and of every record its step and two losses a run. What could run is not refused.

    Args:
      opts: the command line.
      networks: the widths of the layers of each, inputs and outputs too.
      batch_size: int.
      records: int, in all.
      more: bytes that a post holds besides.
      group: int, runs that are trained together at most.
    """
    weights = sum(outputs * (inputs + 1) for layers in networks for inputs, outputs in itertools.pairwise(layers))
    units = sum(sum(layers) for layers in networks)
    trained = 4 * (4 * opts.runs * weights + 2 * min(opts.runs, group) * batch_size * units) + more
    needed = max(trained, records * (8 + 2 * 4 * opts.runs))
    if needed > machine_memory():
        whole = [(name, opts[name].value) for name in opts if opts[name].present and name not in NOT_SIZES]
        whole = [(name, value) for name, value in whole if isinstance(value, int | list) and not isinstance(value, bool)]
        given = ' '.join(f'--{name}={",".join(value) if isinstance(value, list) else value}' for name, value in whole)
        there = f'this machine has {machine_memory() / 2**30:,.0f}; use fewer or smaller ones'
        raise UserError(f'{given or "this training"} would take {needed / 2**30:,.0f} GiB of memory or more, and {there}')
