"""Image metrics against independent computations and by hand."""

import numpy as np
import pytest
import scipy.linalg

from reproductions.mnist import image_metrics

RNG = np.random.default_rng(1)


def test_frechet_distance_is_that_of_the_matrix_root():
    a = image_metrics.moments(RNG.normal(size=(500, 6)) @ RNG.normal(size=(6, 6)))
    b = image_metrics.moments(RNG.normal(1, 2, size=(400, 6)))
    root = scipy.linalg.sqrtm(a.covariance @ b.covariance).real
    expected = ((a.mean - b.mean) ** 2).sum() + np.trace(a.covariance + b.covariance - 2 * root)
    assert image_metrics.frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)
    assert image_metrics.frechet_distance(b, a) == pytest.approx(expected, rel=1e-9)
    assert image_metrics.frechet_distance(a, a) == pytest.approx(0, abs=1e-9 * np.trace(a.covariance))


def test_frechet_distance_by_hand():
    """Between N(m, diag(s^2)): the sum of (m_a - m_b)^2 + (s_a - s_b)^2, also with standard deviations of 0."""
    for (means, stds), (other_means, other_stds), expected in (
        (([0, 0], [1, 1]), ([3, 4], [1, 1]), 25),
        (([0, 0], [1, 2]), ([0, 0], [4, 2]), 9),
        (([0, 0], [0, 0]), ([1, 0], [3, 2]), 14),
        (([0, 0], [0, 3]), ([0, 0], [3, 0]), 18),
    ):
        a = image_metrics.Moments(np.array(means, float), np.diag(np.square(stds).astype(float)))
        b = image_metrics.Moments(np.array(other_means, float), np.diag(np.square(other_stds).astype(float)))
        assert image_metrics.frechet_distance(a, b) == pytest.approx(expected)


def test_moments_are_those_of_numpy():
    features = RNG.normal(size=(50, 3)).astype(np.float32)
    found = image_metrics.moments(features)
    np.testing.assert_allclose(found.mean, features.mean(axis=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.covariance, np.cov(features.T), rtol=1e-6)


def test_shares_and_score():
    sure = np.eye(10)[np.arange(100) % 10]
    assert image_metrics.entropy_score(sure) == pytest.approx(10)
    assert image_metrics.entropy_score(np.full((5, 10), 0.1)) == pytest.approx(1)
    assert image_metrics.entropy_score(np.eye(10)[np.zeros(9, int)]) == pytest.approx(1)
    p = np.array([[0.75, 0.25], [0.25, 0.75]])
    assert image_metrics.entropy_score(p) == pytest.approx(np.exp(0.75 * np.log(1.5) + 0.25 * np.log(0.5)))
    np.testing.assert_allclose(image_metrics.class_shares(np.eye(4)[[0, 0, 2, 3]]), [0.5, 0, 0.25, 0.25])


def test_nearest_distances_equal_a_brute_force_search():
    images, others = (RNG.random((n, 784), dtype=np.float32) for n in (230, 57))  # more than two chunks
    every = np.linalg.norm(images[:, None].astype(float) - others, axis=2)
    np.testing.assert_allclose(image_metrics.nearest_distances(images, others), every.min(axis=1), rtol=1e-5)
    within = np.linalg.norm(images[:, None].astype(float) - images, axis=2) + np.diag(np.full(230, np.inf))
    np.testing.assert_allclose(
        image_metrics.nearest_distances(images, images, skip_same_row=True), within.min(axis=1), rtol=1e-5
    )
    assert image_metrics.nearest_distances(others, np.concatenate([images, others])).max() < 0.02  # of float32
