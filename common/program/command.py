"""One command of a post from start to end: its directory, seeds and devices, and the files that it writes."""

import contextlib
import json
import pathlib
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from absl.flags import FlagValues

from common import training
from common.devices import cluster, distribution
from common.evaluation import claims, outcomes, replay
from common.nn.random import Stream
from common.plotting import tensorboard
from common.program import checks, cli, progress
from common.say import say
from common.settings import identity, recorded
from common.storage import directories, files, saved_model, versions


class Command(NamedTuple):
    """A command while it trains and writes."""

    post: str
    opts: FlagValues  # the command line
    settings: Any  # the post's `Settings`
    num_steps: int
    every: int  # iterations between records
    seeds: np.ndarray  # uint32 [runs]
    devices: tf.distribute.Strategy
    held: directories.Held
    identity: dict[str, Any]  # {name: value}, what determines the numbers, as JSON gives it back; a resumed run must share it

    @property
    def directory(self) -> pathlib.Path:
        """Where its files go."""
        return self.held.path


class Trained(NamedTuple):
    """The result of `session.train`."""

    pretrained: Any  # parameters of D after pre-training (without it: the initial ones), NumPy arrays
    train_state: training.TrainState  # of NumPy arrays
    history: dict[str, np.ndarray]  # the joined records
    frames: list[tuple[int, training.TrainState]]  # (iteration, state of the first run) of an animation
    signal: int  # that stopped the training, or 0


class Finished(NamedTuple):
    """A training whose runs are judged, for its figures."""

    settings: Any  # the post's `Settings`
    directory: pathlib.Path
    seeds: np.ndarray  # uint32 [runs]
    trained: Trained
    table: dict[str, np.ndarray]  # {column: [runs]} of results.csv
    judge: outcomes.Judge


@contextlib.contextmanager
def begin(
    post: str,
    opts: FlagValues,
    settings: Any,
    num_steps: int,
    every: int,
    resume_key: dict[str, Any],
    batch_size: int | None = None,
) -> Iterator[Command]:
    """A `Command` whose directory is locked until the block ends.

    Args:
      resume_key: {name: value}, whatever the numbers depend on besides settings, seeds and steps.
      batch_size: given by posts whose losses are means over the batch: a single run then shards its batch over the devices.

    Raises:
      cli.UserError: there is no such device, or the directory is in use or cannot be written to.
    """
    devices = strategy(opts, batch_size)
    whose = identity(settings) | resume_key | {'seed': opts.seed, 'runs': opts.runs, 'num_steps': num_steps, 'every': every}
    if opts.record_networks:
        whose['record_networks'] = opts.record_networks
    seeds = np.arange(opts.seed, opts.seed + opts.runs, dtype=np.uint32)
    with opened(post, opts, 'training', devices) as held:
        yield Command(post, opts, settings, num_steps, every, seeds, devices, held, json.loads(json.dumps(whose)))


def on_chief(command: Command, make: Callable[[], Any]) -> Any:
    """Returns `make()` on the process that writes the results, None on the later workers of a cluster."""
    return make() if cluster.is_chief(command.devices) else None


@contextlib.contextmanager
def opened(name: str, opts: FlagValues, kind: str, devices: tf.distribute.Strategy | None = None) -> Iterator[directories.Held]:
    """`checks.opened`, by default output/<name>; in a cluster (`devices` is its strategy) only the chief holds it."""
    if devices is None or cluster.is_chief(devices):
        with checks.opened(opts, kind, f'output/{name}') as held:
            yield held
    else:
        yield directories.Held(pathlib.Path(opts.output_dir or f'output/{name}'), kind, {})


def strategy(opts: FlagValues, batch_size: int | None = None) -> tf.distribute.Strategy:
    """The strategy of --strategy and --logical_devices. Call it before TensorFlow's first op. Raises cli.UserError.

    `batch_size`: see `begin`.
    """
    if opts.strategy == 'multiworker':
        print('waiting for all workers of TF_CONFIG', file=sys.stderr)
    try:
        shares = batch_size if batch_size and opts.runs == 1 else opts.runs
        return distribution.make_strategy(opts.strategy, shares, opts.logical_devices)
    except ValueError as error:
        raise cli.UserError(f'--strategy={opts.strategy}: {error}') from error


# --- What a command does instead of training ----------------------------------------------------------------------------------


def replay_trace(post: str, opts: FlagValues, replay_post: Callable) -> int:
    """--replay: writes replay.csv and prints the verdict. Returns the exit status: 0 if the replay agrees, else 1.

    `replay_post`: path -> columns of replay.csv; may raise `replay.BadTrace`. Raises cli.UserError, files.CannotWrite.
    """
    try:
        columns = replay_post(opts.replay)
    except replay.BadTrace as error:
        raise cli.UserError(f'--replay={opts.replay} {error}; name a trace recorded from the {post} program') from error
    with opened(post, opts, 'replay') as held:
        files.write_csv(held.path / 'replay.csv', columns)
    for quantity in dict.fromkeys(columns['quantity']):
        errors = [e for q, e in zip(columns['quantity'], columns['relative_error'], strict=True) if q == quantity]
        judged = max(errors[: replay.JUDGED])
        say(f'{quantity}: {len(errors)} steps; largest relative error {judged:.1e} in the first {replay.JUDGED}, '
              f'{max(errors):.1e} over all')  # fmt: skip
    worst = replay.worst_judged(columns)
    passed = worst <= replay.TOLERANCE
    say(f'{"agrees" if passed else "DIFFERS"}: {worst:.1e} against a tolerance of {replay.TOLERANCE:.0e}')
    say(f'files in {held.path}/')
    return 0 if passed else 1


def measure_claims(post: str, opts: FlagValues, measure: Callable, ensembles: int) -> int:
    """--claims: measures, prints a Markdown table and writes claims.json and claims.md. Returns the exit status 0.

    Args:
      post: its name.
      opts: the command line.
      measure: (first seed, runs, tick) -> list of `claims.Measurement`; calls `tick` after each ensemble.
      ensembles: number of ensembles.

    Raises:
      cli.UserError, files.CannotWrite: the directory, or a file in it, cannot be written.
    """
    with opened(post, opts, 'claims') as held:
        with progress.progress_bar(ensembles, 'claims', 'ensembles') as bar:
            rows = measure(opts.seed, opts.runs, bar.update)
        say(f'{claims.write(held.path, rows)}files in {held.path}/')
    return 0


# --- The results of training --------------------------------------------------------------------------------------------------


def write(command: Command, trained: Trained, table: dict[str, np.ndarray], effective: dict[str, Any]) -> None:
    """Writes config.json, results.csv and history.npz. Raises files.CannotWrite.

    Args:
      table: {column: [runs]} of results.csv.
      effective: {flag: value} of flags that the variant decided, besides the settings.
    """
    effective = recorded(command.settings) | {'num_steps': command.num_steps} | effective
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


def settle(command: Command) -> None:
    """`directories.settle` of a training's directory. Raises files.CannotWrite."""
    directories.settle(command.held, {'post': command.post} | command.identity, goes_on=command.opts.resume)


def animate(
    command: Command, trained: Trained, path: pathlib.Path | None, draw_film: Callable, frames_of: Callable | None = None
) -> None:
    """Draws the animation of the first seed to `path`, with a progress bar, if there is a path and any frames were recorded.

    Args:
      draw_film: (settings, path, frames, seed) -> a generator that draws one frame per step.
      frames_of: joined records -> frames, of a post that records them anyway.

    Raises:
      files.CannotWrite: the animation cannot be written.
    """
    frames = frames_of(trained.history) if frames_of else trained.frames
    if path and frames:
        with progress.progress_bar(len(frames), f'drawing {path.name}', 'frames') as bar:
            for _ in draw_film(command.settings, path, frames, command.seeds[0]):
                bar.update()


def export(command: Command, trained: Trained, gan: types.ModuleType, conditional: bool) -> None:
    """--export: writes the generator of --export_seed as a SavedModel, if the flag is given and training was not stopped.

    Args:
      gan: of the post, with `generator`, `noise` and for a conditional generator `labels`.
      conditional: whether it is one.

    Raises:
      files.CannotWrite: the SavedModel cannot be written.
    """
    opts = command.opts
    if opts.export is None:
        return
    if trained.signal:
        say('training was stopped, so nothing was exported; --resume finishes training and exports')
        return
    row = 0 if opts.export_seed is None else opts.export_seed - opts.seed
    g = tf.nest.map_structure(lambda value: value[row : row + 1], trained.train_state.g)
    saved_model.write(pathlib.Path(opts.export), *sampler(gan, command.settings, g, conditional))
    finite = all(np.isfinite(value).all() for value in tf.nest.flatten(g))
    say(f'generator of seed {opts.seed + row} in {opts.export}/{"" if finite else " (it diverged: NaN or inf)"}')


def sampler(gan: types.ModuleType, settings: Any, g: Any, conditional: bool) -> tuple[Callable, Callable, Any, Any]:
    """The arguments of `saved_model.module`; see `export`. `g`: parameters of one run, with a runs axis of length 1."""
    return (
        lambda g, z: gan.generator(settings, g, z),
        lambda seeds, number: gan.noise(settings, seeds, Stream.FIGURE, number),
        g,
        gan.labels(settings) if conditional else None,
    )


def finish(command: Command, trained: Trained, proportion: str = '') -> int:
    """Writes --tensorboard, removes what an earlier run left and prints where the files are.

    Returns the exit status: 0, or 128 plus the signal that stopped the training. Raises files.CannotWrite.

    `proportion`: a line that tells how typical a single run's outcome is, '' for none; not printed if training was stopped.
    """
    settle(command)
    if command.opts.tensorboard:
        pictures = [command.directory / name for name in directories.read(command.directory).files if name.endswith('.png')]
        tensorboard.write(pathlib.Path(command.opts.tensorboard), trained.history, pictures)
    if proportion and command.opts.runs == 1 and not trained.signal:
        say(proportion)
    say(f'files in {command.directory}/')
    return 128 + trained.signal if trained.signal else 0
