"""One command of a post from its start to its end: its directory, seeds and devices, and the files that it writes."""

import contextlib
import pathlib
import sys
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from common.devices import cluster, distribution
from common.evaluation import claims, replay
from common.nn.random import Stream
from common.program import cli, progress
from common.storage import checkpoints, files, locks, saved_model, versions


class Command(NamedTuple):
    """What a command holds while it trains and writes."""

    post: str
    opts: Any  # the command line, `absl.flags.FlagValues`
    settings: Any  # the post's `Settings`
    num_steps: int
    seeds: np.ndarray  # uint32 [runs]
    devices: tf.distribute.Strategy
    directory: pathlib.Path


@contextlib.contextmanager
def begin(post, opts, settings, num_steps, batch_size=None):
    """A `Command` with its directory locked; the lock is given back at the end.

    `batch_size`: of a post whose losses are means over the batch, which a single run then shards over the devices.

    Raises:
      cli.UserError: there is no such device, or the directory cannot be written to.
    """
    devices = _strategy(opts, batch_size)
    directory = _directory(post, opts, devices)
    try:
        seeds = np.arange(opts.seed, opts.seed + opts.runs, dtype=np.uint32)
        yield Command(post, opts, settings, num_steps, seeds, devices, directory)
    finally:
        locks.give_back()


def on_chief(command, make):
    """What `make()` gives, on the process that writes the results; None on the later workers of a cluster."""
    return make() if cluster.is_chief(command.devices) else None


def _directory(post, opts, devices=None):
    """The directory of --output_dir, made, locked and known to be writable before anything is trained.

    Of several workers (`devices`, the strategy) only the chief writes into it.
    """
    path = pathlib.Path(opts.output_dir or f'output/{post}')
    if devices is not None and not cluster.is_chief(devices):
        return path
    try:
        if opts.resume and not path.is_dir():
            raise cli.UserError(f'--resume: there is no directory {path}; run without --resume first')
        files.prepare_directory(path)
        locks.take(path)
        for place in (path, path / checkpoints.FOLDER):
            files.remove_partial(place)
    except locks.Taken as error:
        raise cli.UserError(f'--output_dir={path} is in use by another process; wait for its end or name another') from error
    except OSError as error:
        raise cli.UserError(
            f'--output_dir={path} cannot be written to ({error.strerror}); name a directory that can'
        ) from error
    return path


def _strategy(opts, batch_size):
    """The strategy of --strategy and --logical_devices, to be made before anything else of TensorFlow."""
    if opts.strategy == 'multiworker':
        print('waiting for all workers of TF_CONFIG', file=sys.stderr)
    try:
        shares = batch_size if batch_size and opts.runs == 1 else opts.runs
        return distribution.make_strategy(opts.strategy, shares, opts.logical_devices)
    except ValueError as error:
        raise cli.UserError(f'--strategy={opts.strategy}: {error}') from error


# --- What a command does instead of training ----------------------------------------------------------------------------------


def replay_trace(post, opts, replay_post):
    """--replay: writes replay.csv, prints the verdict; returns the exit status.

    `replay_post`: path -> columns of replay.csv; raises `replay.BadTrace`.
    """
    try:
        columns = replay_post(opts.replay)
    except replay.BadTrace as error:
        raise cli.UserError(f'--replay={opts.replay} {error}; name a trace recorded from the {post} program') from error
    directory = _directory(post, opts)
    files.write_csv(directory / 'replay.csv', columns)
    for quantity in dict.fromkeys(columns['quantity']):
        errors = [e for q, e in zip(columns['quantity'], columns['relative_error'], strict=True) if q == quantity]
        judged = max(errors[: replay.JUDGED])
        print(f'{quantity}: {len(errors)} steps; largest relative error {judged:.1e} in the first {replay.JUDGED}, '
              f'{max(errors):.1e} over all')  # fmt: skip
    worst = replay.worst_judged(columns)
    passed = worst <= replay.TOLERANCE
    print(f'{"agrees" if passed else "DIFFERS"}: {worst:.1e} against a tolerance of {replay.TOLERANCE:.0e}')
    print(f'files in {directory}/')
    return 0 if passed else 1


def measure_claims(post, opts, measure, ensembles):
    """--claims: measures, prints a Markdown table and writes claims.json and claims.md; returns the exit status 0.

    Args:
      post, opts: the post's name, and the command line.
      measure: (first seed, runs, tick) -> list of `claims.Measurement`, calling `tick` after each ensemble.
      ensembles: int, how many there are.
    """
    directory = _directory(post, opts)
    with progress.progress_bar(ensembles, 'claims', 'ensembles') as bar:
        rows = measure(opts.seed, opts.runs, bar.update)
    print(f'{claims.write(directory, rows)}files in {directory}/')
    return 0


# --- What comes of a training -------------------------------------------------------------------------------------------------


def write(command, trained, table, effective):
    """Writes config.json, results.csv and history.npz.

    Args:
      command: `Command`.
      trained: `session.Trained`.
      table: {column: [runs]}.
      effective: {flag: value} for what was left to the variant, besides the settings.
    """
    effective = command.settings._asdict() | {'num_steps': command.num_steps} | effective
    config = {
        'post': command.post,
        'variant': command.opts.variant,
        'flags': command.opts.flag_values_dict() | effective | {'output_dir': str(command.directory)},
        'devices': list(command.devices.extended.worker_devices),
        'strategy': type(command.devices).__name__,
        'iterations': int(trained.train_state.step),
        'versions': versions.versions(),
    }
    files.write_json(command.directory / 'config.json', config)
    files.write_csv(command.directory / 'results.csv', table)
    files.write_npz(command.directory / 'history.npz', trained.history)


def summary(table, targets):
    """Prints what came out beside the target: a single run's numbers, or medians and quartiles over seeds.

    Args:
      table: {column: [runs]} of results.csv.
      targets: {column: target}.
    """
    runs, finite, success = len(table['seed']), table['finite'] == 1, table['success'] == 1
    if runs == 1:
        outcome = 'success' if success[0] else 'not converged' if finite[0] else 'not finite (NaN or inf)'
        print(f'\nseed {table["seed"][0]}: {outcome}\n{"":14}{"ours":>10}{"target":>10}')
        for column, target in targets.items():
            print(f'{column:14}{table[column][0]:10.4g}{target:10.4g}')
        return
    for label, flag in (('finite', finite), ('success', success)):
        estimate = claims.proportion(flag)
        print(f'{label}: {flag.sum():,} of {runs:,} = {estimate.value:.1%} [{estimate.low:.1%}, {estimate.high:.1%}]')
    if not finite.any():
        print('every run diverged: there is nothing finite to summarise or to draw')
    else:
        print(f'\nover finite runs{"median":>12}{"quartiles":>24}{"target":>10}')
        for column, target in targets.items():
            low, middle, high = np.quantile(table[column][finite], [0.25, 0.5, 0.75])
            print(f'{column:16}{middle:12.4g}{f"{low:.4g} .. {high:.4g}":>24}{target:10.4g}')


def animate(command, trained, path, draw_film):
    """Draws the animation of the first seed to `path`, with progress, if there are frames of it.

    `draw_film`: (settings, path, frames, seed) -> a generator that draws them one by one.
    """
    if trained.frames:
        with progress.progress_bar(len(trained.frames), f'drawing {path.name}', 'frames') as bar:
            for _ in draw_film(command.settings, path, trained.frames, command.seeds[0]):
                bar.update()


def export(command, trained, generator, noise):
    """--export: writes the generator of --export_seed as a SavedModel, if it was asked for and the training came to its end.

    Args:
      command, trained: `Command`, `session.Trained`.
      generator: (settings, g, z) -> samples, as in the post's gan.
      noise: (settings, seeds, stream, step) -> z, likewise.
    """
    opts, settings = command.opts, command.settings
    if opts.export is None:
        return
    if trained.signal:
        print('not exported, as training was stopped; --resume goes on and exports')
        return
    row = 0 if opts.export_seed is None else opts.export_seed - opts.seed
    g = tf.nest.map_structure(lambda value: value[row : row + 1], trained.train_state.g)
    saved_model.write(
        pathlib.Path(opts.export),
        lambda g, z: generator(settings, g, z),
        lambda seeds, number: noise(settings, seeds, Stream.FIGURE, number),
        g,
    )
    finite = all(np.isfinite(value).all() for value in tf.nest.flatten(g))
    print(f'generator of seed {opts.seed + row} in {opts.export}/{"" if finite else " (it diverged: NaN or inf)"}')


def finish(command, trained, proportion=''):
    """Says where the files are; returns the exit status: 0, or 128 plus the signal that stopped the training.

    `proportion`: a line that puts a single run in proportion, '' for none. It is left out where training was stopped.
    """
    if proportion and command.opts.runs == 1 and not trained.signal:
        print(proportion)
    print(f'files in {command.directory}/')
    return 128 + trained.signal if trained.signal else 0
