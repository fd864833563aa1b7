"""What the multi-modal post states about its runs, and which share of the seeds of a possible program agree.

Written before any program was trained. The author saw one run of each network, with one seed for all, and judged by eye; so
each statement is read with tolerances (`Reading`), and the seed may be the best of a few.
"""

import itertools
from typing import NamedTuple

import numpy as np


class Reading(NamedTuple):
    """How the post's words are taken."""

    eye: float  # a run has converged once its Wasserstein distance is below this many standard deviations of a mode
    factor: float  # "within T" is up to T * factor, "at T" between T / factor and T * factor
    held: int  # steps for which it must stay there; 0: a moment is enough
    tries: int  # seeds from which the author took the best one for the three networks that he shows


DEFAULT = Reading(eye=1.0, factor=1.5, held=0, tries=2)  # one std as in the claims; of seeds, the post names 42 and 4
READINGS = tuple(
    Reading(*values) for values in itertools.product((0.5, 1.0, 1.5), (1.25, 1.5, 2.0), (0, 10), (1, 2, 5))
)  # fmt: skip


class Arm(NamedTuple):
    """One of the networks that the post speaks of, and what it says."""

    statement: str
    modes: int
    stated: float  # step of convergence; infinite: not within `horizon`
    early: bool  # "within" the stated step, else "at" it
    horizon: int  # steps that are trained


LIMIT = 5000  # the post's, of steps
ARMS = {
    'one': Arm('one mode converges within 20 to 30 steps, with a peak taller than that of the data', 1, 30, True, 60),
    'two': Arm('two modes converge within 20 to 30 steps, with taller peaks', 2, 30, True, 60),
    'three': Arm('three modes converge within 300 steps, with taller peaks', 3, 300, True, 600),
    'fewer': Arm('one mode, a layer less: converges about step 150', 1, 150, False, 300),
    'narrow': Arm('three modes, the last two layers of 2h units: converges about step 3,050', 3, 3050, False, LIMIT),
    'own1': Arm("Aylien's generator on one mode: not within 5,000 steps", 1, np.inf, False, LIMIT),
    'own3': Arm("Aylien's generator on three modes: not within 5,000 steps", 3, np.inf, False, LIMIT),
}
SHOWN = ('one', 'two', 'three')  # the networks whose outcomes the post shows: for these a seed may have been chosen
FOR_ALL = ('one', 'two', 'three', 'fewer')  # what is trained with all settings; the rest with the likeliest
AYLIEN = "Aylien's own program fails with seed 42 and converges with seed 4"


def converged_at(steps: np.ndarray, distance: np.ndarray, eye: float, held: int) -> np.ndarray:
    """Index of the first record from which a run stays close for `held` steps, [...]; the number of records if there is none.

    `steps` [records], ascending; `distance` [..., records] in standard deviations of a mode, NaN for a run that diverged.
    """
    below = distance < eye
    stays = below.copy()
    for i, step in enumerate(steps):
        later = (steps > step) & (steps <= step + held)
        stays[..., i] &= below[..., later].all(axis=-1)
    return np.where(stays.any(axis=-1), stays.argmax(axis=-1), len(steps))


def agrees(arm: Arm, steps: np.ndarray, distance: np.ndarray, peak: np.ndarray, reading: Reading) -> np.ndarray:
    """Whether a run does what is said of that network, bool [...].

    `peak` [..., records] is the height of G's peak over that of the data.
    """
    record = converged_at(steps, distance, reading.eye, reading.held)
    never = record == len(steps)
    if np.isinf(arm.stated):
        return never
    last = np.minimum(record, len(steps) - 1)
    step = steps[last]
    if not arm.early:
        return ~never & (step >= arm.stated / reading.factor) & (step <= arm.stated * reading.factor)
    tall = np.take_along_axis(peak, last[..., None], axis=-1)[..., 0] > 1
    return ~never & (step <= arm.stated * reading.factor) & tall


def share(hits: np.ndarray, runs: int) -> np.ndarray:
    """Probability of a statement from how many of `runs` seeds agree; with Jeffreys's half, none of 16 is not never."""
    return (hits + 0.5) / (runs + 1)


def log_likelihood(hits: dict[str, np.ndarray], runs: int, reading: Reading) -> np.ndarray:
    """Log probability of the statements whose hits are given, {arm: hits [settings]}: [settings].

    Runs of different networks count as independent, also with the same seed: their weights are other numbers.
    """
    shares = {name: share(values, runs) for name, values in hits.items()}
    shown = np.prod([shares[name] for name in SHOWN], axis=0)
    total = np.log(1 - (1 - shown) ** reading.tries)
    return total + sum((np.log(values) for name, values in shares.items() if name not in SHOWN), np.float64(0))


def aylien_log_likelihood(hits: dict[float, int], runs: int) -> dict[float, float]:
    """Log probability of `AYLIEN` by learning rate, {rate: log}, from how many seeds of Aylien's program converge."""
    shares = {rate: share(np.float64(count), runs) for rate, count in hits.items()}
    return {rate: float(np.log(value * (1 - value))) for rate, value in shares.items()}
