"""Work spread over the cores of a machine, a process each: faster than one process with as many threads."""

import concurrent.futures
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Sequence

import tensorflow as tf
from tqdm import tqdm

CALLS_PER_PROCESS = 16  # what a process has compiled stays in its memory: some 40 MB a program


def on_all_cores(function: Callable[..., None], calls: Sequence[tuple], desc: str, unit: str) -> None:
    """Calls the function with each tuple of arguments, a process per core."""
    with concurrent.futures.ProcessPoolExecutor(
        os.cpu_count(), multiprocessing.get_context('spawn'), use_one_core, max_tasks_per_child=CALLS_PER_PROCESS
    ) as pool:
        done = [pool.submit(function, *arguments) for arguments in calls]
        for one in tqdm(concurrent.futures.as_completed(done), desc, len(done), unit=unit, file=sys.stderr):
            one.result()


def use_one_core() -> None:
    """Of several processes, each computes on one thread, and ends if the one that started it is killed."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    threading.Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """Waits for the process that started this one to end; then ends this one."""
    multiprocessing.parent_process().join()
    os._exit(1)
