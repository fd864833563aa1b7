"""How long something takes, and how much memory, for the benchmark."""

import concurrent.futures
import multiprocessing
import resource
import statistics
import time


def seconds(call):
    """Wall-clock time of a call without arguments."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def typical(call, repeats):
    """Median wall-clock time of so many calls, after one that compiles."""
    call()
    return statistics.median(seconds(call) for _ in range(repeats))


def ratios(one, other, repeats):
    """Time of `one` over that of `other`, measured in turn after both have compiled: a change of speed falls on both."""
    one(), other()
    return [seconds(one) / seconds(other) for _ in range(repeats)]


def alone(function, *arguments):
    """(what a function returns, peak resident memory in GiB), in a process of its own."""
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as pool:
        return pool.submit(_with_peak, function, *arguments).result()


def _with_peak(function, *arguments):
    value = function(*arguments)
    return value, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
