"""The numbers behind figures; pictures are not compared."""

import numpy as np
import pytest

from common import figures

BINS = figures.Bins(np.linspace(-8, 8, 100), np.linspace(-8, 8, 99))
CURVES = np.zeros((2, 5)), np.zeros(99), np.zeros((2, 99)), np.linspace(-8, 8, 5), BINS.places, (-6, 6, 1)


def test_density_is_normalised_over_what_is_in_range():
    values = np.concatenate([np.random.default_rng(0).normal(0, 1, 1000), [50.0, -9.0, np.nan, np.inf]])
    density = figures.density(values, BINS)
    assert density.shape == (99,)
    assert density.sum() * 16 / 99 == pytest.approx(1)
    np.testing.assert_allclose(density, np.histogram(values[:1000], np.linspace(-8, 8, 100), density=True)[0])


def test_density_of_nothing_in_range_is_zero():
    np.testing.assert_array_equal(figures.density(np.array([9.0, np.nan]), BINS), np.zeros(99))


def test_an_ensemble_of_diverged_runs_is_drawn_and_says_so(tmp_path):
    nothing = np.full(3, np.nan)
    table = {'finite': np.zeros(3), 'success': np.zeros(3), 'mean': nothing, 'std': nothing}
    figures.ensemble(tmp_path / 'e.png', 'all diverged', table, None, {}, np.zeros(99), BINS.places, (4, 0.5))
    assert (tmp_path / 'e.png').stat().st_size > 5000


@pytest.mark.skipif(not figures.can_write_mp4(), reason='ffmpeg is not on the path')
def test_mp4_where_ffmpeg_is_found(tmp_path):
    path = tmp_path / 'f.mp4'
    assert list(figures.animation(path, 'film', [0, 1], *CURVES)) == [0, 1]
    assert path.read_bytes()[4:8] == b'ftyp'


def test_a_film_that_is_broken_off_leaves_no_file(tmp_path):
    frames = figures.animation(tmp_path / 'f.gif', 'film', [0, 1], *CURVES)
    next(frames)
    frames.close()
    assert list(tmp_path.iterdir()) == []
