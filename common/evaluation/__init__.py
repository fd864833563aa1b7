"""From trained networks to numbers, verdicts and comparisons."""

import enum

MODE_REACH = 3.0  # stds: a sample belongs to the mode that it is this close to, or lies between the modes


class Verdict(enum.Enum):
    """What the measurement says of the claim."""

    REPRODUCED = 'reproduced'
    PARTLY = 'partly'
    NOT_REPRODUCED = 'not reproduced'
    CANNOT_BE_TESTED = 'cannot be tested'
