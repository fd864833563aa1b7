"""Remedies against independent computations in NumPy, double precision; and Mescheder's Dirac-GAN."""

import numpy as np
import pytest
import tensorflow as tf

from common import remedies, training
from common.nn import layers, losses, optimizers
from common.nn.random import Stream
from common.settings import Remedies

RNG = np.random.default_rng(0)
SEEDS = np.array([5, 6], np.uint32)


def numerical(function, arrays, step=1e-5):
    """Gradients of a number with respect to float64 arrays, by central differences."""
    found = []
    for k, array in enumerate(arrays):
        gradient = np.zeros_like(array)
        for index in np.ndindex(array.shape):
            values = []
            for sign in (1, -1):
                moved = [other.copy() for other in arrays]
                moved[k][index] += sign * step
                values.append(function(*moved))
            gradient[index] = (values[0] - values[1]) / (2 * step)
        found.append(gradient)
    return found


# --- A discriminator of three features, the last of which is a label, and its slopes in NumPy ---------------------------------

W1, B1, W2 = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 1)), RNG.normal(size=(1, 4))


def output(d, x):
    return layers.dense(tf.tanh(layers.dense(x, d[0])), d[1])


def network(*weights):
    """`layers.Linear` with a runs axis of 1."""
    w1, b1, w2 = (tf.constant(value[None], tf.float32) for value in weights)
    return layers.Linear(w1, b1), layers.Linear(w2, tf.zeros([1, 1, 1]))


def slopes(w1, b1, w2, x):
    """Norm of the gradient of each sample's output by its first two features, [batch]; x is [3, batch]."""
    inner = w2.T * (1 - np.tanh(w1 @ x + b1) ** 2)
    return np.sqrt(np.sum((w1.T @ inner)[:2] ** 2, axis=0))


def no_loss(**changes):
    """A train step whose losses are 0 and whose batches are given."""
    zero = optimizers.gradient_descent(0.0)
    step = training.TrainStep(
        generate=lambda g, z: g * z,
        loss_d=lambda d, x, fake: tf.zeros(x.shape[0]),
        loss_g=lambda d, fake: tf.zeros(fake.shape[0]),
        draw_d=None,
        draw_g=None,
        optimizer_d=zero,
        optimizer_g=zero,
    )
    return step._replace(**changes)


@pytest.mark.parametrize('batch', [6, 70])  # a long batch takes the layers' own gradient (`layers._long_product`)
@pytest.mark.parametrize('name', ['gradient_penalty', 'dragan'])
def test_penalties_and_their_gradients(name, batch):
    x = np.random.default_rng(batch).normal(size=(3, batch))
    tensor = tf.constant(x[None], tf.float32)
    step = remedies.on_training(Remedies(**{name: 0.7}), 2, output, no_loss(draw_d=lambda seeds, update: (tensor, tensor)))
    given, _ = step.draw_d(SEEDS[:1], 0)
    penalized = given[1].numpy()[0].astype(np.float64) if name == 'dragan' else x

    def penalty(w1, b1, w2):
        found = slopes(w1, b1, w2, penalized)
        return 0.7 * np.mean((found - 1) ** 2) if name == 'dragan' else 0.35 * np.mean(found**2)

    d = network(W1, B1, W2)
    with tf.GradientTape() as tape:
        tape.watch(d)
        loss = step.loss_d(d, given, tensor)
    first, second = tape.gradient(loss, d)
    np.testing.assert_allclose(loss[0], penalty(W1, B1, W2), rtol=1e-5)
    for ours, theirs in zip((first.w, first.b, second.w), numerical(penalty, [W1, B1, W2]), strict=True):
        np.testing.assert_allclose(ours[0], theirs, rtol=2e-4, atol=1e-5)
    if name == 'dragan':
        moves = (penalized - np.float32(x)) / x[:2].std()
        assert 0 <= moves[:2].min() < moves[:2].max() < 0.5 + 1e-6 and (moves[2] == 0).all()
        assert moves[:2].mean() == pytest.approx(0.25, abs=0.1)


def test_the_slope_of_a_decision_on_a_whole_batch():
    """D's output is a product of the batch's mean and spread: its slope is that of one function of all samples."""
    x = RNG.normal(size=9)

    def decision(x):
        return x.mean() * x.std()

    def of_tensor(x):
        return tf.reduce_mean(x, 2, keepdims=True) * tf.math.reduce_std(x, 2, keepdims=True)

    (gradient,) = numerical(decision, [x])
    found = remedies.squared_gradient_norm(of_tensor, tf.constant(x[None, None], tf.float32), 1)
    assert found.shape == (1, 1)
    np.testing.assert_allclose(found, [[np.sum(gradient**2)]], rtol=1e-5)


def test_strengths_may_differ_from_run_to_run():
    x = tf.constant(RNG.normal(size=(2, 3, 6)), tf.float32)
    d = tf.nest.map_structure(lambda value: tf.repeat(value, 2, axis=0), network(W1, B1, W2))

    def loss(strength):
        step = remedies.on_training(Remedies(gradient_penalty=strength), 2, output, no_loss())
        return step.loss_d(d, x, x).numpy()

    both = loss(tf.constant([[[0.5]], [[2.0]]]))
    np.testing.assert_allclose(both, [loss(0.5)[0], loss(2.0)[1]], rtol=1e-6)


# --- Label smoothing ----------------------------------------------------------------------------------------------------------


def test_one_sided_label_smoothing_of_each_kind_of_loss():
    real, fake, s = np.array([0.9, 0.6, 0.2]), np.array([0.3, 0.5, 0.1]), 0.2
    on_real = -(1 - s) * np.log(real) - s * np.log(1 - real)
    expected = np.mean(on_real - np.log(1 - fake))
    a, b = (tf.constant(values[None, None], tf.float32) for values in (real, fake))
    for smoothing in (s, tf.constant([[[s]]], tf.float32)):
        np.testing.assert_allclose(losses.discriminator_loss(a, b, smoothing=smoothing), [expected], rtol=1e-6)
        logits = tf.math.log(a / (1 - a))
        np.testing.assert_allclose(losses.cross_entropy_of_logits(logits, 1 - smoothing), [on_real.mean()], rtol=1e-6)
        with tf.GradientTape() as tape:
            tape.watch(a)
            values = losses.binary_cross_entropy(a, 1 - smoothing)
        np.testing.assert_allclose(values[0, 0], on_real, rtol=1e-6)
        np.testing.assert_allclose(tape.gradient(values, a)[0, 0], (1 - s) * -1 / real + s / (1 - real), rtol=1e-5)


# --- Instance noise -----------------------------------------------------------------------------------------------------------


def test_instance_noise_falls_to_zero_and_spares_labels():
    x = tf.zeros([2, 3, 4000])
    step = no_loss(draw_d=lambda seeds, update: (x, x), draw_g=lambda seeds, update: x, d_steps=2)
    step = remedies.on_training(Remedies(instance_noise=0.8, noise_steps=50), 2, output, step)
    for update, std in ((0, 0.8), (50, 0.4), (75, 0.2), (100, 0.0), (1000, 0.0)):  # D has two updates an iteration
        noisy, given = step.draw_d(SEEDS, update)
        fake = step.generate(tf.ones([2, 1, 1]), given)
        assert noisy[:, :2].numpy().std() == pytest.approx(std, rel=0.02)
        assert fake[:, :2].numpy().std() == pytest.approx(std, rel=0.02)
        assert abs(noisy.numpy()[:, 2]).max() == abs(fake.numpy()[:, 2]).max() == 0
        if std:
            of_g = step.generate(tf.ones([2, 1, 1]), step.draw_g(SEEDS, update // 2))
            samples = np.stack([value[:, :2].numpy().ravel() for value in (noisy, fake, of_g)])
            assert abs(np.corrcoef(samples) - np.eye(3)).max() < 0.04  # of 16,000 numbers: five standard errors
    with pytest.raises(ValueError, match='noise_steps=None is not given'):
        remedies.on_training(Remedies(instance_noise=0.8), 2, output, step)


# --- Averages -----------------------------------------------------------------------------------------------------------------


def descend(optimizer, start, steps):
    """Parameters and optimizer states of gradient descent on |w|^2 / 2, one after the other."""
    w, state, found = tf.constant(start), optimizer.init(tf.constant(start)), []
    for count in range(steps):
        w, state = optimizer.update(w, w, state, tf.constant(count))
        found.append((w.numpy(), state))
    return found


def test_historical_averaging_pulls_towards_the_mean_of_earlier_parameters():
    start = np.float32([[[3.0, -2.0]]])
    optimizer = remedies.with_historical_averaging(optimizers.gradient_descent(0.1), 0.5)
    w, earlier = start.astype(np.float64), []
    for ours, _ in descend(optimizer, start, 12):
        earlier.append(w)
        w = w - 0.1 * (w + 2 * 0.5 * (w - np.mean(earlier, axis=0)))
        np.testing.assert_allclose(ours, w, rtol=1e-5)


@pytest.mark.parametrize('by_run', [False, True])
def test_the_average_of_parameters_leaves_the_training_alone(by_run):
    decay = tf.constant([[[0.7]]], tf.float64) if by_run else 0.7
    start = np.float32([[[3.0, -2.0]]])
    plain = descend(optimizers.gradient_descent(0.1), start, 12)
    average = start.astype(np.float64)
    for (w, state), (without, _) in zip(
        descend(remedies.with_average(optimizers.gradient_descent(0.1), decay), start, 12), plain, strict=True
    ):
        np.testing.assert_array_equal(w, without)
        average = 0.7 * average + 0.3 * w
        np.testing.assert_allclose(state.average, average, rtol=1e-5)
    judged = remedies.with_ema_weights(training.TrainState(tf.constant(12), d=1, g=w, opt_state_d=(), opt_state_g=state))
    np.testing.assert_array_equal(judged.g, state.average)
    unchanged = training.TrainState(tf.constant(12), d=1, g=w, opt_state_d=(), opt_state_g=state.opt_state)
    assert remedies.with_ema_weights(unchanged) is unchanged


# --- Spectral normalization ---------------------------------------------------------------------------------------------------


def test_spectral_normalization_and_its_gradient():
    w, factors = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))
    layer = layers.Linear(tf.constant(w[None], tf.float32), tf.zeros([1, 4, 1]))
    params = remedies.start_normalized(SEEDS[:1], (layer,))
    (found,) = remedies.normalized(params)
    np.testing.assert_allclose(np.linalg.svd(found.w[0])[1][0], 1, rtol=1e-4)
    with tf.GradientTape() as tape:
        tape.watch(params)
        loss = tf.reduce_sum(remedies.normalized(params)[0].w * factors[None].astype(np.float32))
    gradient = tape.gradient(loss, params)

    def exact(w):
        return np.sum(w / np.linalg.svd(w)[1][0] * factors)

    np.testing.assert_allclose(gradient.linears[0].w[0], numerical(exact, [w])[0], rtol=2e-3, atol=2e-3)
    assert gradient.directions == (None,)
    assert remedies.normalized((layer,)) == (layer,)


def test_the_direction_follows_the_weights():
    layer = layers.Linear(tf.constant(RNG.normal(size=(1, 5, 6)), tf.float32), tf.zeros([1, 5, 1]))
    params = remedies.start_normalized(SEEDS[:1], (layer,))
    optimizer = remedies.of_normalized(optimizers.adam(0.01))
    state, target = optimizer.init(params), tf.constant(RNG.normal(size=(1, 5, 6)), tf.float32)
    for count in range(200):
        gradients = tf.nest.map_structure(tf.zeros_like, params)
        gradients = gradients._replace(linears=(layer._replace(w=params.linears[0].w - target, b=layer.b),))
        params, state = optimizer.update(params, gradients, state, tf.constant(count))
    assert abs(params.linears[0].w - layer.w).numpy().max() > 0.5
    np.testing.assert_allclose(np.linalg.svd(remedies.normalized(params)[0].w[0])[1][0], 1, rtol=1e-3)


# --- The Dirac-GAN ------------------------------------------------------------------------------------------------------------


def dirac(gamma, rate, steps):
    """(theta, psi) of Mescheder et al. 2018, section 2, by our updates: [steps + 1, 2].

    Data are at 0, G's samples at theta, D's logit is psi x; the losses are those with f(t) = -log(1 + exp(-t)).
    """
    zero = tf.zeros([1, 1, 1])
    step = training.TrainStep(
        generate=lambda g, z: g + z,
        loss_d=lambda d, x, fake: losses.cross_entropy_of_logits(d * x, 1) + losses.cross_entropy_of_logits(d * fake, 0),
        loss_g=lambda d, fake: -losses.cross_entropy_of_logits(d * fake, 0),  # the game of the paper: zero-sum
        draw_d=lambda seeds, update: (zero, zero),
        draw_g=lambda seeds, update: zero,
        optimizer_d=optimizers.gradient_descent(rate),
        optimizer_g=optimizers.gradient_descent(rate),
    )
    step = remedies.on_training(Remedies(gradient_penalty=gamma), 1, lambda d, x: d * x, step)
    take = tf.function(lambda state: training.take_step(step, SEEDS[:1], state)[0])
    state = training.start_training(step, d=zero + 0.3, g=zero + 0.4)
    course = [(0.4, 0.3)]
    for _ in range(steps):
        state = take(state)
        course.append((float(state.g[0, 0, 0]), float(state.d[0, 0, 0])))
    return np.array(course)


def test_the_dirac_gan_orbits_without_a_penalty():
    radius = np.hypot(*dirac(0.0, 0.05, 1000).T)
    assert radius.min() > 0.45 and radius.max() < 0.56  # it began at 0.5


@pytest.mark.parametrize('gamma', [0.3, 0.8])
def test_the_dirac_gan_converges_at_the_rate_of_the_paper(gamma):
    """Eigenvalues of the regularized vector field at 0 are -gamma / 2 +- sqrt(gamma^2 / 4 - f'(0)^2), and f'(0) = 1 / 2.

    (Mescheder et al. 2018, lemma 4.2.) So for gamma below 1 the radius falls as exp(-gamma t / 2).
    """
    rate = 0.01
    turn = round(2 * np.pi / np.sqrt(0.25 - gamma**2 / 4) / rate)  # iterations of a whole turn, after which phases agree
    radius = np.hypot(*dirac(gamma, rate, 200 + turn).T)
    assert np.log(radius[200] / radius[-1]) / (turn * rate) == pytest.approx(gamma / 2, rel=0.05)


# --- Off ----------------------------------------------------------------------------------------------------------------------


def test_what_is_off_is_not_there():
    step = no_loss(draw_d=lambda seeds, update: (tf.zeros([2, 3, 4]),) * 2)
    assert remedies.on_training(Remedies(), 2, output, step) == step
    assert all(not value for value in Remedies())


def test_streams_of_remedies_are_their_own():
    names = ('INSTANCE_NOISE_D', 'INSTANCE_NOISE_G', 'PERTURBATION', 'POWER_ITERATION', 'MINIBATCH')
    assert len({Stream[name] for name in names}) == 5 and len(set(Stream)) == len(Stream.__members__)


def test_small_weights_are_normalized_like_others():
    """Whatever --init_scale is: 1e-12 under a root, as it is by default, was too much."""
    seeds = tf.constant([1, 2], tf.uint32)
    linears = layers.normal_linears(seeds, Stream.WEIGHTS_D, [(8, 3), (8, 8)])

    def normalized(scale):
        return remedies.normalized(remedies.start_normalized(seeds, layers.scaled(linears, scale)))

    for scale in (1e-7, 1e-9):
        for layer, expected in zip(normalized(scale), normalized(1.0), strict=True):
            np.testing.assert_allclose(layer.w, expected.w, rtol=1e-4)
            assert np.linalg.svd(layer.w.numpy(), compute_uv=False)[:, 0] == pytest.approx(1, rel=0.05)
