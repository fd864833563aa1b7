"""The MNIST post: the recorded run, the order of the digits, the networks, a row of an ensemble equals a single-seed run."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from helpers import numpy_random
from helpers.paths import DATA

from common import training
from common.devices import distribution
from common.evaluation import replay
from common.nn import layers
from common.nn.random import Stream
from common.settings import Remedies, identity
from reproductions.mnist import dataset
from reproductions.mnist import gan as mnist
from reproductions.mnist import replay as mnist_replay
from reproductions.mnist import settings as mnist_settings

TRACES = {'mnist_small': 60, 'mnist_2018-06_seed0': 20, 'mnist_2018-08_seed0': 20}  # steps


SEEDS = np.array([3, 4], np.uint32)
SMALL = mnist_settings.make_settings(d_widths=(784, 12, 1), g_widths=(5, 12, 784), batch_size=16)


# --- Parity -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(('name', 'steps'), TRACES.items())
def test_trace_replays_over_all_its_steps(name, steps):
    columns = mnist_replay.replay_trace(DATA / f'{name}.npz')
    assert len(columns['step']) == 2 * steps and set(columns['quantity']) == {'loss_d', 'loss_g'}
    assert max(columns['relative_error']) <= 1e-4  # a tenth of what is required of the first 20 steps


@pytest.mark.parametrize('name', TRACES)
def test_trace_ends_with_the_recorded_weights(name):
    """Losses show the weights only through a batch; after the updates of Adam every weight is as in the recorded program."""
    meta, arrays = replay.load(DATA / f'{name}.npz', 'mnist')
    settings = mnist_replay.trace_settings(meta)
    train_step, depth = mnist_replay.recorded_step(settings, arrays), len(settings.d_widths) - 1
    d, g = (replay.linears(arrays, [f'init/{network}/l{i}' for i in range(depth)]) for network in 'DG')
    loop = training.compile_loop(lambda seeds, state: training.take_step(train_step, seeds, state), ['loss_d', 'loss_g'])
    train_state, _ = loop(tf.constant([0], tf.uint32), training.start_training(train_step, d, g), tf.constant([meta['steps']]))
    for network, ours in (('D', train_state.d), ('G', train_state.g)):
        theirs = replay.linears(arrays, [f'final/{network}/l{i}' for i in range(depth)])
        for a, b in zip(tf.nest.flatten(ours), tf.nest.flatten(theirs), strict=True):
            assert (
                np.abs(a - b).max() < settings.learning_rate
            )  # less than one update, each about as large as the learning rate


def test_traces_are_of_the_published_programs():
    """Their metadata names Adam's constants and the sizes of the networks."""
    for name in ('2018-06', '2018-08'):
        meta, _ = replay.load(DATA / f'mnist_{name}_seed0.npz', 'mnist')
        settings = mnist_settings.make_settings(name)
        assert mnist_replay.trace_settings(meta) == settings
        assert meta['adam'] == [settings.learning_rate, settings.beta1, settings.beta2, 1e-8]


def test_settings_are_the_posts():
    settings = mnist_settings.make_settings()
    assert settings.d_widths == (784, 500, 200, 1) and settings.g_widths == (100, 200, 500, 784)
    assert (settings.batch_size, settings.learning_rate, settings.beta1) == (128, 0.001, 0.9)
    assert (settings.beta2, settings.conditional, settings.glorot) == (0.999, False, False)
    assert (settings.epsilon, settings.init_scale, settings.noise_range) == (1e-8, 1, 1)
    assert [mnist_settings.make_settings(name).default_steps for name in mnist_settings.VARIANTS] == [
        500_000,
        500_000,
        500_000,
        10_000,
    ]


def test_the_repaired_listing_differs_in_one_term():
    repaired = mnist_settings.make_settings('repaired')
    assert repaired.remedies.gradient_penalty == 1 and mnist_settings.make_settings('2018-06').remedies == Remedies()
    without = mnist_settings.make_settings('repaired', gradient_penalty=0.0)
    post = mnist_settings.make_settings()
    assert identity(without._replace(variant='post')) == identity(post)
    assert post == mnist_settings.make_settings(gradient_penalty=0.0)


def test_d_with_minibatch_discrimination_is_judged_on_fewer_digits_than_a_batch():
    settings = mnist_settings.make_settings(hidden_sizes=(6,), minibatch=True, batch_size=32)
    seeds = tf.constant([0], tf.uint32)
    d, g = mnist.experiment_of(settings, None).init(seeds)
    rng = np.random.default_rng(0)
    few, many = ((tf.constant(rng.random([n, 784], np.float32)), tf.zeros(n, tf.uint8)) for n in (20, 70))
    _, columns = mnist.compiled_evaluation(settings, 64)(seeds, d, g, few, many)
    x = [tf.transpose(digits[0])[None] for digits in (few, many)]
    np.testing.assert_allclose(columns['d_train'], np.mean(mnist.discriminator(settings, d, x[0])), rtol=1e-5)
    halves = [mnist.discriminator(settings, d, x[1][:, :, i : i + 35]) for i in (0, 35)]  # 70 digits are two batches of 35
    np.testing.assert_allclose(columns['d_real'], np.mean(halves), rtol=1e-5)


# --- Data and noise -----------------------------------------------------------------------------------------------------------


def test_the_first_digits_are_held_out():
    digits = dataset.bundled()
    images, labels = dataset.training_digits(digits)
    assert len(images) == len(labels) == 8000 - 666
    np.testing.assert_array_equal(images[0], digits.x_train[666])
    assert 60_000 // dataset.HELD_OUT == 5000  # of all of MNIST


def test_every_epoch_visits_every_digit_once():
    """Batches of 16 out of 100 digits: 25 batches are 4 epochs, and the seventh batch spans two of them."""
    compiled = tf.function(lambda step: dataset.batch_indices(SMALL.batch_size, SEEDS, step, 100), jit_compile=True)
    sequence = np.concatenate([compiled(tf.constant(step)).numpy() for step in range(25)], axis=1)
    epochs = sequence.reshape(2, 4, 100)
    np.testing.assert_array_equal(np.sort(epochs, axis=2), np.broadcast_to(np.arange(100), (2, 4, 100)))
    assert len({tuple(order) for order in epochs.reshape(-1, 100).tolist()}) == 8  # reshuffled in every epoch, for every seed


def test_order_equals_a_plain_computation():
    for step, size in ((6, 100), (2**31 - 2, 55_000)):
        positions = step * 16 + np.arange(16)
        expected = numpy_random.permuted([3, 4], Stream.ORDER, positions // size, positions % size, size)
        np.testing.assert_array_equal(dataset.batch_indices(SMALL.batch_size, SEEDS, tf.constant(step), size), expected)
        compiled = tf.function(
            lambda step, size=size: dataset.batch_indices(SMALL.batch_size, SEEDS, step, size), jit_compile=True
        )
        np.testing.assert_array_equal(compiled(tf.constant(step)), expected)


def test_batches_are_these_digits_divided_by_255():
    images = dataset.bundled().x_train
    digits = tf.constant(images), tf.constant(dataset.bundled().y_train)
    x, z = (array.numpy() for array in mnist.batch_of(SMALL, digits, SEEDS, 9, Stream.NOISE_D))
    positions = dataset.batch_indices(SMALL.batch_size, SEEDS, 9, 8000).numpy()
    assert x.shape == (2, 784, 16) and z.shape == (2, 5, 16)
    np.testing.assert_array_equal(x[1, :, 5], images[positions[1, 5]].astype(np.float32) / np.float32(255))


def test_a_conditional_batch_has_the_digits_labels_after_pixels_and_noise():
    """The same labels in both: generated digits are asked for the classes of the real batch."""
    digits, conditional = dataset.bundled(), mnist_settings.make_settings('2018-06', batch_size=16)
    x, z = (
        array.numpy()
        for array in mnist.batch_of(
            conditional, (tf.constant(digits.x_train), tf.constant(digits.y_train)), SEEDS, 9, Stream.NOISE_D
        )
    )
    assert x.shape == (2, 794, 16) and z.shape == (2, 110, 16)
    labels = digits.y_train[dataset.batch_indices(conditional.batch_size, SEEDS, 9, 8000).numpy()]
    for rows in (x, z):
        np.testing.assert_array_equal(rows[:, -10:], np.eye(10, dtype=np.float32)[labels].transpose(0, 2, 1))
    plain = mnist_settings.make_settings(g_widths=(100, 12, 784), batch_size=16)
    np.testing.assert_array_equal(z[:, :100], mnist.noise(plain, SEEDS, Stream.NOISE_D, 9))


def test_requests_go_through_the_classes_in_turn():
    conditional = mnist_settings.make_settings('2018-08')
    z = mnist.requests(conditional, SEEDS, Stream.FIGURE, 0, 25).numpy()
    assert z.shape == (2, 110, 25) and z[:, 100:].argmax(axis=1).tolist() == [[i % 10 for i in range(25)]] * 2
    assert (z[:, 100:].sum(axis=1) == 1).all()
    np.testing.assert_array_equal(
        mnist.requests(mnist_settings.make_settings(), SEEDS, Stream.FIGURE, 0, 25),
        mnist.noise(mnist_settings.make_settings(), SEEDS, Stream.FIGURE, 0, 25),
    )


def test_noise_is_uniform_and_serves_both_updates():
    settings = mnist_settings.make_settings()
    train_step = mnist.make_train_step(settings, (dataset.bundled().x_test, dataset.bundled().y_test))
    assert train_step.draw_g is None  # so G's update uses the noise of D's
    z, other = (train_step.draw_d(SEEDS, step)[1].numpy() for step in (7, 8))
    assert z.shape == (2, 100, 128) and (z != other).mean() > 0.99
    many = mnist.noise(settings, SEEDS, Stream.NOISE_D, 7, 5000).numpy()
    np.testing.assert_array_equal(many[:, :, :128], z)  # a larger count begins with the same columns
    assert -1 <= many.min() < -0.999 and 0.999 < many.max() < 1
    assert many.mean() == pytest.approx(0, abs=0.003) and many.var() == pytest.approx(1 / 3, rel=0.01)


# --- Networks -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('glorot', [False, True])
@pytest.mark.parametrize(
    ('variant', 'd_widths', 'g_widths'),
    [('post', (784, 500, 200, 1), (100, 200, 500, 784)), ('2018-06', (794, 128, 1), (110, 128, 784))],
)
def test_weights_have_the_posts_standard_deviation(variant, d_widths, g_widths, glorot):
    d, g = mnist.experiment_of(mnist_settings.make_settings(variant, glorot=glorot), None).init(SEEDS)
    for params, widths in ((d, d_widths), (g, g_widths)):
        assert [layer.w.shape[1:] for layer in params] == [(b, a) for a, b in itertools.pairwise(widths)]
        for layer in params:
            outputs, inputs = layer.w.shape[1:]
            wanted, count = np.sqrt(2 / (inputs + outputs * glorot)), np.size(layer.w)
            assert np.std(layer.w) == pytest.approx(wanted, rel=4 / np.sqrt(2 * count))  # four standard errors
            assert not layer.b.numpy().any()


def test_networks_equal_plain_matrix_products():
    d, g = mnist.experiment_of(SMALL, None).init(SEEDS)
    z = mnist.noise(SMALL, SEEDS, Stream.NOISE_D, 0, 16)
    (w0, w1), (v0, v1) = ([layer.w.numpy()[1] for layer in params] for params in (g, d))
    images = 1 / (1 + np.exp(-(w1 @ np.maximum(w0 @ z.numpy()[1], 0))))
    np.testing.assert_allclose(mnist.generator(SMALL, g, z)[1], images, rtol=1e-4)
    logits = v1 @ np.maximum(v0 @ images, 0)
    np.testing.assert_allclose(
        mnist.discriminator_logits(SMALL, d, mnist.generator(SMALL, g, z))[1], logits, rtol=1e-3, atol=1e-5
    )
    x = tf.zeros([2, 784, 16])
    expected = np.log(2) + np.log1p(np.exp(logits)).mean()  # biases are 0, so D is undecided about black images
    assert mnist.loss_of_d(SMALL, d, x, mnist.generated(SMALL, g, z)).numpy()[1] == pytest.approx(expected, rel=1e-5)
    assert mnist.loss_of_g(SMALL, d, mnist.generated(SMALL, g, z)).numpy()[1] == pytest.approx(
        np.log1p(np.exp(-logits)).mean(), rel=1e-5
    )


def test_conditional_losses_equal_plain_matrix_products():
    """D sees the pixels and then the labels, of real digits and of generated ones alike."""
    conditional = mnist_settings.make_settings('2018-06', d_widths=(794, 12, 1), g_widths=(15, 12, 784), batch_size=16)
    d, g = mnist.experiment_of(conditional, None).init(SEEDS)
    x, z = mnist.batch_of(
        conditional, tuple(map(tf.constant, (dataset.bundled().x_test, dataset.bundled().y_test))), SEEDS, 3, Stream.NOISE_D
    )
    (w0, w1), (v0, v1) = ([layer.w.numpy()[1] for layer in params] for params in (g, d))
    images = 1 / (1 + np.exp(-(w1 @ np.maximum(w0 @ z.numpy()[1], 0))))
    real = v1 @ np.maximum(v0 @ x.numpy()[1], 0)
    fake = v1 @ np.maximum(v0 @ np.concatenate([images, z.numpy()[1, -10:]]), 0)
    expected = np.log1p(np.exp(-real)).mean() + np.log1p(np.exp(fake)).mean()
    assert mnist.loss_of_d(conditional, d, x, mnist.generated(conditional, g, z)).numpy()[1] == pytest.approx(
        expected, rel=1e-5
    )
    assert mnist.loss_of_g(conditional, d, mnist.generated(conditional, g, z)).numpy()[1] == pytest.approx(
        np.log1p(np.exp(-fake)).mean(), rel=1e-5
    )


def test_layers_use_matmul_at_this_size():
    """A product written as multiply and sum would make a network of this size many times slower."""
    traced = tf.function(lambda x, w, b: layers.dense(x, layers.Linear(w, b))).get_concrete_function(
        tf.TensorSpec([1, 784, 128]), tf.TensorSpec([1, 500, 784]), tf.TensorSpec([1, 500, 1])
    )
    assert 'BatchMatMulV2' in {op.type for op in traced.graph.get_operations()}


# --- A row of an ensemble equals a single-seed run, one compilation -----------------------------------------------------------


def first_losses(variant, seed, runs):
    experiment = mnist.make_experiment(mnist_settings.make_settings(variant))
    seeds = np.arange(seed, seed + runs, dtype=np.uint32)
    exact = tf.nest.flatten(experiment.init(tf.constant(seeds))) + list(experiment.train_step.draw_d(tf.constant(seeds), 17))
    strategy = distribution.make_strategy('cpu', runs)
    records = training.join_records([r for _, r in training.train(experiment, strategy, seeds, 5, 1)])
    assert experiment.train_loop.experimental_get_tracing_count() == 1
    return [values.numpy() for values in exact], np.stack([records['loss_d'], records['loss_g']])


@pytest.mark.statistical
@pytest.mark.parametrize('variant', ['post', '2018-06'])
def test_row_of_an_ensemble_equals_the_single_run(variant):
    exact, losses = first_losses(variant, 40, 3)
    single_exact, single_losses = first_losses(variant, 42, 1)
    for ensemble, single in zip(exact, single_exact, strict=True):
        np.testing.assert_array_equal(ensemble[2], single[0])
    np.testing.assert_allclose(losses[:, 2], single_losses[:, 0], rtol=1e-4)
    assert (np.abs(losses[:, 1] / losses[:, 2] - 1) > 1e-3).all()  # other seeds differ
