"""Shards runs over devices with `tf.distribute`. Runs are independent, so devices do not communicate during training.

The workers of a cluster (`common.devices.cluster`) exchange their shards only when values are read; then each holds all values.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from common.devices import cluster


def make_strategy(name: str, shares: int, logical_devices: int | None = None) -> tf.distribute.Strategy:
    """The strategy of that name; on a single machine it uses at most `shares` devices.

    Args:
      name: 'auto' (every GPU, else the CPU), 'cpu', 'gpu' (the first one), 'mirrored' (every GPU, else every logical CPU
        device), or 'multiworker' (the devices of all workers of TF_CONFIG; call this before TensorFlow's first op).
      shares: how many parts the work can be split into: the number of runs, or the batch size of a single run.
      logical_devices: how many logical devices to split the CPU into, before TensorFlow's first op; None does not split it.

    Raises:
      ValueError: there is no such device, TensorFlow has already started with another number of logical devices, or the cluster
        is misconfigured or incomplete.
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
    if len(devices) == 1:
        return tf.distribute.OneDeviceStrategy(devices[0])
    with cluster.hidden():
        return tf.distribute.MirroredStrategy(devices)


def _split_cpu(count):
    cpu = tf.config.list_physical_devices('CPU')[0]
    try:
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    except RuntimeError as error:
        if len(tf.config.list_logical_devices('CPU')) != count:
            raise ValueError(f'TensorFlow has already started, without {count} logical devices') from error


def share_out(strategy: tf.distribute.Strategy, values: Any) -> Any:
    """Shards a nested structure of arrays over the replicas along the leading runs axis; shard sizes differ by one at most.

    Scalars (a step counter) are copied to every replica. Each shard is created on the device of its replica.
    """
    replicas = strategy.num_replicas_in_sync

    def part(value, replica):
        return value if np.ndim(value) == 0 else np.array_split(value, replicas)[replica]

    return _per_replica(strategy, lambda replica: tf.nest.map_structure(lambda value: part(value, replica), values))


def repeat(strategy: tf.distribute.Strategy, values: Any) -> Any:
    """Copies a nested structure of arrays to every replica."""
    return _per_replica(strategy, lambda replica: values)


def _per_replica(strategy, values_of):
    devices = strategy.extended.worker_devices  # of this worker

    def values(context):
        replica = context.replica_id_in_sync_group
        with tf.device(devices[replica % len(devices)]):
            return tf.nest.map_structure(lambda value: tf.constant(np.asarray(value)), values_of(replica))

    return strategy.experimental_distribute_values_from_function(values)


def to_host(strategy: tf.distribute.Strategy, values: Any, axis: int = 0) -> Any:
    """Gathers a nested structure of per-replica tensors into NumPy arrays, concatenated along `axis` (of scalars: the first).

    Every worker of a cluster gets the shards of all workers. Raises cluster.LostWorker.
    """

    def join(shards):
        return shards[0] if shards[0].ndim == 0 else np.concatenate(shards, axis)

    local = [join([shard.numpy() for shard in strategy.experimental_local_results(value)]) for value in tf.nest.flatten(values)]
    joined = [join(shards) for shards in zip(*cluster.exchange(strategy, local), strict=True)]
    return tf.nest.pack_sequence_as(values, joined)


def first(strategy: tf.distribute.Strategy, value: Any) -> int | float:
    """A scalar that is the same on every replica, such as a step counter, as a Python number."""
    return np.asarray(strategy.experimental_local_results(value)[0]).item()
