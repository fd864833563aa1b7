"""Sharing runs out over devices with `tf.distribute`, of one machine or of several.

Runs do not touch each other, so the devices of a machine communicate nothing on the way. The workers of a cluster gather what
each has whenever it is looked at: every worker then holds everything, and the chief, the first of them, writes the files.
"""

import functools
import io
import json
import os
import threading

import numpy as np
import tensorflow as tf

STRATEGIES = ('auto', 'cpu', 'gpu', 'mirrored', 'multiworker')
JOIN_SECONDS = 300  # that the workers of a cluster wait for each other at the start


class LostWorker(Exception):
    """Another worker of the cluster ended or cannot be reached any more; the message, of one line, says what is known."""


def make_strategy(name, shares, logical_devices=None):
    """The strategy of that name, on a single machine over no more devices than there are shares.

    Args:
      name: 'auto' (every GPU, else the CPU), 'cpu', 'gpu' (the first one), 'mirrored' (every GPU, else every logical CPU
        device), or 'multiworker' (the devices of all workers of TF_CONFIG; to be made before TensorFlow's first op).
      shares: int, into how many parts the work can be cut: the runs, or the batch of a single one.
      logical_devices: int or None, into how many logical devices the CPU is split; must be set before TensorFlow's first op.

    Raises:
      ValueError: there is no such device, TensorFlow has already started with another number of logical devices, or the cluster
        is not as it should be.
    """
    if logical_devices:
        _split_cpu(logical_devices)
    if name == 'multiworker':
        strategy = _join_cluster(_cluster_of(os.environ.get('TF_CONFIG', '')))
        if strategy.num_replicas_in_sync > shares:
            raise ValueError(
                f'the cluster has {strategy.num_replicas_in_sync} devices for {shares} run{"s" * (shares > 1)}; '
                'use --runs of at least as many'
            )
        return strategy
    gpus = tf.config.list_logical_devices('GPU')
    if name == 'gpu' and not gpus:
        raise ValueError('no GPU was found; use --strategy=cpu')
    if name == 'cpu' or (name == 'auto' and not gpus):
        return tf.distribute.OneDeviceStrategy('/cpu:0')
    devices = [device.name for device in gpus or tf.config.list_logical_devices('CPU')]
    devices = devices[: 1 if name == 'gpu' else shares]
    return tf.distribute.OneDeviceStrategy(devices[0]) if len(devices) == 1 else tf.distribute.MirroredStrategy(devices)


def _split_cpu(count):
    cpu = tf.config.list_physical_devices('CPU')[0]
    try:
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    except RuntimeError as error:
        if len(tf.config.list_logical_devices('CPU')) != count:
            raise ValueError(f'TensorFlow has already started, without {count} logical devices') from error


# --- Several machines ---------------------------------------------------------------------------------------------------------


def _cluster_of(config):
    """The addresses of a TF_CONFIG's workers, the chief first, and which of them this process is. Raises ValueError."""
    try:
        config = json.loads(config)
        cluster, task = config['cluster'], config['task']
        unknown = set(cluster) - {'chief', 'worker'}
        addresses = [*cluster.get('chief', ()), *cluster.get('worker', ())]
        me = cluster[task['type']][task['index']]
        sound = not unknown and task['index'] >= 0 and all(isinstance(a, str) and ':' in a for a in addresses)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        sound = False
    if not sound:
        raise ValueError(
            'the environment variable TF_CONFIG must be of the form '
            '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}'
        )
    if len(addresses) < 2:
        raise ValueError('TF_CONFIG names one worker; use --strategy=auto on one machine')
    return tuple(addresses), addresses.index(me)


@functools.cache
def _join_cluster(cluster):
    """The strategy of all workers, once each of them is there. Raises ValueError: they did not come, or TensorFlow has started."""
    addresses, _ = cluster
    tf.get_logger().addFilter(lambda record: 'eagerly has significant overhead' not in record.getMessage())  # our loops are not
    made = []

    def join():
        try:
            made.append(tf.distribute.MultiWorkerMirroredStrategy())
        except Exception as error:  # told below, in the thread that waits
            made.append(error)

    thread = threading.Thread(target=join, daemon=True)  # so that the wait has an end and can be interrupted
    thread.start()
    thread.join(JOIN_SECONDS)
    if not made:
        raise ValueError(f'not all of the workers {", ".join(addresses)} were there within {JOIN_SECONDS} s; start them all')
    if isinstance(made[0], Exception):
        raise ValueError(f'the cluster cannot be joined: {_first_line(made[0])}') from made[0]
    return made[0]


def _first_line(error):
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


def workers(strategy):
    """How many processes train together."""
    return strategy.num_replicas_in_sync // len(strategy.extended.worker_devices)


def is_chief(strategy):
    """Whether this process is the one that writes the files: always, but in the later workers of a cluster."""
    return workers(strategy) == 1 or _cluster_of(os.environ['TF_CONFIG'])[1] == 0


def exchange(strategy, arrays):
    """What every worker gives, a list of NumPy arrays each, the chief's first; all workers must call it.

    It goes as one message of int32: who sends it, how many words follow, and they.

    Raises:
      LostWorker: another worker has ended; it is noticed within about ten seconds.
    """
    if workers(strategy) == 1:
        return [list(arrays)]
    file = io.BytesIO()
    np.savez(file, *arrays)
    content = np.frombuffer(file.getvalue() + bytes(-file.tell() % 4), np.int32)
    _, me = _cluster_of(os.environ['TF_CONFIG'])
    message = np.r_[np.int32([me, len(content)]), content]

    def send(context):
        local = context.replica_id_in_sync_group % len(strategy.extended.worker_devices)
        with tf.device(strategy.extended.worker_devices[local]):
            return tf.constant(message if local == 0 else message[:0])

    try:
        sent = strategy.experimental_distribute_values_from_function(send)
        words = strategy.experimental_local_results(_all_gather(strategy)(sent))[0].numpy()
    except tf.errors.OpError as error:
        raise LostWorker(f'another worker of the cluster was lost ({_first_line(error)})') from error
    found = {}
    while len(words):
        sender, length = words[:2]
        with np.load(io.BytesIO(words[2 : 2 + length].tobytes()), allow_pickle=False) as archive:
            found[int(sender)] = [archive[f'arr_{i}'] for i in range(len(archive.files))]
        words = words[2 + length :]
    return [found[sender] for sender in sorted(found)]


@functools.cache
def _all_gather(strategy):
    def gather(value):  # `identity`: it must be known to be on the replica's device
        return tf.distribute.get_replica_context().all_gather(tf.identity(value), axis=0)

    @tf.function(autograph=False, reduce_retracing=True)
    def all_gather(values):
        return strategy.run(gather, args=(values,))

    return all_gather


# --- Sharing out and joining --------------------------------------------------------------------------------------------------


def share_out(strategy, values):
    """Splits a nested structure of arrays along their leading runs axis, as evenly as it goes, one share a replica.

    Scalars (a step counter) go to every replica whole. Each share is made on its own replica's device.
    """
    replicas = strategy.num_replicas_in_sync

    def part(value, replica):
        return value if np.ndim(value) == 0 else np.array_split(value, replicas)[replica]

    return _per_replica(strategy, lambda replica: tf.nest.map_structure(lambda value: part(value, replica), values))


def repeat(strategy, values):
    """A nested structure of arrays, whole on every replica."""
    return _per_replica(strategy, lambda replica: values)


def _per_replica(strategy, values_of):
    devices = strategy.extended.worker_devices  # of this worker

    def values(context):
        replica = context.replica_id_in_sync_group
        with tf.device(devices[replica % len(devices)]):
            return tf.nest.map_structure(lambda value: tf.constant(np.asarray(value)), values_of(replica))

    return strategy.experimental_distribute_values_from_function(values)


def to_host(strategy, values, axis=0):
    """A nested structure of per-replica tensors as NumPy arrays, the shares joined along `axis` (scalars: the first's).

    On every worker of a cluster the same, all shares of all workers. Raises LostWorker.
    """

    def join(shares):
        return shares[0] if shares[0].ndim == 0 else np.concatenate(shares, axis)

    here = [
        join([share.numpy() for share in strategy.experimental_local_results(value)]) for value in tf.nest.flatten(values)
    ]
    joined = [join(shares) for shares in zip(*exchange(strategy, here), strict=True)]
    return tf.nest.pack_sequence_as(values, joined)


def first(strategy, value):
    """A value that is the same on every replica, such as a step counter, as a Python number."""
    return np.asarray(strategy.experimental_local_results(value)[0]).item()
