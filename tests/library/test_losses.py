"""Losses on hand-computed numbers."""

import numpy as np
import pytest
import tensorflow as tf

from common.nn import losses

REAL = np.array([[[0.9, 0.8]], [[0.5, 0.5]]], np.float32)
FAKE = np.array([[[0.1, 0.4]], [[0.5, 0.5]]], np.float32)


def test_discriminator_loss():
    by_hand = -(np.log(0.9) + np.log(0.8) + np.log(0.9) + np.log(0.6)) / 2
    np.testing.assert_allclose(losses.discriminator_loss(REAL, FAKE), [by_hand, 2 * np.log(2)], rtol=1e-5)


def test_generator_loss_is_the_non_saturating_one():
    np.testing.assert_allclose(losses.generator_loss(FAKE), [-(np.log(0.1) + np.log(0.4)) / 2, np.log(2)], rtol=1e-5)


def test_plain_log_gives_infinity_and_the_clamped_one_a_floor_without_gradient():
    zero = tf.constant([[[0.0]]])
    assert losses.generator_loss(zero).numpy()[0] == np.inf
    with tf.GradientTape() as tape:
        tape.watch(zero)
        loss = losses.generator_loss(zero, losses.clamped_log)
    assert loss.numpy()[0] == pytest.approx(-np.log(1e-5), rel=1e-5)
    assert tape.gradient(loss, zero).numpy().item() == 0


def test_mean_squared_error():
    np.testing.assert_allclose(losses.mean_squared_error(REAL, FAKE), [(0.64 + 0.16) / 2, 0], rtol=1e-5)


@pytest.mark.parametrize('loss', [losses.discriminator_loss, losses.mean_squared_error])
def test_different_shapes_are_rejected_instead_of_broadcast(loss):
    with pytest.raises(ValueError, match='shapes differ'):
        loss(REAL, FAKE[:, 0])


@pytest.mark.parametrize(
    ('p', 'label', 'loss', 'gradient'),
    [
        (0.3, 1, -np.log(0.3), -1 / 0.3),
        (0.3, 0, -np.log(0.7), 1 / 0.7),
        (0.0, 1, 100, -1e12),  # the value is clamped and the gradient is not; a clamped logarithm would have none
        (1.0, 0, 100, 1e12),
        (0.0, 0, 0, 0),
        (1.0, 1, 0, 0),
        (1e-13, 1, -np.log(1e-13), -1e12),  # below 1e-12 the gradient stays constant
        (1e-13, 0, 1e-13, 0.1),
    ],
)
def test_binary_cross_entropy_and_its_gradient_equal_pytorchs(p, label, loss, gradient):
    """The values of PyTorch 2.13, which agree with those by hand."""
    for compiled in (False, True):
        p_ = tf.constant([[p]])

        @tf.function(jit_compile=compiled)
        def both(p_):
            with tf.GradientTape() as tape:
                tape.watch(p_)
                value = losses.binary_cross_entropy(p_, label)
                total = 3 * value
            return value, tape.gradient(total, p_)

        value, found = both(p_)
        assert value.shape == (1, 1)
        np.testing.assert_allclose(value, [[loss]], rtol=1e-5)
        np.testing.assert_allclose(found, [[3 * gradient]], rtol=1e-5)


def test_cross_entropy_of_logits():
    logits = tf.constant([[[0.0, 2.0]], [[-1000.0, 1000.0]]])
    real, fake = losses.cross_entropy_of_logits(logits, 1), losses.cross_entropy_of_logits(logits, 0)
    np.testing.assert_allclose(real, [(np.log(2) + np.log1p(np.exp(-2))) / 2, 500], rtol=1e-6)
    np.testing.assert_allclose(fake, [(np.log(2) + np.log1p(np.exp(2))) / 2, 500], rtol=1e-6)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = losses.cross_entropy_of_logits(logits, 1)
    np.testing.assert_allclose(tape.gradient(loss, logits)[1, 0], [-0.5, 0], atol=1e-7)
