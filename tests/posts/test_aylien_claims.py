"""The claims of Aylien's post: takes minutes, hence `pytest -m statistical`; in a file, and so a worker process, of its own."""

import pytest

from common.evaluation.claims import Verdict
from reproductions.aylien import claims as aylien_claims


@pytest.mark.statistical
def test_claims_keep_their_verdicts():
    """Over 200 seeds of their own. If a verdict changes, find out why before you edit this test."""
    verdicts = {m.claim: m.verdict for m in aylien_claims.measure(5000, 200)}
    assert verdicts == {
        'A1': Verdict.PARTLY,
        'A2': Verdict.REPRODUCED,
        'A3': Verdict.REPRODUCED,
        'A4': Verdict.REPRODUCED,
        'A5': Verdict.PARTLY,
    }
