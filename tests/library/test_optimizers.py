"""Update rules against TensorFlow 1's own optimizers, over 100 steps of a nonlinear problem."""

import numpy as np
import pytest
import tensorflow as tf

from common.nn import optimizers

v1 = tf.compat.v1
START = np.linspace(-2, 2, 6, dtype=np.float32).reshape(1, 3, 2)


def loss_of(w):
    return tf.reduce_sum(tf.math.log(tf.cosh(w * [1.0, 3.0]) + 0.1 * tf.square(w - 0.5)))


def ours(optimizer, steps):
    w = tf.constant(START)
    opt_state, trajectory = optimizer.init((w,)), []
    for count in range(steps):
        with tf.GradientTape() as tape:
            tape.watch(w)
            loss = loss_of(w)
        (w,), opt_state = optimizer.update((w,), (tape.gradient(loss, w),), opt_state, tf.constant(count))
        trajectory.append(w.numpy())
    return np.array(trajectory)


def theirs(make, steps):
    with tf.Graph().as_default(), v1.Session() as session:
        w = v1.Variable(START)
        counter = v1.Variable(0, trainable=False)
        train = make(counter).minimize(loss_of(w), global_step=counter)
        session.run(v1.global_variables_initializer())
        return np.array([(session.run(train), session.run(w))[1] for _ in range(steps)])


def decaying(counter):
    return v1.train.exponential_decay(0.05, counter, 30, 0.8, staircase=True)


@pytest.mark.parametrize(
    ('optimizer', 'reference'),
    [
        (
            optimizers.gradient_descent(optimizers.exponential_decay(0.05, 0.8, 30)),
            lambda counter: v1.train.GradientDescentOptimizer(decaying(counter)),
        ),
        (
            optimizers.momentum(optimizers.exponential_decay(0.05, 0.8, 30), 0.6),
            lambda counter: v1.train.MomentumOptimizer(decaying(counter), 0.6),
        ),
        (optimizers.adam(0.02), lambda counter: v1.train.AdamOptimizer(0.02)),
    ],
    ids=['gradient descent', 'momentum', 'adam'],
)
def test_update_rule_equals_tensorflow_1(optimizer, reference):
    trajectory = ours(optimizer, 100)
    np.testing.assert_allclose(trajectory, theirs(reference, 100), rtol=1e-4, atol=1e-5)
    assert np.abs(trajectory[-1] - START).max() > 0.5  # it moved


@pytest.mark.parametrize('epsilon', [1e-8, 0.1])
def test_adam_of_pytorch_equals_its_definition_in_double_precision(epsilon):
    trajectory = ours(optimizers.adam_of_pytorch(0.02, epsilon=epsilon), 100)
    w, m, v = START.astype(np.float64), 0.0, 0.0
    for t in range(1, 101):
        with tf.GradientTape() as tape:
            x = tf.constant(w, tf.float32)
            tape.watch(x)
            loss = loss_of(x)
        g = tape.gradient(loss, x).numpy().astype(np.float64)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - 0.02 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + epsilon)
        np.testing.assert_allclose(trajectory[t - 1], w, rtol=1e-4, atol=1e-5)
    other = ours(optimizers.adam(0.02, epsilon=epsilon), 100)
    assert (np.abs(other - trajectory).max() > 0.01) == (epsilon == 0.1)  # the position of epsilon matters once it is large


def test_the_first_step_of_pytorchs_adam_is_exact_to_rounding():
    """The first step equals the learning rate for any gradient; TensorFlow 1's is off by 6e-6, as float32 1 - 0.999 is."""
    w, g = tf.zeros([1]), tf.constant([3.0])
    steps = []
    for adam in (optimizers.adam_of_pytorch, optimizers.adam):
        optimizer = adam(1.0, epsilon=0.0)
        (moved,), _ = optimizer.update((w,), (g,), optimizer.init((w,)), tf.constant(0))
        steps.append(-moved.numpy().item())
    assert abs(steps[0] - 1) < 1e-6 < abs(steps[1] - 1)


def test_epsilon_of_both_adams():
    """Of a gradient of 1e-8 the first step shows it: by definition, in double precision, with 1e-8 outside the root of v."""
    gradient, root = 1e-8, 0.001**0.5
    steps = {
        optimizers.adam: root / 0.1 * (0.1 * gradient) / (root * gradient + 1e-8),
        optimizers.adam_of_pytorch: gradient / (gradient + 1e-8),
    }
    for adam, expected in steps.items():
        optimizer, start = adam(0.5), [tf.zeros([1, 1, 1])]
        (moved,), _ = optimizer.update(start, [tf.fill([1, 1, 1], gradient)], optimizer.init(start), tf.constant(0))
        np.testing.assert_allclose(moved.numpy().item(), -0.5 * expected, rtol=1e-5)


def test_staircase_decay_by_hand():
    learning_rate = optimizers.exponential_decay(0.005, 0.95, 150)
    for count, power in ((0, 0), (149, 0), (150, 1), (299, 1), (300, 2)):
        assert learning_rate(tf.constant(count)).numpy() == pytest.approx(0.005 * 0.95**power, rel=1e-6)


def test_the_learning_rate_may_differ_between_runs():
    w, g = tf.ones([2, 1, 1]), tf.ones([2, 1, 1])
    (moved,), _ = optimizers.gradient_descent(tf.constant([[[0.1]], [[0.2]]])).update((w,), (g,), (), tf.constant(0))
    np.testing.assert_allclose(moved[:, 0, 0], [0.9, 0.8], rtol=1e-6)
