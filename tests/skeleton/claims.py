"""The claims of the post, measured over many seeds."""

from collections.abc import Callable

from reproductions.corners import gan
from reproductions.corners.settings import make_settings

from common.evaluation import Verdict, claims, outcomes

ENSEMBLES = 1


def measure(seed: int, runs: int, tick: Callable = lambda: None) -> list[claims.Measurement]:
    """Measures all claims over seeds seed .. seed+runs-1. Calls `tick` after each ensemble."""
    table = outcomes.train_many(gan, make_settings(), seed, runs).table
    tick()
    covered = claims.proportion(table['modes_covered'] == 4)
    verdict, reason = claims.first_true(
        (covered.low > 0.5, Verdict.REPRODUCED, 'most seeds do'),
        (covered.high > 0.5, Verdict.PARTLY, 'about half of the seeds do'),
        (True, Verdict.NOT_REPRODUCED, 'most seeds miss a corner'),
    )
    measured = {'all four corners covered': covered}
    return [claims.Measurement('K1', 'G finds all four corners', '4', measured, verdict, reason)]
