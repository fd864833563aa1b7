"""Metrics, outcomes, verdicts on claims, and comparisons with reference runs."""

import enum
from typing import NamedTuple

MODE_REACH = 3.0  # stds from its mean within which a sample belongs to a mode; other samples lie between modes


class Verdict(enum.Enum):
    """What the measurements imply for a claim."""

    REPRODUCED = 'reproduced'
    PARTLY = 'partly'
    NOT_REPRODUCED = 'not reproduced'
    CANNOT_BE_TESTED = 'cannot be tested'


class Columns(NamedTuple):
    """Which columns of a post's results.csv say what, for all who show its runs."""

    distance: str = 'wasserstein'  # to the data
    title: str = 'Wasserstein distance'
    axes: tuple[tuple[str, str], ...] = (('mean', 'std'),)  # of a scatter of seeds: the first pair that there is
    summarized: tuple[str, ...] = ('wasserstein', 'mean', 'std')  # by their quartiles, in a sweep
    followed: tuple[str, ...] = ('wasserstein', 'mean', 'std')  # records of training worth a chart, besides the losses
    covered: str = ''  # how many modes or classes there are, '' for none


PLANE = Columns(  # of points in the plane
    distance='sliced_wasserstein',
    title='sliced Wasserstein distance',
    axes=(('modes_covered', 'sliced_wasserstein'),),
    summarized=('sliced_wasserstein', 'modes_covered', 'between_mass'),
    covered='modes_covered',
)
