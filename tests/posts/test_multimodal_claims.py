"""The claims of the multi-modal post, on made-up outcomes and on those behind the page."""

import numpy as np
import pytest
from helpers.paths import ROOT

from common.evaluation import claims
from common.evaluation.claims import Verdict
from reproductions.multimodal import claims as multimodal_claims


def outcome(lasting, first=None, **columns):
    """The columns of 100 runs that the claims use."""
    runs = np.ones(100)
    table = {'convergence_step': lasting * runs, 'first_step_below': (lasting if first is None else first) * runs}
    table |= {'success': runs, 'modes_covered': runs, 'peak_height': 2 * runs, 'mode_width': 0.5 * runs}
    return table | {name: value * runs for name, value in columns.items()}


@pytest.mark.parametrize(
    ('one', 'two', 'three', 'verdict'),
    [
        (outcome(20), outcome(30), outcome(300), Verdict.REPRODUCED),
        (outcome(20), outcome(30), outcome(305), Verdict.PARTLY),
        (outcome(np.inf, 20), outcome(900, 25), outcome(400, 300), Verdict.PARTLY),
        (outcome(35), outcome(35), outcome(305), Verdict.NOT_REPRODUCED),
    ],
    ids=['by the stated steps', 'not three', 'there, but not lasting', 'later'],
)
def test_m1(one, two, three, verdict):
    assert multimodal_claims.converge_early({1: one, 2: two, 3: three}).verdict == verdict


def test_m1_mentions_a_generator_that_succeeds_before_training():
    there, trained = outcome(0), outcome(20)
    with_ = multimodal_claims.converge_early({1: there, 2: trained, 3: trained})
    without = multimodal_claims.converge_early({1: trained, 2: trained, 3: trained})
    assert 'before they have learnt' in with_.reason and 'before they have learnt' not in without.reason
    assert with_.measured['1 mode: below the threshold after one update'].value == 1


@pytest.mark.parametrize(
    ('full', 'smaller', 'verdict'),
    [
        (outcome(20), outcome(150), Verdict.REPRODUCED),
        (outcome(20), outcome(np.inf), Verdict.REPRODUCED),
        (outcome(20), outcome(30), Verdict.PARTLY),
        (outcome(np.inf, 20), outcome(np.inf, 100), Verdict.PARTLY),
        (outcome(20), outcome(20), Verdict.NOT_REPRODUCED),
        (outcome(20), outcome(15), Verdict.NOT_REPRODUCED),
        (outcome(np.inf), outcome(np.inf), Verdict.NOT_REPRODUCED),
    ],
    ids=['much later', 'never', 'later', 'only the first time', 'the same', 'earlier', 'neither ever'],
)
def test_m2_and_m3(full, smaller, verdict):
    assert multimodal_claims.layer_removed(full, smaller).verdict == verdict
    assert multimodal_claims.layers_narrowed(full, smaller).verdict == verdict


def converged(percent, modes):
    """A hundred runs, of which this percentage converges with every mode."""
    return outcome(np.where(np.arange(100) < percent, 100, np.inf), modes_covered=modes)


def test_m4():
    def by_width(best):
        """The post's rule: 4 units per mode or more are enough, and then `best` percent converge."""
        return {
            modes: {width: converged(best(modes) if width >= 4 * modes else 1, modes) for width in multimodal_claims.WIDTHS}
            for modes in multimodal_claims.MODES
        }

    linear = by_width(lambda modes: 90)
    assert [multimodal_claims.width_needed(modes, tables) for modes, tables in linear.items()] == [4, 8, 12, 20, 40, 60]
    assert multimodal_claims.width_grows_with_modes(linear).verdict == Verdict.REPRODUCED
    some = multimodal_claims.width_grows_with_modes(by_width(lambda modes: 90 if modes < 5 else 5))
    assert some.verdict == Verdict.PARTLY and 'with 5, 10, 15 modes no width' in some.reason
    assert multimodal_claims.width_grows_with_modes(by_width(lambda modes: 0)).verdict == Verdict.NOT_REPRODUCED
    missing = {w: outcome(100, modes_covered=4) for w in multimodal_claims.WIDTHS}
    assert np.isnan(multimodal_claims.width_needed(5, missing))


def test_m5():
    wide = {modes: outcome(100) for modes in (1, 2, 3)}
    for weak, verdict in ((3, Verdict.REPRODUCED), (1, Verdict.PARTLY), (0, Verdict.NOT_REPRODUCED)):
        own = {modes: outcome(np.inf if modes <= weak else 100) for modes in wide}
        assert multimodal_claims.own_generator_is_weak(wide, own).verdict == verdict


def test_m6():
    tall, flat = outcome(100), outcome(100, peak_height=0.9)
    for tables, verdict in (
        ((tall, tall, tall), Verdict.REPRODUCED),
        ((tall, flat, flat), Verdict.PARTLY),
        ((flat, flat, flat), Verdict.NOT_REPRODUCED),
        ((flat, outcome(100, mode_width=1.1), outcome(100, success=0)), Verdict.NOT_REPRODUCED),
    ):
        assert multimodal_claims.peaks_are_taller(dict(enumerate(tables, 1))).verdict == verdict


def test_the_claims_on_the_page_follow_from_the_stored_outcomes():
    figures = ROOT / 'figures' / 'multimodal'
    tables = multimodal_claims.load_arms(figures / 'arms.npz')
    assert set(tables) == set(multimodal_claims.ARMS) and {len(table['seed']) for table in tables.values()} == {200}
    assert claims.as_markdown(multimodal_claims.judge(tables)) == (figures / 'claims.md').read_text(encoding='utf-8')
