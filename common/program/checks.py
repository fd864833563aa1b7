"""Checks of a command line that involve several flags, all made before TensorFlow is imported.

Each raises `cli.UserError`, whose message names flag, value and remedy. `opts` is always the result of `flags.parse`.
"""

import contextlib
import itertools
import os
import pathlib
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from absl.flags import FlagValues

from common.program.cli import UserError
from common.program.flags import LARGEST, spelled
from common.sizes import GROUP, SEEDS
from common.storage import directories, files

FEWEST_CLAIM_RUNS, MOST_CLAIM_RUNS = 100, 100_000  # fewer runs cannot settle a claim; bounds of the report, too
NOT_SIZES = ('seed', 'export_seed', 'logical_devices')  # integer flags that do not affect the memory of training


def normal(settings: Any, mean: str = 'mu', std: str = 'sigma') -> None:
    """Raises UserError unless float32 can represent data with the mean and standard deviation of the fields of these names."""
    mu, sigma = getattr(settings, mean), getattr(settings, std)
    if not abs(mu) <= LARGEST:
        raise UserError(f'--{mean}={mu} must be a number, from {-LARGEST:g} to {LARGEST:g}')
    if sigma < 1e-6 * abs(mu):
        raise UserError(f'--{std}={sigma} is lost in rounding beside --{mean}={mu}; use a millionth of it or more')


def unused(given: Mapping[str, Any], names: Iterable[str], why: str) -> None:
    """Raises UserError if one of `names` is among the given flags, {name: value}; `why` says what it would not change."""
    for name in names:
        if name in given:
            raise UserError(f'--{name}={given[name]} would change nothing: {why}; leave it out')


def minibatch(settings: Any) -> None:
    """Raises UserError for minibatch discrimination without a second sample in a batch."""
    if settings.minibatch and settings.batch_size < 2:
        raise UserError(f'--batch_size={settings.batch_size}: minibatch discrimination compares samples; use 2 or more')


def grid(settings: Any, points: int) -> None:
    """Raises UserError for a batch larger than the grid of `points` on which the networks are evaluated, batch by batch."""
    if settings.batch_size > points:
        raise UserError(f'--batch_size={settings.batch_size} is more than the {points:,} points of the evaluation grid')


def seeds(opts: FlagValues, times: int = 1) -> None:
    """Raises UserError unless `times` * --runs seeds fit between --seed and 2^32."""
    if opts.seed + times * opts.runs > SEEDS:
        raise UserError(f'--seed={opts.seed} --runs={opts.runs}: seeds end at 2^32 - 1; use a smaller --seed')


def claim_runs(opts: FlagValues, default: int, times: int = 1) -> None:
    """Sets --runs for --claims to `default` if it is not given; raises UserError for too few or too many runs or seeds.

    The largest ensemble has `times` * --runs seeds.
    """
    if not opts['runs'].present:
        opts.runs = default
    elif opts.runs < FEWEST_CLAIM_RUNS:
        raise UserError(f'--runs={opts.runs} is too few to judge a claim by; use {FEWEST_CLAIM_RUNS} or more')
    if opts.runs > MOST_CLAIM_RUNS:
        raise UserError(f'--runs={opts.runs} is more than a claim needs; use {MOST_CLAIM_RUNS:,} or fewer')
    seeds(opts, times)


def outputs(opts: FlagValues) -> None:
    """Raises UserError if --export or --tensorboard cannot be written, or --export_seed is not among the seeds."""
    if opts.tensorboard is not None and _usable_path(opts, 'tensorboard').is_file():
        raise UserError(f'--tensorboard={opts.tensorboard} is a file; name a directory')
    if opts.export is None:
        if opts.export_seed is not None:
            raise UserError(f'--export_seed={opts.export_seed} needs --export=DIR')
        return
    seed = opts.seed if opts.export_seed is None else opts.export_seed
    if _usable_path(opts, 'export').exists():
        raise UserError(f'--export={opts.export} is there already; name a new directory')
    if not opts.seed <= seed < opts.seed + opts.runs:
        raise UserError(f'--export_seed={seed} is not among the seeds {opts.seed} to {opts.seed + opts.runs - 1}')


@contextlib.contextmanager
def opened(opts: FlagValues, kind: str, default: str = '') -> Iterator[directories.Held]:
    """The directory of --output_dir, or else `default`, for a command of this kind, until the block ends. Raises UserError."""
    path = pathlib.Path(opts.output_dir or default)
    with contextlib.ExitStack() as stack:
        try:
            if 'resume' in opts and opts.resume and not path.is_dir():
                raise UserError(f'--resume: there is no directory {path}; run without --resume first')
            held = stack.enter_context(directories.held(path, kind))
        except directories.Taken as error:
            raise UserError(f'--output_dir={path} is in use by another command; wait until it ends or name another') from error
        except OSError as error:
            raise UserError(
                f'--output_dir={path} cannot be written to ({error.strerror}); name a directory that can'
            ) from error
        yield held


def animation_path(opts: FlagValues) -> pathlib.Path | None:
    """--anim_path, None if it is not given or not a flag. Raises UserError if no animation can be written there."""
    if 'anim_path' not in opts or opts.anim_path is None:
        return None
    path = file_to_write(opts, 'anim_path')
    if path.suffix not in ('.gif', '.mp4'):
        raise UserError(f'--anim_path={path} must end in .gif or .mp4')
    if path.suffix == '.mp4' and not shutil.which('ffmpeg'):
        raise UserError(f'--anim_path={path} needs ffmpeg, which is not on the path; install it or use a .gif')
    return path


def _usable_path(opts, name):
    """The path of a flag. Raises UserError if no file can be written there."""
    path = pathlib.Path(opts[name].value)
    try:
        files.check_place(path)
        path.exists()
    except OSError as error:
        raise UserError(f'--{name}={path} cannot be written ({error.strerror}); name another') from error
    return path


def file_to_write(opts: FlagValues, name: str) -> pathlib.Path:
    """The path of a flag that names a file. Raises UserError if there can be none of that name, or is no directory for it."""
    path = _usable_path(opts, name)
    if path.is_dir():
        raise UserError(f'--{name}={path} is a directory; name a file in it')
    if not path.parent.is_dir():
        raise UserError(f'--{name}={path}: there is no directory {path.parent}')
    return path


# --- Memory -------------------------------------------------------------------------------------------------------------------


def machine_memory() -> int:
    """This machine's memory in bytes; 2^50 where it is unknown (Windows)."""
    if not hasattr(os, 'sysconf'):
        return 2**50
    return os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')


def memory(
    opts: FlagValues,
    networks: Sequence[Sequence[int]],
    batch_size: int,
    records: int,
    more: int = 0,
    group: int = GROUP,
) -> None:
    """Raises UserError for training that does not fit this machine's memory, before any of it is allocated.

    The estimate is a lower bound, so nothing that could run is refused. It counts float32 numbers: four per weight (value,
    gradient, optimizer state, checkpoint copy), two per unit and sample of the runs trained together (output, gradient), and
    per record its step and two losses per run. Networks that are kept count twice.

    Args:
      networks: the layer widths of each network, inputs and outputs included.
      batch_size: samples per batch.
      records: total number of records.
      more: further bytes that a post needs.
      group: largest number of runs trained together.
    """
    weights = sum(outputs * (inputs + 1) for layers in networks for inputs, outputs in itertools.pairwise(layers))
    units = sum(sum(layers) for layers in networks)
    trained = 4 * (4 * opts.runs * weights + 2 * min(opts.runs, group) * batch_size * units) + more
    trained += 2 * 4 * opts.runs * weights * (opts.record_networks or 0)  # and once more as the records are joined
    needed = max(trained, records * (8 + 2 * 4 * opts.runs))
    if needed > machine_memory():
        sizes = [(name, opts[name].value) for name in opts if opts[name].present and name not in NOT_SIZES]
        sizes = [(name, value) for name, value in sizes if isinstance(value, int | tuple) and not isinstance(value, bool)]
        given = ' '.join(f'--{name}={spelled(value)}' for name, value in sizes)
        available = f'this machine has {machine_memory() / 2**30:,.0f}; use smaller values'
        raise UserError(f'{given or "this training"} would take {needed / 2**30:,.0f} GiB of memory or more, and {available}')
