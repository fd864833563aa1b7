"""A cluster of processes, usually on several machines, that train together: the workers of TF_CONFIG.

The first worker, the chief, reads and writes the files. What the workers must agree on, or the chief needs, goes through
`exchange`, which all of them call at the same points of the program.
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
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from common.devices import LostWorker

MEETING_SECONDS = 300  # how long the workers wait for each other at the start


def members(config: str) -> tuple[list[str], int]:
    """Parses TF_CONFIG: (addresses 'host:port' of the workers, the chief first; index of this worker).

    Raises:
      ValueError: it is malformed or names a single worker.
    """
    try:
        config = json.loads(config)
        workers, task = config['cluster'], config['task']
        addresses = [*workers.get('chief', ()), *workers.get('worker', ())]
        mine = workers[task['type']][task['index']]
        valid = set(workers) <= {'chief', 'worker'} and task['index'] >= 0 and len(set(addresses)) == len(addresses)
        valid = valid and all(re.fullmatch(r'[^:]+:\d{1,5}', address) for address in addresses)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        valid = False
    if not valid:
        raise ValueError(
            'the environment variable TF_CONFIG must be of the form '
            '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}'
        )
    if len(addresses) < 2:
        raise ValueError('TF_CONFIG names only one worker; use --strategy=auto on one machine')
    return addresses, addresses.index(mine)


@contextlib.contextmanager
def hidden() -> Iterator[None]:
    """Hides TF_CONFIG inside the block: a strategy for one machine would read it, too. Raises ValueError if it is not JSON."""
    config = os.environ.get('TF_CONFIG')
    try:
        json.loads(config or '{}')
    except (ValueError, RecursionError) as error:
        raise ValueError('the environment variable TF_CONFIG is not JSON; correct it, or unset it on one machine') from error
    os.environ.pop('TF_CONFIG', None)
    try:
        yield
    finally:
        if config is not None:
            os.environ['TF_CONFIG'] = config


@functools.cache
def join() -> tf.distribute.MultiWorkerMirroredStrategy:
    """Waits for all workers and returns the strategy over their devices. Call it before TensorFlow's first op.

    Raises:
      ValueError: TF_CONFIG is malformed, a worker is missing, or TensorFlow has already started.
    """
    meet(*members(os.environ.get('TF_CONFIG', '')))
    tf.get_logger().addFilter(
        lambda record: 'eagerly has significant overhead' not in record.getMessage()
    )  # not that of a compiled loop
    handler = signal.signal(signal.SIGINT, signal.SIG_DFL)  # TensorFlow does not return to Python while it waits
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (RuntimeError, tf.errors.OpError) as error:
        raise ValueError(f'the cluster cannot be joined ({_first_line(error)})') from error
    finally:
        signal.signal(signal.SIGINT, handler)


def meet(addresses: list[str], me: int, seconds: float | None = None) -> None:
    """Returns once every pair of workers has been in contact.

    TensorFlow waits for the workers too, but for an hour and ignoring Ctrl-C. Each worker listens on the port that TensorFlow
    will use, and returns when it has heard from and reached all others.

    Args:
      addresses: 'host:port' of all workers.
      me: index of this worker.
      seconds: timeout (default: MEETING_SECONDS).

    Raises:
      ValueError: the port cannot be used, or the timeout has passed; the message names the missing workers.
    """
    deadline = time.monotonic() + (MEETING_SECONDS if seconds is None else seconds)
    hosts_and_ports = [(host, int(port)) for host, port in (address.split(':') for address in addresses)]
    unheard = set(range(len(addresses))) - {me}
    unreached = set(unheard)
    try:
        server = socket.create_server(('', hosts_and_ports[me][1]))
    except (OSError, OverflowError) as error:
        raise ValueError(f'this worker cannot listen on port {hosts_and_ports[me][1]} ({error})') from error
    with server:
        server.settimeout(0.1)
        while unheard | unreached:
            if time.monotonic() > deadline:
                missing = ', '.join(addresses[other] for other in sorted(unheard | unreached))
                raise ValueError(f'no word from {missing}; start a process on each of them')
            for other in sorted(unreached):
                with contextlib.suppress(OSError), socket.create_connection(hosts_and_ports[other], timeout=1) as connection:
                    connection.sendall(f'worker {me}\n'.encode())
                    unreached.remove(other)
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(1)
                    heard = re.fullmatch(rb'worker (\d+)\n', connection.recv(32))
                    unheard.discard(int(heard[1]) if heard else me)


def workers(strategy: tf.distribute.Strategy) -> int:
    """How many processes train together."""
    return strategy.num_replicas_in_sync // len(strategy.extended.worker_devices)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process reads and writes the files: true except in the later workers of a cluster."""
    return workers(strategy) == 1 or members(os.environ['TF_CONFIG'])[1] == 0


@contextlib.contextmanager
def lost_worker_errors(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Turns TensorFlow's errors inside the block into LostWorker, if there are other workers."""
    try:
        yield
    except tf.errors.OpError as error:
        if workers(strategy) == 1:
            raise
        me = json.loads(os.environ['TF_CONFIG'])['task']
        named = {(job, int(task)) for job, task in re.findall(r'/job:(\w+)/[^ ]*?task:(\d+)', str(error))}
        others = ' and '.join(f'{job} {task}' for job, task in sorted(named - {(me['type'], me['index'])}))
        raise LostWorker(f'{others or "another worker"} of TF_CONFIG was lost') from error


def exchange(strategy: tf.distribute.Strategy, arrays: list[np.ndarray]) -> list[list[np.ndarray]]:
    """Gathers the `arrays` of every worker, the chief's first. All workers must call it.

    Each worker sends one int32 message: its index, the number of words that follow, and these words.

    Raises:
      LostWorker: another worker has ended, which takes some ten seconds to notice.
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

    with lost_worker_errors(strategy):
        sent = strategy.experimental_distribute_values_from_function(send)
        words = strategy.experimental_local_results(_all_gather(strategy)(sent))[0].numpy()
    received = {}
    while len(words):
        sender, length = words[:2]
        with np.load(io.BytesIO(words[2 : 2 + length].tobytes()), allow_pickle=False) as archive:
            received[int(sender)] = [archive[f'arr_{i}'] for i in range(len(archive.files))]
        words = words[2 + length :]
    return [received[sender] for sender in sorted(received)]


@functools.cache
def _all_gather(strategy):
    def gather(value):  # `identity` places the value on the replica's device
        return tf.distribute.get_replica_context().all_gather(tf.identity(value), axis=0)

    @tf.function(autograph=False, reduce_retracing=True)
    def all_gather(values):
        return strategy.run(gather, args=(values,))

    return all_gather


def _first_line(error):
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
