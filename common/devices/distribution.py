"""Sharing runs out over devices with `tf.distribute`. Runs do not touch each other, so nothing is communicated on the way.

The workers of a cluster (`common.devices.cluster`) exchange what each has whenever it is looked at, and then all of them hold
everything.
"""

import numpy as np
import tensorflow as tf

from common.devices import cluster


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
        strategy = cluster.join()
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

    On every worker of a cluster the same, all shares of all workers. Raises cluster.LostWorker.
    """

    def join(shares):
        return shares[0] if shares[0].ndim == 0 else np.concatenate(shares, axis)

    here = [join([share.numpy() for share in strategy.experimental_local_results(value)]) for value in tf.nest.flatten(values)]
    joined = [join(shares) for shares in zip(*cluster.exchange(strategy, here), strict=True)]
    return tf.nest.pack_sequence_as(values, joined)


def first(strategy, value):
    """A value that is the same on every replica, such as a step counter, as a Python number."""
    return np.asarray(strategy.experimental_local_results(value)[0]).item()
