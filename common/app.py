"""What every post's program does around its networks: training with progress, stopping, checkpoints and the written files."""

import contextlib
import json
import pathlib
import signal
import sys
import time
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from common import checkpoints, claims, cli, cluster, data_parallel, distribution, locks, replay, results, training

MOST_CLAIM_RUNS = 100_000  # the report's bound too


def output_directory(opts, post, devices=None):
    """The directory of --output_dir, made, locked and known to be writable before anything is trained.

    Of several workers (`devices`, the strategy) only the chief writes into it.
    """
    path = pathlib.Path(opts.output_dir or f'output/{post}')
    if devices is not None and not cluster.is_chief(devices):
        return path
    try:
        if opts.resume and not path.is_dir():
            raise cli.UserError(f'--resume: there is no directory {path}; run without --resume first')
        results.prepare_directory(path)
        locks.take(path)
        for place in (path, path / 'checkpoint'):
            results.remove_partial(place)
    except locks.Taken as error:
        raise cli.UserError(f'--output_dir={path} is in use by another process; wait for its end or name another') from error
    except OSError as error:
        raise cli.UserError(
            f'--output_dir={path} cannot be written to ({error.strerror}); name a directory that can'
        ) from error
    return path


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
        raise cli.UserError(f'--strategy={opts.strategy}: {error}') from error


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
      cli.UserError: it cannot be resumed, or there is no such device.
      results.CannotWrite: a checkpoint cannot be written; the earlier ones stay.
      cluster.LostWorker: another worker ended.
      SystemExit: in the later workers of a cluster, when all is trained; the rest is the chief's.
    """
    settings = {**settings, 'seed': opts.seed, 'runs': opts.runs, 'num_steps': num_steps, 'every': every}
    settings = json.loads(json.dumps(settings))  # as the checkpoint will hold them
    total = experiment.pretrain_steps + num_steps
    cli.refuse_beyond_memory(opts, total // every * (8 + 2 * 4 * opts.runs))  # records: their step, and two losses of every run
    all_seeds, chief = cli.seeds(opts), cluster.is_chief(devices)
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
            if chief:
                show_losses(bar, records, print_every)
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


def show_losses(bar, records, print_every):
    """Prints a solo run's losses at the iterations that are multiples of `print_every`; beside the bar stand the last ones.

    Args:
      bar: of `progress_bar`.
      records: as `training.train` yields them; those of a pre-training have none of these losses.
      print_every: int.
    """
    if 'loss_d' not in records:
        return
    losses_d, losses_g = records['loss_d'], records['loss_g']
    if len(losses_d) == 1:
        for step, loss_d, loss_g in zip(records['step'], losses_d[0], losses_g[0], strict=True):
            if step % print_every == 0:
                bar.write(f'{step:6d}: loss_d {loss_d:.4f}  loss_g {loss_g:.4f}')
    bar.set_postfix_str(f'loss_d {losses_d[:, -1].mean():.4f}, loss_g {losses_g[:, -1].mean():.4f}', refresh=False)


def resumed(devices, directory, settings, template):
    """(state, records) of the last checkpoint, of which the chief reads and tells the other workers (but not the records).

    Raises cli.UserError.
    """
    problem, found = '', None
    if cluster.is_chief(devices):
        try:
            found = checkpoints.load(directory, settings, template)
        except checkpoints.CannotResume as error:
            problem = str(error)
    problem, *leaves = cluster.exchange(devices, [np.array(problem), *tf.nest.flatten(found.state if found else ())])[0]
    if problem:
        raise cli.UserError(f'--resume: {problem}')
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


def run_replay(opts, post, replay_trace, decided):
    """--replay: writes replay.csv, prints the verdict; returns the exit status.

    Args:
      opts, post: the command line, and the post's name.
      replay_trace: path -> columns of replay.csv; raises `replay.BadTrace`.
      decided: names of flags that a trace decides, and which therefore may not be given beside it.
    """
    for name in decided:
        if opts[name].present:
            raise cli.UserError(f'--{name} cannot be given beside --replay: the trace says how it was recorded')
    try:
        columns = replay_trace(opts.replay)
    except replay.BadTrace as error:
        raise cli.UserError(f'--replay={opts.replay} {error}; name a trace recorded from the {post} program') from error
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
        raise cli.UserError(f'--runs={opts.runs} is too few to judge a claim by; use 100 or more')
    if not opts['runs'].present:
        opts.runs = default_runs
    if opts.runs > MOST_CLAIM_RUNS:
        raise cli.UserError(f'--runs={opts.runs} is more than a claim needs; use {MOST_CLAIM_RUNS:,} or fewer')
    cli.seeds(opts, times)
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
