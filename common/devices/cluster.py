"""Several processes, mostly on several machines, that train together: the workers that TF_CONFIG names.

The first of them, the chief, reads and writes the files. What they must agree on, or the chief wants to see, goes through
`exchange`, which all of them call at the same places.
"""

import contextlib
import functools
import io
import json
import os
import re
import signal
import socket
import time

import numpy as np
import tensorflow as tf

from common.devices import LostWorker

MEETING_SECONDS = 300  # that the workers wait for each other at the start


def members(config):
    """Who trains together, from the text of TF_CONFIG: (addresses of the workers, the chief's first; which of them is this).

    Raises ValueError.
    """
    try:
        config = json.loads(config)
        workers, task = config['cluster'], config['task']
        addresses = [*workers.get('chief', ()), *workers.get('worker', ())]
        mine = workers[task['type']][task['index']]
        sound = set(workers) <= {'chief', 'worker'} and task['index'] >= 0 and len(set(addresses)) == len(addresses)
        sound = sound and all(re.fullmatch(r'[^:]+:\d{1,5}', address) for address in addresses)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        sound = False
    if not sound:
        raise ValueError(
            'the environment variable TF_CONFIG must be of the form '
            '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}'
        )
    if len(addresses) < 2:
        raise ValueError('TF_CONFIG names one worker only; use --strategy=auto on one machine')
    return addresses, addresses.index(mine)


@functools.cache
def join():
    """The strategy over the devices of all workers, once all of them are there; to be made before TensorFlow's first op.

    Raises ValueError: TF_CONFIG is wrong, not all workers came, or TensorFlow has started.
    """
    meet(*members(os.environ.get('TF_CONFIG', '')))
    tf.get_logger().addFilter(lambda record: 'eagerly has significant overhead' not in record.getMessage())  # our loops are not
    handler = signal.signal(signal.SIGINT, signal.SIG_DFL)  # TensorFlow does not return to Python while it waits
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (RuntimeError, tf.errors.OpError) as error:
        raise ValueError(f'the cluster cannot be joined ({_first_line(error)})') from error
    finally:
        signal.signal(signal.SIGINT, handler)


def meet(addresses, me, seconds=None):
    """Returns once every worker has told every other that it is there. Raises ValueError, naming those that did not come.

    TensorFlow waits for them as well, but for an hour, and without an ear for Ctrl-C. Each worker listens on the port that
    TensorFlow will have, and leaves when it has heard and reached all others.

    Args:
      addresses: ['host:port', ...] of all workers.
      me: int, which of them this is.
      seconds: float, how long to wait (default: MEETING_SECONDS).
    """
    deadline = time.monotonic() + (MEETING_SECONDS if seconds is None else seconds)
    places = [(host, int(port)) for host, port in (address.split(':') for address in addresses)]
    unheard = set(range(len(addresses))) - {me}
    unreached = set(unheard)
    try:
        server = socket.create_server(('', places[me][1]))
    except (OSError, OverflowError) as error:
        raise ValueError(f'this worker cannot listen on port {places[me][1]} ({error})') from error
    with server:
        server.settimeout(0.1)
        while unheard | unreached:
            if time.monotonic() > deadline:
                absent = ', '.join(addresses[other] for other in sorted(unheard | unreached))
                raise ValueError(f'no word from {absent}; start a process on each of them')
            for other in sorted(unreached):
                with contextlib.suppress(OSError), socket.create_connection(places[other], timeout=1) as connection:
                    connection.sendall(f'worker {me}\n'.encode())
                    unreached.remove(other)
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(1)
                    heard = re.fullmatch(rb'worker (\d+)\n', connection.recv(32))
                    unheard.discard(int(heard[1]) if heard else me)


def workers(strategy):
    """How many processes train together."""
    return strategy.num_replicas_in_sync // len(strategy.extended.worker_devices)


def is_chief(strategy):
    """Whether this process is the one that reads and writes the files: always, but in the later workers of a cluster."""
    return workers(strategy) == 1 or members(os.environ['TF_CONFIG'])[1] == 0


@contextlib.contextmanager
def losses_told(strategy):
    """Raises LostWorker for what TensorFlow raises inside when another worker has ended."""
    try:
        yield
    except tf.errors.OpError as error:
        if workers(strategy) == 1:
            raise
        me = json.loads(os.environ['TF_CONFIG'])['task']
        named = {(job, int(task)) for job, task in re.findall(r'/job:(\w+)/[^ ]*?task:(\d+)', str(error))}
        others = ' and '.join(f'{job} {task}' for job, task in sorted(named - {(me['type'], me['index'])}))
        raise LostWorker(f'{others or "another worker"} of TF_CONFIG was lost') from error


def exchange(strategy, arrays):
    """What every worker gives, a list of NumPy arrays each, the chief's first; all workers must call it.

    It goes as one message of int32: who sends it, how many words follow, and they.

    Raises:
      LostWorker: another worker has ended; it is noticed within some ten seconds.
    """
    if workers(strategy) == 1:
        return [list(arrays)]
    file = io.BytesIO()
    np.savez(file, *arrays)
    content = np.frombuffer(file.getvalue() + bytes(-file.tell() % 4), np.int32)
    _, me = members(os.environ['TF_CONFIG'])
    message = np.r_[np.int32([me, len(content)]), content]

    def send(context):
        local = context.replica_id_in_sync_group % len(strategy.extended.worker_devices)
        with tf.device(strategy.extended.worker_devices[local]):
            return tf.constant(message if local == 0 else message[:0])

    with losses_told(strategy):
        sent = strategy.experimental_distribute_values_from_function(send)
        words = strategy.experimental_local_results(_all_gather(strategy)(sent))[0].numpy()
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


def _first_line(error):
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
