"""How much is computed at once, tuned on 2 CPU cores; these sizes determine how much memory training takes. And the seeds."""

CALL = 200_000  # seed-iterations of a compiled call where possible: a fraction of a second for small networks
MOST_RECORDS = 1024  # records of a compiled call; starting a call takes 1.5 ms, which a single run would notice
GROUP = 1024  # runs that a CPU advances together; more do not fit its caches (`grouping.in_groups`)
COMPARED = 2**21  # numbers, 8 MB, of the comparisons that minibatch discrimination makes at once, for the same reason
CHUNK = 500  # runs that are evaluated together; a surface of 10,000 points takes 20 MB for them
SEEDS = 2**32  # seeds are below this: a run's seed is one word of the keys of its random numbers
