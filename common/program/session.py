"""A training with progress, checkpoints, a stop on Ctrl-C, and resumption."""

import json
import sys
import time
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from common import data_parallel, training
from common.devices import cluster, distribution
from common.program import cli, progress
from common.storage import checkpoints


class Trained(NamedTuple):
    """What `train` gives."""

    pretrained: Any  # D after the pre-training, or the initial one; NumPy arrays as the players
    train_state: training.TrainState
    history: dict  # {name: array}
    frames: list  # (iteration, `training.TrainState` of the first run) of an animation
    signal: int  # the one that stopped the training, or 0


def train(command, experiment, every, print_every, decides=None, film_every=None, watch=None, watched=lambda step: True):
    """Trains with progress, checkpoints every so often and at the end, and a stop between calls on Ctrl-C or SIGTERM.

    Args:
      command: `command.Command`. A single run on several of its devices shards its batch.
      experiment: `training.Experiment`.
      every: int, iterations from record to record.
      print_every: int; a single run's losses are printed for the records at its multiples.
      decides: {name: value}, everything else than the settings that the numbers depend on; a resumed run must have the same.
      film_every: int or None, iterations from frame to frame of an animation of the first run.
      watch: called with (iterations done, players of NumPy arrays) after every record, if given. It may return records of its
        own, {name: [..., 1]}, to be kept with the others.
      watched: iterations done -> bool, whether to call `watch` after that record.

    Returns:
      `Trained`.

    Raises:
      cli.UserError: it cannot be resumed.
      files.CannotWrite: a checkpoint cannot be written; the earlier ones stay.
      LostWorker: another worker ended.
      SystemExit: in the later workers of a cluster, when all is trained; the rest is the chief's.
    """
    opts, devices, directory, seeds = command.opts, command.devices, command.directory, command.seeds
    settings = command.settings._asdict() | (decides or {})
    settings |= {'seed': opts.seed, 'runs': opts.runs, 'num_steps': command.num_steps, 'every': every}
    settings = json.loads(json.dumps(settings))  # as the checkpoint will hold them
    total, chief = experiment.pretrain_steps + command.num_steps, cluster.is_chief(devices)
    train_by = data_parallel if opts.runs == 1 and devices.num_replicas_in_sync > 1 else training
    state, parts = None, []
    if opts.resume:
        state, records = resumed(devices, directory, settings, train_by.initial_state(experiment, devices, seeds))
        parts.append(records)

    def save():
        checkpoints.save(directory, settings, state, training.join_records(parts))
        return time.monotonic()

    calls = train_by.train(experiment, devices, seeds, command.num_steps, every, state, 1 if watch else training.MOST_RECORDS)
    saved, stop, frames = time.monotonic(), 0, []
    with progress.stop_signals() as received:
        with progress.progress_bar(total, 'training', 'steps') as bar:
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
                    parts.append(watch(steps[-1], state.train_state) or {})
                if chief and (due or stop or sum(steps) == total):
                    saved = save()
                if stop:
                    break
        if film_every and not stop:
            frames, stop = film(command, experiment, film_every, received)
    if film_every and stop and chief:
        print('no animation, as training was stopped; --resume goes on and draws it')
    trained = Trained(state.pretrain_state.params, state.train_state, training.join_records(parts), frames, stop)
    if not chief:
        print('this worker has trained its share; the chief writes the results')
        raise SystemExit(128 + stop if stop else 0)
    return trained


def film(command, experiment, every, received):
    """Trains once more, to the same bits, and keeps the first run at each frame: ([(iteration, players)], signal or 0).

    So an animation changes neither what is recorded nor what a checkpoint holds, and is whole after a resumption too.
    """
    devices, frames, stop = command.devices, [], 0
    calls = training.train(experiment, devices, command.seeds, command.num_steps, every, records_per_call=1)
    with progress.progress_bar(experiment.pretrain_steps + command.num_steps, 'frames', 'steps') as bar:
        for shared, records in calls:
            bar.update(sum(distribution.first(devices, part.step) for part in shared) - bar.n)
            stop, _ = agreed(devices, received, False)
            if stop:
                break
            if 'step' in records:
                train_state = training.to_host(devices, shared).train_state
                d, g = tf.nest.map_structure(lambda value: value[:1], (train_state.d, train_state.g))
                frames.append((int(records['step'][-1]), train_state._replace(d=d, g=g, opt_state_d=(), opt_state_g=())))
    return frames, stop


def show_losses(bar, records, print_every):
    """Prints a single run's losses at the iterations that are multiples of `print_every`; beside the bar stand the last ones.

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
