"""Sharing runs out over devices with `tf.distribute`. Runs do not touch each other, so nothing is communicated on the way."""

import numpy as np
import tensorflow as tf

STRATEGIES = ('auto', 'cpu', 'gpu', 'mirrored')


def make_strategy(name, runs, logical_devices=None):
    """The strategy of that name, over no more devices than there are runs.

    Args:
      name: 'auto' (every GPU, else the CPU), 'cpu', 'gpu' (the first one), or 'mirrored' (every GPU, else every logical CPU
        device).
      runs: int, how many runs there are to share out.
      logical_devices: int or None, into how many logical devices the CPU is split; must be set before TensorFlow's first op.

    Raises:
      ValueError: there is no such device, or TensorFlow has already started with another number of logical devices.
    """
    if logical_devices:
        _split_cpu(logical_devices)
    gpus = tf.config.list_logical_devices('GPU')
    if name == 'gpu' and not gpus:
        raise ValueError('no GPU was found; use --strategy=cpu')
    if name == 'cpu' or (name == 'auto' and not gpus):
        return tf.distribute.OneDeviceStrategy('/cpu:0')
    devices = [device.name for device in gpus or tf.config.list_logical_devices('CPU')]
    devices = devices[: 1 if name == 'gpu' else runs]
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

    def share(context):
        def part(value):
            return value if np.ndim(value) == 0 else np.array_split(value, replicas)[context.replica_id_in_sync_group]

        with tf.device(strategy.extended.worker_devices[context.replica_id_in_sync_group]):
            return tf.nest.map_structure(lambda value: tf.constant(part(np.asarray(value))), values)

    return strategy.experimental_distribute_values_from_function(share)


def to_host(strategy, values, axis=0):
    """A nested structure of per-replica tensors as NumPy arrays, the shares joined along `axis` (scalars: the first's)."""

    def join(value):
        shares = [share.numpy() for share in strategy.experimental_local_results(value)]
        return shares[0] if shares[0].ndim == 0 else np.concatenate(shares, axis)

    return tf.nest.map_structure(join, values)


def first(strategy, value):
    """A value that is the same on every replica, such as a step counter, as a Python number."""
    return strategy.experimental_local_results(value)[0].numpy().item()
