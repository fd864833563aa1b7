"""Training with progress, checkpoints, stopping on Ctrl-C, and resuming."""

import pathlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from common import data_parallel, remedies, training
from common.devices import cluster, distribution
from common.program import cli, progress
from common.program.command import Command, Trained, settle
from common.say import collector, say
from common.storage import checkpoints, networks


def train(
    command: Command,
    experiment: training.Experiment,
    print_every: int,
    film_every: int | None = None,
    watch: Callable | None = None,
    due: Callable[[int], tuple[str, ...]] | None = None,
) -> Trained:
    """Trains with progress, regular checkpoints and a last one, and stops between calls on Ctrl-C or SIGTERM.

    Args:
      command: a single run on several of its devices shards its batch.
      print_every: a single run's losses are printed for the records at multiples of this.
      film_every: iterations between the frames of an animation of the first run; None records no frames.
      watch: called with (what is due, iterations done, seeds, `training.TrainState` of NumPy arrays) after a record, on the
        process that writes. It returns further records, {name: [..., 1]}, to be kept with the others.
      due: iterations done -> what `watch` is to record after that record; () for nothing. None: it is never called.

    Raises:
      cli.UserError: the run cannot be resumed.
      files.CannotWrite: a checkpoint cannot be written; the earlier ones stay.
      LostWorker: another worker has ended.
      SystemExit: on the later workers of a cluster, when training is done; the chief writes the results.
    """
    opts, devices, directory, seeds = command.opts, command.devices, command.directory, command.seeds
    if opts.record_networks:
        watch, due = networks_at(
            opts.record_networks, training.record_steps(command.num_steps, command.every, experiment.early)
        )
    whose, chief = command.identity, cluster.is_chief(devices)
    train_by = data_parallel if opts.runs == 1 and devices.num_replicas_in_sync > 1 else training
    state, parts, frames, stop = None, [], [], 0
    if opts.resume:
        state, records = restore(devices, directory, whose, train_by.initial_state(experiment, devices, seeds))
        parts.append(records)
    records_per_call = 1 if due else training.MOST_RECORDS
    calls = train_by.train(
        experiment, devices, seeds, command.num_steps, command.every, state, records_per_call=records_per_call
    )
    total = experiment.pretrain_steps + command.num_steps
    with progress.stop_signals() as received:
        with progress.progress_bar(total, 'training', 'steps') as bar:
            for call in _until_stopped(command, calls, total, bar, received, print_every):
                parts.append(call.records)
                due_now, stop = due(call.step) if due else (), call.stop
                if due_now or call.save:
                    state = train_by.to_host(devices, call.state)
                if due_now and chief:
                    parts.append(watch(due_now, call.step, seeds, remedies.with_ema_weights(state.train_state)))
                if call.save and chief:
                    checkpoints.save(directory, whose, state, training.join_records(parts))
                    settle(command)
        if film_every and not stop:
            frames, stop = record_frames(command, experiment, film_every, received)
    if film_every and stop and chief:
        say('training was stopped, so there is no animation; --resume finishes training and draws it')
    if not chief:
        say('this worker has trained its share; the chief writes the results')
        raise SystemExit(128 + stop if stop else 0)
    judged = remedies.with_ema_weights(state.train_state)
    return Trained(state.pretrain_state.params, judged, training.join_records(parts), frames, stop)


def networks_at(count: int, steps: np.ndarray) -> tuple[Callable, Callable]:
    """(watch, due) of `train` that keep the networks at `count` of the recorded steps, evenly spaced.

    Records: `networks/step` [1], the iteration, and every parameter of both networks, `networks/g/0/w` [runs, out, in, 1].
    """
    if len(steps) < count:
        print(
            f'note: --record_networks={count} keeps {len(steps)}: there are no more records; see --log_every', file=sys.stderr
        )
    chosen = set(steps[np.unique(np.linspace(0, len(steps) - 1, count).round().astype(int))].tolist())

    def watch(due, step, seeds, train_state):
        d = tf.nest.map_structure(np.asarray, remedies.normalized(train_state.d))
        found = networks.named('networks/d', d) | networks.named('networks/g', train_state.g)
        return {'networks/step': np.array([step - 1])} | {name: values[..., None] for name, values in found.items()}

    return watch, lambda step: ('networks',) if step in chosen else ()


class _Call(NamedTuple):
    """One compiled call of a training."""

    state: Any  # `training.State`, on the devices
    step: int  # adversarial iterations done
    records: dict[str, np.ndarray]
    save: bool  # whether the state is to be saved after it: a checkpoint is due, or no call follows
    stop: int  # the signal that stops the training after it, or 0


def _until_stopped(command, calls, total, bar, received, print_every) -> Iterator[_Call]:
    """Yields the calls of a training until a worker receives a signal; moves the progress bar and prints losses.

    The time between checkpoints is measured from when the previous one was complete.
    """
    devices, chief, saved = command.devices, cluster.is_chief(command.devices), time.monotonic()
    for state, records in calls:
        steps = [distribution.first(devices, part.step) for part in state]
        bar.update(sum(steps) - bar.n)
        if chief:
            show_losses(bar, records, print_every)
        stop, due = agree(devices, received, time.monotonic() - saved >= command.opts.checkpoint_every)
        save = bool(due or stop or sum(steps) == total)
        yield _Call(state, steps[-1], records, save, stop)
        if stop:
            return
        if save:
            saved = time.monotonic()


def record_frames(
    command: Command, experiment: training.Experiment, every: int, received: list[int]
) -> tuple[list[tuple[int, training.TrainState]], int]:
    """Trains a second time, bit for bit as before, and keeps the first run at each frame of an animation.

    So an animation changes neither records nor checkpoints, and is complete after resuming, too.

    Returns:
      [(iteration, `training.TrainState` of the first run, NumPy arrays)], and the signal that stopped it, or 0.
    """
    devices, frames, stop = command.devices, [], 0
    calls = training.train(experiment, devices, command.seeds, command.num_steps, every, records_per_call=1)
    with progress.progress_bar(experiment.pretrain_steps + command.num_steps, 'frames', 'steps') as bar:
        for sharded, records in calls:
            bar.update(sum(distribution.first(devices, part.step) for part in sharded) - bar.n)
            stop, _ = agree(devices, received, False)
            if stop:
                break
            if 'step' in records:
                train_state = remedies.with_ema_weights(training.to_host(devices, sharded).train_state)
                d, g = tf.nest.map_structure(lambda value: value[:1], (train_state.d, train_state.g))
                frames.append((int(records['step'][-1]), train_state._replace(d=d, g=g, opt_state_d=(), opt_state_g=())))
    return frames, stop


def show_losses(bar: tqdm, records: dict[str, np.ndarray], print_every: int) -> None:
    """Prints a single run's losses at iterations that are multiples of `print_every`; shows the latest beside the bar.

    `records` are those of `training.train`; for records of pre-training it does nothing.
    """
    if 'loss_d' not in records:
        return
    losses_d, losses_g = records['loss_d'], records['loss_g']
    if len(losses_d) == 1:
        for step, loss_d, loss_g in zip(records['step'], losses_d[0], losses_g[0], strict=True):
            if step % print_every == 0:
                bar.write(f'{step:6d}: loss_d {loss_d:.4f}  loss_g {loss_g:.4f}', collector())
    bar.set_postfix_str(f'loss_d {losses_d[:, -1].mean():.4f}, loss_g {losses_g[:, -1].mean():.4f}', refresh=False)


def restore(
    devices: tf.distribute.Strategy, directory: pathlib.Path, settings: dict[str, Any], template: training.State
) -> tuple[training.State, dict[str, np.ndarray]]:
    """(state, records) of the last checkpoint. The chief reads it and sends the state to the other workers.

    `template` is a `training.State` of the same shapes and types. Raises cli.UserError if there is no usable checkpoint.
    """
    problem, loaded = '', None
    if cluster.is_chief(devices):
        try:
            loaded = checkpoints.load(directory, settings, template)
        except checkpoints.CannotResume as error:
            problem = str(error)
    problem, *leaves = cluster.exchange(devices, [np.array(problem), *tf.nest.flatten(loaded.state if loaded else ())])[0]
    if problem:
        raise cli.UserError(f'--resume: {problem}')
    if loaded is None:
        return tf.nest.pack_sequence_as(template, leaves), {}
    for path, why in loaded.damaged.items():
        print(f'warning: {path} {why}; resuming from {loaded.path.name}, which is older', file=sys.stderr)
        checkpoints.set_aside(path)
    return loaded.state, loaded.records


def agree(devices: tf.distribute.Strategy, received: list[int], due: bool) -> tuple[int, bool]:
    """(signal that any worker has received, or 0; whether the chief's checkpoint is due), the same on all workers."""
    told = cluster.exchange(devices, [np.array(received[:1] or [0]), np.array(due)])
    return max(int(signals[0]) for signals, _ in told), bool(told[0][1])
