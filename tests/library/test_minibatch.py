"""Minibatch discrimination by hand and against NumPy, with derivatives."""

import numpy as np
import pytest
import tensorflow as tf

from common.nn import minibatch


def test_features_of_three_samples_by_hand(monkeypatch):
    monkeypatch.setattr(minibatch, 'KERNELS', 1)
    # One kernel of two dimensions; samples (0, 0), (1, 0), (0, 2): distances 1, 2, 3.
    projections = tf.constant([[[0.0, 1, 0], [0, 0, 2]]])
    e1, e2, e3 = np.exp([-1, -2, -3])
    np.testing.assert_allclose(minibatch.features(projections), [[[1 + e1 + e2, 1 + e1 + e3, 1 + e2 + e3]]], rtol=1e-6)
    np.testing.assert_allclose(
        minibatch.features(projections, self_distance=1.0), [[[e1 + e1 + e2, e1 + e1 + e3, e1 + e2 + e3]]], rtol=1e-6
    )


def test_kernels_are_consecutive_rows_and_runs_do_not_mix():
    rng = np.random.default_rng(1)
    projections = rng.normal(size=(3, 15, 6)).astype(np.float32)
    features = minibatch.features(tf.constant(projections)).numpy()
    for run, kernel, i in ((0, 0, 0), (1, 4, 5), (2, 2, 3)):
        m = projections[run, 3 * kernel : 3 * kernel + 3]
        expected = sum(np.exp(-np.abs(m[:, i] - m[:, j]).sum()) for j in range(6))
        assert features[run, kernel, i] == pytest.approx(expected, rel=1e-5)


def test_features_of_a_large_batch_and_their_first_and_second_derivatives(monkeypatch):
    """Against NumPy in float64, and all against the derivatives of the plain formula."""
    rng = np.random.default_rng(2)
    runs, kernels, dims, batch = 2, 5, 3, minibatch.LARGE_BATCH + 1
    shape = runs, kernels * dims, batch
    projections, direction = rng.normal(size=shape), rng.normal(size=shape)
    slopes = rng.normal(size=(runs, kernels, batch))
    by_group = projections.reshape(runs, kernels, dims, batch)
    differences = by_group[..., :, None] - by_group[..., None, :]
    near = np.exp(-abs(differences).sum(axis=2))
    weights = (slopes[..., :, None] + slopes[..., None, :]) * near
    gradient = -(weights[:, :, None] * np.sign(differences)).sum(axis=-1).reshape(shape)

    def derivatives():
        m = tf.constant(projections, tf.float32)
        with tf.GradientTape() as outer:
            outer.watch(m)
            with tf.GradientTape() as inner:
                inner.watch(m)
                features = minibatch.features(m, self_distance=1.0)
                total = tf.reduce_sum(features * slopes.astype(np.float32))
            first = inner.gradient(total, m)
            along = tf.reduce_sum(first * direction.astype(np.float32))
        return features.numpy(), first.numpy(), outer.gradient(along, m).numpy()

    features, first, second = derivatives()
    np.testing.assert_allclose(features, near.sum(axis=-1) - 1 + np.exp(-1), rtol=1e-5)
    np.testing.assert_allclose(first, gradient, rtol=1e-4, atol=1e-4)
    monkeypatch.setattr(minibatch, 'LARGE_BATCH', batch)
    plain = derivatives()
    assert np.std(plain[2]) > 1
    for given, wanted in zip((features, first, second), plain, strict=True):
        np.testing.assert_allclose(given, wanted, rtol=1e-4, atol=1e-4)


def test_rejects_rows_that_do_not_divide():
    with pytest.raises(ValueError, match='16 projections'):
        minibatch.features(tf.zeros([1, 16, 4]))
