"""How much is computed at once, tuned on 2 CPU cores; these sizes determine how much memory training takes. And the seeds."""

from typing import Any

CALL = 200_000  # seed-iterations of a compiled call where possible: a fraction of a second for small networks
MOST_RECORDS = 1024  # records of a compiled call; starting a call takes 1.5 ms, which a single run would notice
GROUP = 1024  # runs that a CPU advances together; more do not fit its caches (`grouping.in_groups`)
COMPARED = 2**21  # numbers, 8 MB, of the comparisons that minibatch discrimination makes at once, for the same reason
CHUNK = 500  # runs that are evaluated together; a surface of 10,000 points takes 20 MB for them
SEEDS = 2**32  # seeds are below this: a run's seed is one word of the keys of its random numbers
MOST = 2**31 - 1  # largest int32: iterations and updates are counted in this type
KERNELS, KERNEL_DIMS = 5, 3  # of minibatch discrimination, as in AYLIEN/gan-intro


def minibatch_group(settings: Any) -> int:
    """Runs that a CPU advances together: fewer if every two samples of a batch are compared."""
    if not settings.minibatch:
        return GROUP
    return max(1, min(GROUP, COMPARED // (KERNELS * KERNEL_DIMS * settings.batch_size**2)))


def minibatch_memory(settings: Any, runs: int) -> int:
    """Bytes of minibatch discrimination in the evaluation, which compares every sample of a batch with every other."""
    return 4 * min(runs, CHUNK) * KERNELS * settings.batch_size**2 if settings.minibatch else 0
