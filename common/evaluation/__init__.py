"""Metrics, outcomes, verdicts on claims, and comparisons with reference runs."""

import enum

MODE_REACH = 3.0  # stds from its mean within which a sample belongs to a mode; other samples lie between modes


class Verdict(enum.Enum):
    """What the measurements imply for a claim."""

    REPRODUCED = 'reproduced'
    PARTLY = 'partly'
    NOT_REPRODUCED = 'not reproduced'
    CANNOT_BE_TESTED = 'cannot be tested'
