"""Points in the plane, judged by hand-computed numbers."""

import numpy as np
import pytest
import scipy.stats

from common.evaluation import plane


def test_a_shift_moves_every_direction_by_its_cosine():
    """A shift by v gives |v| times the mean of |cos|, 2 / pi."""
    points = np.random.default_rng(0).normal(size=(500, 2))
    found = plane.sliced_wasserstein(np.stack([points, points + np.array([3.0, 4.0])]), points)
    np.testing.assert_allclose(found, [0, 5 * 2 / np.pi], rtol=1e-3, atol=1e-12)


def test_projections_have_scipys_distance():
    rng = np.random.default_rng(1)
    samples, points = rng.normal(size=(1, 400, 2)), rng.exponential(size=(400, 2))
    expected = np.mean([scipy.stats.wasserstein_distance(samples[0, :, k], points[:, k]) for k in (0, 1)])
    assert plane.sliced_wasserstein(samples, points, directions=2)[0] == pytest.approx(expected, rel=1e-9)


def test_eight_modes_of_which_one_is_missing():
    means, stds = plane.ring(8, 2.0, 0.1)
    np.testing.assert_allclose(means[[0, 2]], [[2, 0], [0, 2]], atol=1e-12)
    points = plane.reference(means, stds, 200)
    seven = np.concatenate([points[200:], points[200:400]])  # the second mode twice, the first never
    table = plane.describe(np.stack([points, seven, np.full_like(points, np.nan)]), means, stds, points)
    assert table['modes_covered'][:2].tolist() == [8, 7] and table['mode_mass_error'][0] < 0.003
    assert table['mode_mass_error'][1] == pytest.approx(1 / 8, abs=0.003)
    np.testing.assert_allclose(table['between_mass'][:2], 1 - plane.INSIDE, atol=0.003)
    assert table['sliced_wasserstein'][0] < 1e-12 and table['sliced_wasserstein'][1] > 0.1
    np.testing.assert_allclose(table['std_x'][0], np.sqrt(2 + 0.01), rtol=0.01)
    assert all(np.isnan(values[2]) for values in table.values())


def test_the_reference_is_the_mixture():
    """As near to a large random sample as another one of its size."""
    means, stds = plane.ring(4, 1.0, 0.1)
    rng = np.random.default_rng(2)
    drawn = [(means[rng.integers(4, size=5000)] + 0.1 * rng.normal(size=(5000, 2)))[None] for _ in range(2)]
    spread = plane.sliced_wasserstein(drawn[0], plane.reference(means, stds, 500))[0]
    assert spread < 2 * plane.sliced_wasserstein(drawn[0], drawn[1][0])[0] < 0.05


def test_a_run_succeeds_below_the_threshold():
    means, stds = plane.ring(4, 1.0, 0.1)
    samples = np.stack([plane.reference(means, stds, 100), np.zeros([400, 2])])
    judge = plane.judge(lambda seeds, d, g: (np.full([2, 400], 0.5), samples), means, stds, threshold=0.05)
    columns, own = judge.measure(np.arange(2), None, None)
    assert columns['finite'].all() and own == {} and columns['d_mean'].tolist() == [0.5, 0.5]
    assert (columns['sliced_wasserstein'] < judge.threshold).tolist() == [True, False]
    assert judge.targets['modes_covered'] == 4 and judge.distance == 'sliced_wasserstein'


def test_a_picture_is_dark_where_samples_are():
    pixels = plane.picture(np.array([[-0.9, -0.9], [5.0, 0.0], [np.nan, 0.0]]), 1.0, side=4)
    assert pixels.dtype == np.uint8 and pixels[3, 0] == 0 and (np.delete(pixels.ravel(), 12) == 255).all()
