"""How much is computed at once, as measured on 2 cores of a CPU; it decides how much memory a training takes."""

CALL = 200_000  # seed-iterations in a compiled call, if it can be: a fraction of a second for small networks
MOST_RECORDS = 1024  # in a compiled call; with fewer and more calls a single run would wait for their start (1.5 ms each)
GROUP = 1024  # runs that a CPU advances together; more of them do not fit its caches (`training.in_groups`)
CHUNK = 500  # runs that are evaluated together; with 10,000 points a surface of them takes 20 MB
