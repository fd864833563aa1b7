"""Layers against hand computation and NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from common.nn import layers, random


def test_dense_is_w_x_plus_b_on_both_of_its_paths():
    rng = np.random.default_rng(0)
    for batch in (3, 100, 1000):  # 8 * 8 * 3 < 4096 <= 8 * 8 * 100
        w, b, x = rng.normal(size=(2, 8, 8)), rng.normal(size=(2, 8, 1)), rng.normal(size=(2, 8, batch))
        layer = layers.Linear(tf.constant(w, tf.float32), tf.constant(b, tf.float32))
        np.testing.assert_allclose(layers.dense(tf.constant(x, tf.float32), layer), w @ x + b, rtol=1e-5, atol=1e-5)


def test_gradients_of_a_long_batch_are_those_of_w_x_plus_b():
    rng = np.random.default_rng(0)
    for outputs, inputs, batch in ((3, 1, 33), (3, 8, 33), (3, 8, 1000), (32, 512, 33)):  # the last has `LARGE` weights
        w, b, x = rng.normal(size=(2, outputs, inputs)), rng.normal(size=(2, outputs, 1)), rng.normal(size=(2, inputs, batch))
        w, b, x = (tf.constant(values, tf.float32) for values in (w, b, x))
        dy = rng.normal(size=(2, outputs, batch)).astype(np.float32)
        with tf.GradientTape() as tape:
            tape.watch((w, b, x))
            y = tf.reduce_sum(layers.dense(x, layers.Linear(w, b)) * dy)
        dw, db, dx = tape.gradient(y, (w, b, x))
        np.testing.assert_allclose(dw, dy @ x.numpy().transpose(0, 2, 1), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(db, dy.sum(axis=2, keepdims=True), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(dx, w.numpy().transpose(0, 2, 1) @ dy, rtol=1e-4, atol=1e-5)


def test_dense_rejects_the_wrong_number_of_features():
    layer = layers.Linear(tf.zeros([2, 3, 2]), tf.zeros([2, 3, 1]))
    with pytest.raises(ValueError, match='2 inputs was given 3 features'):
        layers.dense(tf.zeros([2, 3, 5]), layer)


def test_layers_of_a_network_share_one_array_of_samples_and_have_zero_biases():
    seeds = tf.constant([4, 9], tf.uint32)
    first, second = layers.normal_linears(seeds, random.Stream.WEIGHTS_D, [(3, 2), (1, 3)])
    samples = random.normal(seeds, random.Stream.WEIGHTS_D, 0, 9).numpy()
    np.testing.assert_array_equal(first.w, samples[:, :6].reshape(2, 3, 2))
    np.testing.assert_array_equal(second.w, samples[:, 6:].reshape(2, 1, 3))
    np.testing.assert_array_equal(first.b, np.zeros([2, 3, 1]))


def test_uniform_linears_are_bounded_by_the_number_of_inputs():
    seeds = tf.constant(np.arange(2000, dtype=np.uint32))
    first, second = layers.uniform_linears(seeds, random.Stream.WEIGHTS_G, [(5, 4), (1, 25)])
    assert [part.shape for part in (*first, *second)] == [(2000, 5, 4), (2000, 5, 1), (2000, 1, 25), (2000, 1, 1)]
    samples = 2 * random.uniform(seeds, random.Stream.WEIGHTS_G, 0, 51).numpy() - 1
    np.testing.assert_array_equal(first.w, samples[:, :20].reshape(-1, 5, 4) / 2)
    np.testing.assert_array_equal(first.b, samples[:, 20:25, None] / 2)
    np.testing.assert_array_equal(second.w, samples[:, None, 25:50] * np.float32(0.2))
    for part, bound in ((first.w, 1 / 2), (first.b, 1 / 2), (second.w, 1 / 5), (second.b, 1 / 5)):
        assert np.abs(part).max() <= bound and np.std(part) == pytest.approx(bound / np.sqrt(3), rel=0.05)
