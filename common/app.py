"""What every post's command line shares: flags, one-line errors, progress, stopping, checkpoints and the written files."""

import contextlib
import json
import pathlib
import signal
import sys
import textwrap
import time
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from absl import app, flags
from tqdm import tqdm

from common import checkpoints, claims, distribution, figures, replay, results, training

CHECKPOINT_SECONDS = 60

RUNS = flags.DEFINE_integer('runs', 1, 'GANs trained at once, with seeds seed .. seed+runs-1 (the post: 1).', lower_bound=1)
NUM_STEPS = flags.DEFINE_integer('num_steps', None, "Training iterations (default: the variant's).", lower_bound=1)
BATCH_SIZE = flags.DEFINE_integer('batch_size', None, "Samples in a batch (default: the variant's).", lower_bound=1)
OUTPUT_DIR = flags.DEFINE_string('output_dir', None, 'Where the files go (default: output/<post>).')
STRATEGY = flags.DEFINE_enum(
    'strategy', 'auto', distribution.STRATEGIES,
    'Devices: every GPU or else the CPU (auto), the CPU, one GPU, or the runs shared over all GPUs or logical CPU devices '
    '(mirrored).',
)  # fmt: skip
LOGICAL_DEVICES = flags.DEFINE_integer('logical_devices', None, 'Split the CPU into so many devices.', lower_bound=1)
RESUME = flags.DEFINE_bool('resume', False, 'Go on where an interrupted run in --output_dir stopped.')
ANIMATION = flags.DEFINE_bool('animation', False, "Also draw the first run's training as animation.gif.")
REPLAY = flags.DEFINE_string('replay', None, "Replay this recorded run of the author's program and compare, step by step.")


class UserError(Exception):
    """Wrong input: its message is the one line that the user sees, before exit status 2."""


def run(main, doc):
    """Runs `main(argv)` as the program: `doc` and the flags for --help, one line and status 2 for wrong input."""

    def parse(argv):
        argv = [argv[0]] + [_underscored(argument) for argument in argv[1:]]
        if {'--help', '-h', '--helpshort', '--helpfull'} & set(argv):
            _show_help(doc, argv[0])
        try:
            rest = flags.FLAGS(argv)
            if len(rest) > 1:
                raise UserError(f'{rest[1]!r} is no flag; flags begin with -- and take their value after =')
        except (flags.Error, UserError) as error:
            _fail(str(error).splitlines()[0].replace('FATAL Flags parsing error: ', ''))
        return rest

    def guarded(argv):
        try:
            status = main(argv)
        except UserError as error:
            _fail(error)
        except KeyboardInterrupt:
            print('\ninterrupted', file=sys.stderr)
            status = 130
        sys.exit(status or 0)

    app.run(guarded, flags_parser=parse)


def _fail(message):
    print(f'error: {message}', file=sys.stderr)
    sys.exit(2)


def _underscored(argument):
    """--num-steps=5 as --num_steps=5: the spelling of the posts' own command lines."""
    if not argument.startswith('--'):
        return argument
    name, equals, value = argument.partition('=')
    return '--' + name[2:].replace('-', '_') + equals + value


def _show_help(doc, program):
    print(doc.strip() + '\n\nFlags of this post:\n')
    seen = [flag for flag in flags.FLAGS.get_key_flags_for_module(sys.modules['__main__'])]
    shared = [flag for flag in flags.FLAGS.get_key_flags_for_module(sys.modules[__name__])]
    for heading, group in ((None, [f for f in seen if f not in shared]), ('Flags of every post:', shared)):
        if heading:
            print(f'\n{heading}\n')
        for flag in sorted(group, key=lambda flag: flag.name):
            values = f'={"|".join(flag.parser.enum_values)}' if hasattr(flag.parser, 'enum_values') else ''
            default = '' if flag.default is None else f' [{flag.default_as_str}]'
            no = '[no]' if flag.boolean else ''
            print(textwrap.fill(f'--{no}{flag.name}{values}: {flag.help}{default}', 110, subsequent_indent='      '))
    sys.exit(0)


def output_directory(post):
    """The directory of --output_dir, made and known to be writable before anything is trained."""
    path = pathlib.Path(OUTPUT_DIR.value or f'output/{post}')
    if RESUME.value and not path.is_dir():
        raise UserError(f'--resume: there is no directory {path}; run without --resume first')
    try:
        return results.prepare_directory(path)
    except OSError as error:
        raise UserError(
            f'--output_dir={path} cannot be written to ({error.strerror}); name a directory that can'
        ) from error


def strategy(runs):
    """The strategy of --strategy and --logical_devices."""
    try:
        return distribution.make_strategy(STRATEGY.value, runs, LOGICAL_DEVICES.value)
    except ValueError as error:
        raise UserError(f'--strategy={STRATEGY.value}: {error}') from error


@contextlib.contextmanager
def stop_signals():
    """Inside, Ctrl-C and SIGTERM only add their number to the yielded list, for a loop to look at between calls.

    A second signal ends the program as usual.
    """
    received = []

    def handle(number, frame):
        received.append(number)
        signal.signal(number, previous[number])
        print('\nstopping after this call; what was trained is kept', file=sys.stderr)

    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class Trained(NamedTuple):
    """What `train` gives."""

    players: training.Players  # NumPy arrays
    history: dict  # {name: array}
    devices: tf.distribute.Strategy
    signal: int  # the one that stopped the training, or 0


def train(post, experiment, directory, settings, seeds, num_steps, every, print_every, watch=None):
    """Trains with progress, a checkpoint a minute and at the end, and a stop between calls on Ctrl-C or SIGTERM.

    Args:
      post: str, its name, for the progress bar.
      experiment: `training.Experiment`.
      directory: pathlib.Path of the output.
      settings: {name: value}, everything else that the numbers depend on; a resumed run must have the same.
      seeds, num_steps, every: as for `training.train`.
      print_every: int; a solo run's losses are printed for the records at its multiples.
      watch: called with (iterations done, players of NumPy arrays) after every record, if given.

    Returns:
      `Trained`.
    """
    settings = {**settings, 'seed': int(seeds[0]), 'runs': len(seeds), 'num_steps': num_steps, 'every': every}
    settings = json.loads(json.dumps(settings))  # as the checkpoint will hold them
    devices = strategy(len(seeds))
    state, parts = None, []
    if RESUME.value:
        shared = training.initial_state(experiment, devices, distribution.share_out(devices, seeds))
        try:
            state, records = checkpoints.load(directory, settings, distribution.to_host(devices, shared))
        except checkpoints.CannotResume as error:
            raise UserError(f'--resume: {error}') from error
        parts = [records]

    def save():
        checkpoints.save(directory, settings, state, training.join_records(parts))
        return time.monotonic()

    calls = training.train(experiment, devices, seeds, num_steps, every, state, 1 if watch else 64)
    total = experiment.pretrain_steps + num_steps
    saved = time.monotonic()
    with stop_signals() as received, tqdm(total=total, desc=post, unit=' steps', delay=2, leave=False, disable=None) as bar:
        for shared, records in calls:
            parts.append(records)
            steps = [distribution.first(devices, part.step) for part in shared]
            bar.update(sum(steps) - bar.n)
            if len(seeds) == 1 and 'loss_d' in records:
                for step, loss_d, loss_g in zip(records['step'], records['loss_d'][0], records['loss_g'][0], strict=True):
                    if step % print_every == 0:
                        bar.write(f'{step:6d}: loss_d {loss_d:.4f}  loss_g {loss_g:.4f}')
            due = time.monotonic() - saved > CHECKPOINT_SECONDS
            if watch or due or received or sum(steps) == total:
                state = distribution.to_host(devices, shared)
            if watch:
                watch(steps[-1], state[1])
            if due or received or sum(steps) == total:
                saved = save()
            if received:
                break
    return Trained(state[1], training.join_records(parts), devices, received[0] if received else 0)


def drawing(frames, count, path):
    """Exhausts a generator that draws `count` frames to `path`, with progress."""
    for _ in tqdm(frames, total=count, desc=f'drawing {path.name}', unit=' frames', delay=2, leave=False, disable=None):
        pass


def seeds(first):
    """Seeds first .. first+runs-1, uint32 [runs]."""
    if first + RUNS.value > 2**32:
        raise UserError(f'--seed={first} --runs={RUNS.value}: seeds end at 2^32 - 1; use a smaller --seed')
    return np.arange(first, first + RUNS.value, dtype=np.uint32)


def animation_path(directory, given):
    """Where to draw the animation: `given` (the post's --anim_path), or directory/animation.gif under --animation, or None."""
    if given is None:
        return directory / 'animation.gif' if ANIMATION.value else None
    path = pathlib.Path(given)
    if path.suffix not in ('.gif', '.mp4'):
        raise UserError(f'--anim_path={given} must end in .gif or .mp4')
    if path.suffix == '.mp4' and not figures.can_write_mp4():
        raise UserError(f'--anim_path={given} needs ffmpeg, which is not on the path; install it or use a .gif')
    if not path.parent.is_dir():
        raise UserError(f'--anim_path={given}: there is no directory {path.parent}')
    return path


def run_replay(post, replay_trace, conflicting):
    """--replay: writes replay.csv, prints the verdict; returns the exit status.

    Args:
      post: str.
      replay_trace: path -> columns of replay.csv; raises `replay.BadTrace`.
      conflicting: flag holders that a trace decides, and which therefore may not be given beside it.
    """
    given = [holder.name for holder in conflicting if holder.present]
    if given:
        raise UserError(f'--{given[0]} goes with no --replay: the trace says how it was recorded')
    try:
        columns = replay_trace(REPLAY.value)
    except replay.BadTrace as error:
        raise UserError(f'--replay={REPLAY.value} {error}; name a trace recorded from the {post} program') from error
    directory = output_directory(post)
    results.write_csv(directory / 'replay.csv', columns)
    worst = replay.worst_judged(columns)
    passed = worst <= replay.TOLERANCE
    for quantity in dict.fromkeys(columns['quantity']):
        errors = [e for q, e in zip(columns['quantity'], columns['relative_error'], strict=True) if q == quantity]
        print(
            f'{quantity}: {len(errors)} steps, largest relative error {max(errors[: replay.JUDGED]):.1e} in the first '
            f'{replay.JUDGED}, {max(errors):.1e} over all'
        )
    print(f'{"agrees" if passed else "DIFFERS"}: {worst:.1e} against a tolerance of {replay.TOLERANCE:.0e}')
    print(f'files in {directory}/')
    return 0 if passed else 1


def run_claims(post, measure, first_seed):
    """--claims: measures, prints a Markdown table and writes claims.json and claims.md; returns the exit status."""
    if RUNS.present and RUNS.value < 100:
        raise UserError(f'--runs={RUNS.value} is too few to judge a claim by; use 100 or more')
    directory = output_directory(post)
    runs = RUNS.value if RUNS.present else 500
    rows = []
    with tqdm(desc='claims', unit=' ensembles', total=measure.ensembles, leave=False) as bar:
        rows = measure(first_seed, runs, bar.update)
    results.write_json(directory / 'claims.json', claims.as_json(rows))
    results.write_text(directory / 'claims.md', claims.as_markdown(rows))
    print(claims.as_markdown(rows), end='')
    print(f'files in {directory}/')
    return 0


def write_results(directory, post, settings, trained, table):
    """Writes config.json, results.csv and history.npz."""
    results.write_json(
        directory / 'config.json',
        {
            'post': post,
            'settings': settings,
            'flags': {
                flag.name: flag.value
                for module in (__name__, sys.modules['__main__'].__name__)
                for flag in flags.FLAGS.get_key_flags_for_module(module)
            },
            'devices': list(trained.devices.extended.worker_devices),
            'strategy': type(trained.devices).__name__,
            'iterations': int(trained.players.step),
            'versions': results.versions(),
        },
    )
    results.write_csv(directory / 'results.csv', table)
    results.write_npz(directory / 'history.npz', trained.history)


def exit_status(trained):
    """0, or 128 plus the signal that stopped the training."""
    return 128 + trained.signal if trained.signal else 0


def summary(table, targets):
    """Prints what came out beside the target: a solo run's numbers, or medians and quartiles over seeds.

    Args:
      table: {column: [runs]} of results.csv.
      targets: {column: (label, target)}.
    """
    runs, finite, success = len(table['seed']), table['finite'] == 1, table['success'] == 1
    if runs == 1:
        outcome = 'success' if success[0] else 'not converged' if finite[0] else 'not finite (NaN or inf)'
        print(f'\nseed {table["seed"][0]}: {outcome}\n{"":14}{"ours":>10}{"target":>10}')
        for column, (label, target) in targets.items():
            print(f'{label:14}{table[column][0]:10.4g}{target:10.4g}')
        return
    for label, flag in (('finite', finite), ('success', success)):
        estimate = claims.proportion(flag)
        print(f'{label}: {flag.sum():,} of {runs:,} = {estimate.value:.1%} [{estimate.low:.1%}, {estimate.high:.1%}]')
    if finite.any():
        print(f'\nover finite runs{"median":>12}{"quartiles":>24}{"target":>10}')
        for column, (label, target) in targets.items():
            low, middle, high = np.quantile(table[column][finite], [0.25, 0.5, 0.75])
            print(f'{label:16}{middle:12.4g}{f"{low:.4g} .. {high:.4g}":>24}{target:10.4g}')
