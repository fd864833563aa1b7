"""Measured verdicts on a post's claims: estimates with intervals over many runs, and what follows from them."""

import pathlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.stats

from common import markdown
from common.evaluation import Verdict
from common.storage import files

CONFIDENCE = 0.95
Table = dict[str, np.ndarray]  # columns of results.csv, [runs], or the records of the same runs, [runs, records]


class Estimate(NamedTuple):
    """A number with its 95 % confidence interval, over n runs."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self):
        return f'{self.value:.3g} [{self.low:.3g}, {self.high:.3g}], n = {self.n}'


class Measurement(NamedTuple):
    """One row of a post's table of claims. `measured` maps a short description of each number to its `Estimate`."""

    claim: str
    statement: str
    stated: str  # the number that the post gives or implies
    measured: dict[str, Estimate]
    verdict: Verdict
    reason: str


def proportion(flags: np.ndarray) -> Estimate:
    """Fraction of true values among [n] booleans, with Wilson's interval. Raises ValueError if there are none."""
    flags = np.asarray(flags, bool)
    if not flags.size:
        raise ValueError('a proportion of no runs')
    test = scipy.stats.binomtest(int(flags.sum()), flags.size)
    interval = test.proportion_ci(CONFIDENCE, method='wilson')
    return Estimate(float(flags.mean()), float(interval.low), float(interval.high), flags.size)


def median(values: np.ndarray) -> Estimate:
    """Median of [n] numbers, with the distribution-free interval of order statistics. Raises ValueError if there are none."""
    ordered = np.sort(np.asarray(values, float))
    n = ordered.size
    if not n:
        raise ValueError('a median of no runs')
    rank = int(scipy.stats.binom.ppf((1 - CONFIDENCE) / 2, n, 0.5))  # at least this many lie below the median
    low, high = max(rank - 1, 0), min(n - rank, n - 1)
    return Estimate(float(np.median(ordered)), float(ordered[low]), float(ordered[high]), n)


def difference_of_proportions(a: np.ndarray, b: np.ndarray) -> Estimate:
    """Fraction of true values in `a` minus that in `b`, with Newcombe's interval (his method 10, from two Wilson intervals)."""
    p, q = proportion(a), proportion(b)
    difference = p.value - q.value
    low = difference - np.hypot(p.value - p.low, q.high - q.value)
    high = difference + np.hypot(p.high - p.value, q.value - q.low)
    return Estimate(difference, float(low), float(high), p.n + q.n)


def first_true(*rules: tuple[bool, Verdict, str]) -> tuple[Verdict, str]:
    """The verdict and the reason of the first rule whose condition holds; the last one's should be True.

    Raises ValueError if none holds.
    """
    for condition, verdict, reason in rules:
        if condition:
            return verdict, reason
    raise ValueError('no rule holds')


def as_json(measurements: Sequence[Measurement]) -> list[dict]:
    """The table of claims as plain data, one dictionary per claim."""
    return [
        m._asdict() | {'measured': {k: e._asdict() for k, e in m.measured.items()}, 'verdict': m.verdict.value}
        for m in measurements
    ]


def as_markdown(measurements: Sequence[Measurement]) -> str:
    """The table of claims as Markdown, one row per claim."""
    rows = [(f'**{m.claim}** {m.statement}', m.stated, '<br>'.join(f'{name}: {each}' for name, each in m.measured.items()),
             f'**{m.verdict.value}**: {m.reason}') for m in measurements]  # fmt: skip
    return markdown.table(['claim', 'the post', 'measured', 'verdict'], rows)


def write(directory: pathlib.Path, measurements: Sequence[Measurement]) -> str:
    """Writes claims.json and claims.md into a directory; returns the text of claims.md. Raises files.CannotWrite."""
    files.write_json(directory / 'claims.json', as_json(measurements))
    files.write_text(directory / 'claims.md', as_markdown(measurements))
    return as_markdown(measurements)
