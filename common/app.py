"""What every post's command line shares: flags, one-line errors, progress, stopping, checkpoints and the written files."""

import contextlib
import itertools
import json
import os
import pathlib
import signal
import sys
import textwrap
import time
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from absl import flags
from tqdm import tqdm

from common import checkpoints, claims, cluster, data_parallel, distribution, export, figures, locks, replay, results, training

MOST_SHOWN = 1000  # characters of a message
MOST_LAYERS = 20  # that a list of widths may name; each is compiled, for seconds
LEAST, LARGEST = 1e-9, 1e30  # of rates, means and deviations: float32 holds them, and a run diverges if not their powers
MOST_CLAIM_RUNS = 100_000  # the report's bound too
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
    try:
        if 'export' in opts:
            export.check(opts)
    except ValueError as error:
        raise UserError(str(error)) from error


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
    except results.BadTable as error:
        print(f'error: {_one_line(error)}; make it anew, or install the suite again', file=sys.stderr)
        return 2
    except results.CannotWrite as error:
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


def output_directory(opts, post, devices=None):
    """The directory of --output_dir, made, locked and known to be writable before anything is trained.

    Of several workers (`devices`, the strategy) only the chief writes into it.
    """
    path = pathlib.Path(opts.output_dir or f'output/{post}')
    if devices is not None and not cluster.is_chief(devices):
        return path
    try:
        if opts.resume and not path.is_dir():
            raise UserError(f'--resume: there is no directory {path}; run without --resume first')
        results.prepare_directory(path)
        locks.take(path)
        for place in (path, path / 'checkpoint'):
            results.remove_partial(place)
    except locks.Taken as error:
        raise UserError(f'--output_dir={path} is in use by another process; wait for its end or name another') from error
    except OSError as error:
        raise UserError(f'--output_dir={path} cannot be written to ({error.strerror}); name a directory that can') from error
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


def check_memory(opts, networks, batch_size, more=0):
    """Raises UserError for a training that this machine's memory cannot hold, before anything of that size is asked for.

    What is counted is held at once in any case, in float32: four numbers a weight (itself, its gradient, what the optimiser
    keeps, the copy for a checkpoint) and two a unit and sample of the runs that are trained together (its output, its
    gradient). What could run is not refused.

    Args:
      opts: the command line.
      networks: the widths of the layers of each, inputs and outputs too.
      batch_size: int.
      more: bytes that a post holds besides.
    """
    weights = sum(outputs * (inputs + 1) for widths in networks for inputs, outputs in itertools.pairwise(widths))
    units = sum(sum(widths) for widths in networks)
    together = min(opts.runs, training.GROUP)
    _refuse_beyond_memory(opts, 4 * (4 * opts.runs * weights + 2 * together * batch_size * units) + more)


def _refuse_beyond_memory(opts, needed):
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


def strategy(opts, batch_size=None):
    """The strategy of --strategy and --logical_devices, to be made before anything else of TensorFlow.

    `batch_size`: of a post whose losses are means over the batch, which a single run then shares out over the devices.
    """
    if opts.strategy == 'multiworker':
        print('waiting for all workers of TF_CONFIG', file=sys.stderr)
    try:
        shares = batch_size if batch_size and opts.runs == 1 else opts.runs
        return distribution.make_strategy(opts.strategy, shares, opts.logical_devices)
    except ValueError as error:
        raise UserError(f'--strategy={opts.strategy}: {error}') from error


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


def progress_bar(total, label, unit):
    """A bar with rate and time left, on a terminal, once something takes more than 2 seconds."""
    return tqdm(total=total, desc=label, unit=f' {unit}', delay=2, leave=False, disable=None)


class Trained(NamedTuple):
    """What `train` gives."""

    pretrained: Any  # D after the pre-training, or the initial one; NumPy arrays as the players
    players: training.Players
    history: dict  # {name: array}
    devices: tf.distribute.Strategy
    signal: int  # the one that stopped the training, or 0


def train(opts, devices, experiment, directory, settings, num_steps, every, print_every, watch=None, watched=lambda step: True):
    """Trains with progress, checkpoints every so often and at the end, and a stop between calls on Ctrl-C or SIGTERM.

    Args:
      opts: the command line.
      devices: the strategy. A single run on several of its devices shares out its batch.
      experiment: `training.Experiment`.
      directory: pathlib.Path of the output.
      settings: {name: value}, everything else that the numbers depend on; a resumed run must have the same.
      num_steps, every: as for `training.train`.
      print_every: int; a solo run's losses are printed for the records at its multiples.
      watch: called with (iterations done, players of NumPy arrays) after every record, if given. It may return records of its
        own, {name: [..., 1]}, to be kept with the others.
      watched: iterations done -> bool, whether to call `watch` after that record.

    Returns:
      `Trained`.

    Raises:
      UserError: it cannot be resumed, or there is no such device.
      results.CannotWrite: a checkpoint cannot be written; the earlier ones stay.
      cluster.LostWorker: another worker ended.
      SystemExit: in the later workers of a cluster, when all is trained; the rest is the chief's.
    """
    settings = {**settings, 'seed': opts.seed, 'runs': opts.runs, 'num_steps': num_steps, 'every': every}
    settings = json.loads(json.dumps(settings))  # as the checkpoint will hold them
    total = experiment.pretrain_steps + num_steps
    _refuse_beyond_memory(opts, total // every * (8 + 2 * 4 * opts.runs))  # records: their step, and two losses of every run
    all_seeds, chief = seeds(opts), cluster.is_chief(devices)
    train_by = data_parallel if opts.runs == 1 and devices.num_replicas_in_sync > 1 else training
    state, parts = None, []
    if opts.resume:
        state, records = resumed(devices, directory, settings, train_by.initial_state(experiment, devices, all_seeds))
        parts.append(records)

    def save():
        checkpoints.save(directory, settings, state, training.join_records(parts))
        return time.monotonic()

    calls = train_by.train(experiment, devices, all_seeds, num_steps, every, state, 1 if watch else training.MOST_RECORDS)
    saved, stop = time.monotonic(), 0
    with (
        stop_signals() as received,
        progress_bar(total, 'training', 'steps') as bar,
    ):
        for shared, records in calls:
            parts.append(records)
            steps = [distribution.first(devices, part.step) for part in shared]
            bar.update(sum(steps) - bar.n)
            if opts.runs == 1 and 'loss_d' in records and chief:
                for step, loss_d, loss_g in zip(records['step'], records['loss_d'][0], records['loss_g'][0], strict=True):
                    if step % print_every == 0:
                        bar.write(f'{step:6d}: loss_d {loss_d:.4f}  loss_g {loss_g:.4f}')
            if 'loss_d' in records:  # of an ensemble, the mean
                losses = (records[name][:, -1].mean() for name in ('loss_d', 'loss_g'))
                bar.set_postfix_str('loss_d {:.4f}, loss_g {:.4f}'.format(*losses), refresh=False)
            stop, due = agreed(devices, received, time.monotonic() - saved >= opts.checkpoint_every)
            look = watch is not None and watched(steps[-1])
            if look or due or stop or sum(steps) == total:
                state = train_by.to_host(devices, shared)
            if look and chief:
                parts.append(watch(steps[-1], state[1]) or {})
            if chief and (due or stop or sum(steps) == total):
                saved = save()
            if stop:
                break
    trained = Trained(state[0].params, state[1], training.join_records(parts), devices, stop)
    if not chief:
        print('this worker has trained its share; the chief writes the results')
        raise SystemExit(exit_status(trained))
    return trained


def resumed(devices, directory, settings, template):
    """(state, records) of the last checkpoint, of which the chief reads and tells the other workers (but not the records).

    Raises UserError.
    """
    problem, found = '', None
    if cluster.is_chief(devices):
        try:
            found = checkpoints.load(directory, settings, template)
        except checkpoints.CannotResume as error:
            problem = str(error)
    problem, *leaves = cluster.exchange(devices, [np.array(problem), *tf.nest.flatten(found.state if found else ())])[0]
    if problem:
        raise UserError(f'--resume: {problem}')
    if found is None:
        return tf.nest.pack_sequence_as(template, leaves), {}
    for path, why in found.damaged.items():
        print(f'warning: {path} {why}; going on from {found.path.name}, which is older', file=sys.stderr)
        checkpoints.set_aside(path)
    return found.state, found.records


def agreed(devices, received, due):
    """(signal that any worker has received, or 0; whether the chief's checkpoint is due), the same on all workers."""
    told = cluster.exchange(devices, [np.array(received[:1] or [0]), np.array(due)])
    return max(int(signals[0]) for signals, _ in told), bool(told[0][1])


def drawing(frames, count, path):
    """Exhausts a generator that draws `count` frames to `path`, with progress."""
    with progress_bar(count, f'drawing {path.name}', 'frames') as bar:
        for _ in frames:
            bar.update()


def animation_path(opts, directory):
    """Where to draw the animation: --anim_path (the post's), or animation.gif under --animation, or None."""
    given = opts.anim_path
    if given is None:
        return directory / 'animation.gif' if opts.animation else None
    path = pathlib.Path(given)
    try:
        results.check_place(path)
        there = path.is_dir()
    except OSError as error:
        raise UserError(f'--anim_path={given} cannot be written ({error.strerror}); name another') from error
    if there:
        raise UserError(f'--anim_path={given} is a directory; name a file in it')
    if path.suffix not in ('.gif', '.mp4'):
        raise UserError(f'--anim_path={given} must end in .gif or .mp4')
    if path.suffix == '.mp4' and not figures.can_write_mp4():
        raise UserError(f'--anim_path={given} needs ffmpeg, which is not on the path; install it or use a .gif')
    if not path.parent.is_dir():
        raise UserError(f'--anim_path={given}: there is no directory {path.parent}')
    return path


def run_replay(opts, post, replay_trace, decided):
    """--replay: writes replay.csv, prints the verdict; returns the exit status.

    Args:
      opts, post: the command line, and the post's name.
      replay_trace: path -> columns of replay.csv; raises `replay.BadTrace`.
      decided: names of flags that a trace decides, and which therefore may not be given beside it.
    """
    for name in decided:
        if opts[name].present:
            raise UserError(f'--{name} cannot be given beside --replay: the trace says how it was recorded')
    try:
        columns = replay_trace(opts.replay)
    except replay.BadTrace as error:
        raise UserError(f'--replay={opts.replay} {error}; name a trace recorded from the {post} program') from error
    directory = output_directory(opts, post)
    results.write_csv(directory / 'replay.csv', columns)
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


def run_claims(opts, post, measure, ensembles, default_runs=500, times=1):
    """--claims: measures, prints a Markdown table and writes claims.json and claims.md; returns the exit status.

    Args:
      opts, post: the command line, and the post's name.
      measure: (first seed, runs, tick) -> list of `claims.Measurement`, calling `tick` after each ensemble.
      ensembles: int, how many there are.
      default_runs: int, seeds where --runs is not given.
      times: int, so many times the seeds are in the largest ensemble.
    """
    if opts['runs'].present and opts.runs < 100:
        raise UserError(f'--runs={opts.runs} is too few to judge a claim by; use 100 or more')
    if not opts['runs'].present:
        opts.runs = default_runs
    if opts.runs > MOST_CLAIM_RUNS:
        raise UserError(f'--runs={opts.runs} is more than a claim needs; use {MOST_CLAIM_RUNS:,} or fewer')
    seeds(opts, times)
    directory = output_directory(opts, post)
    with progress_bar(ensembles, 'claims', 'ensembles') as bar:
        rows = measure(opts.seed, opts.runs, bar.update)
    results.write_json(directory / 'claims.json', claims.as_json(rows))
    results.write_text(directory / 'claims.md', claims.as_markdown(rows))
    print(claims.as_markdown(rows) + f'files in {directory}/')
    return 0


def write_results(opts, post, directory, effective, trained, table):
    """Writes config.json, results.csv and history.npz.

    Args:
      opts, post, directory: the command line, the post's name, and where the files go.
      effective: {flag: value} for the flags whose value was left to the variant.
      trained: `Trained`.
      table: {column: [runs]}.
    """
    results.write_json(
        directory / 'config.json',
        {
            'post': post,
            'variant': opts.variant,
            'flags': opts.flag_values_dict() | effective | {'output_dir': str(directory)},
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
