"""The multi-modal post: Aylien's program as a special case, modes and widths, a row of an ensemble equals a single-seed run."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from helpers.paths import DATA
from helpers.post_checks import row_of_an_ensemble_equals_the_single_run

from common import training
from common.devices import distribution
from common.evaluation import metrics, outcomes, replay
from common.nn.random import Stream
from common.settings import identity
from reproductions.aylien import gan as aylien
from reproductions.aylien import replay as aylien_replay
from reproductions.aylien import settings as aylien_settings
from reproductions.multimodal import gan as multimodal
from reproductions.multimodal import replay as multimodal_replay
from reproductions.multimodal import settings as multimodal_settings

TRACES = sorted(DATA.glob('aylien_2016-12_*.npz'))


SEEDS = np.array([3, 4], np.uint32)


# --- Aylien's program as a special case ---------------------------------------------------------------------------------------


@pytest.mark.statistical
@pytest.mark.parametrize('path', [TRACES[0], TRACES[-1]], ids=['minibatch', 'plain'])
def test_with_ayliens_generator_its_traces_replay(path):
    """Bit for bit as Aylien's own post, which agrees with the traces."""
    assert len(TRACES) == 5
    ours, theirs = multimodal_replay.replay_trace(path), aylien_replay.replay_trace(path)
    assert replay.worst_judged(ours) <= 1e-4
    np.testing.assert_array_equal(ours['reproduced'], theirs['reproduced'])


def test_d_is_ayliens():
    x = tf.constant(np.linspace(-8, 8, 24, dtype=np.float32).reshape(2, 1, 12))
    for minibatch, learning_rate in ((False, 0.1), (True, 0.005)):
        settings, theirs = (
            multimodal_settings.make_settings(modes=2, minibatch=minibatch),
            aylien_settings.make_settings('2016-12', minibatch=minibatch),
        )
        d, _ = multimodal.make_experiment(settings).init(SEEDS)
        for ours, other in zip(tf.nest.flatten(d), tf.nest.flatten(aylien.init_discriminator(theirs, SEEDS)), strict=True):
            np.testing.assert_array_equal(ours, other)
        np.testing.assert_array_equal(multimodal.discriminator(settings, d, x), aylien.discriminator(theirs, d, x))
        assert settings.learning_rate == learning_rate


# --- Data ---------------------------------------------------------------------------------------------------------------------


def test_default_modes():
    one, guessed = (multimodal_settings.make_settings(variant, modes=1) for variant in ('inferred', 'guessed'))
    assert (one.means, one.deviations, guessed.means, guessed.deviations) == ((4.0,), (0.5,), (0.0,), (0.5,))
    assert multimodal_settings.default_modes(2) == ((-4.0, 4.0), (0.5, 0.5))
    assert multimodal_settings.default_modes(3) == ((-4.0, 0.0, 4.0), (0.5, 0.5, 0.5))
    for modes in (5, 10, 15, 100):
        means, deviations = multimodal_settings.default_modes(modes)
        assert (means[0], means[-1], len(means)) == (-4, 4, modes)
        np.testing.assert_allclose(np.diff(means) / deviations[1:], 8)


@pytest.mark.parametrize('modes', [1, 2, 3, 5, 10, 15])
def test_every_batch_has_as_many_samples_of_each_mode(modes):
    settings = multimodal_settings.make_settings(modes=modes)
    assert settings.batch_size == 60
    assert multimodal_settings.make_settings(modes=modes, variant='guessed').batch_size == {5: 15, 10: 20, 15: 15}.get(
        modes, 12
    )
    assert settings.hidden_sizes == (4 * modes,) * 3
    for step in (0, 7):
        x = multimodal.real_samples(settings, SEEDS, step, settings.batch_size).numpy()[:, 0]
        nearest = np.abs(x[..., None] - np.array(settings.means)).argmin(axis=-1)
        for row in nearest:
            np.testing.assert_array_equal(np.bincount(row, minlength=modes), settings.batch_size // modes)


def test_modes_that_do_not_divide_the_batch_take_turns_from_batch_to_batch():
    settings = multimodal_settings.make_settings(modes=3, batch_size=8)
    batches = [multimodal.real_samples(settings, SEEDS, step, 8).numpy()[0, 0] for step in range(9)]
    counts = [np.bincount(np.abs(x[:, None] - np.array(settings.means)).argmin(axis=1), minlength=3) for x in batches]
    assert all(sorted(count) == [2, 3, 3] for count in counts)
    assert [int(count.argmin()) for count in counts] == [2, 1, 0] * 3  # the modes take turns at having fewer
    np.testing.assert_array_equal(np.sum(counts[:3], axis=0), [8, 8, 8])


def test_samples_of_a_mode_have_its_mean_and_standard_deviation():
    settings = multimodal_settings.make_settings(modes=3, means=(-5.0, 1.0, 4.0), deviations=(0.5, 0.2, 0.7))
    x = multimodal.real_samples(settings, tf.constant(np.arange(100, dtype=np.uint32)), 0, 300).numpy()[:, 0]
    for i, (mean, std) in enumerate(zip(settings.means, settings.deviations, strict=True)):
        assert x[:, i::3].mean() == pytest.approx(mean, abs=4 * std / 100)
        assert x[:, i::3].std() == pytest.approx(std, rel=0.03)
        assert scipy.stats.kstest((x[:, i::3].ravel() - mean) / std, 'norm').pvalue > 1e-3


def test_pretraining_target_is_the_density():
    settings = multimodal_settings.make_settings(modes=3, means=(-5.0, 1.0, 4.0), deviations=(0.5, 0.2, 0.7))
    x, y = multimodal.pretraining_batch(settings, SEEDS, 3)
    assert x.shape == y.shape == (2, 1, 60) and np.abs(x).max() <= 5
    parts = [scipy.stats.norm.pdf(x, m, s) for m, s in zip(settings.means, settings.deviations, strict=True)]
    np.testing.assert_allclose(y, np.mean(parts, axis=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(multimodal.truth(settings).pdf(x), y, rtol=1e-4, atol=1e-6)


# --- Networks and outcomes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('activation', multimodal_settings.ACTIVATIONS)
def test_generator(activation):
    settings = multimodal_settings.make_settings(modes=3, hidden_sizes=(12, 8, 8), activation=activation)
    g = multimodal.init_generator(settings, SEEDS)
    assert [layer.w.shape[1:] for layer in g] == [(12, 1), (8, 12), (8, 8), (1, 8)]
    z = np.linspace(-8, 8, 12)
    functions = {
        'tanh': np.tanh,
        'softplus': lambda v: np.logaddexp(v, 0),
        'relu': lambda v: np.maximum(v, 0),
        'sigmoid': lambda v: 1 / (1 + np.exp(-v)),
    }
    x = z[None]
    for layer in g[:-1]:
        x = functions[activation](layer.w[0].numpy().astype(np.float64) @ x)  # biases are 0
    expected = g[-1].w[0].numpy() @ x
    found = multimodal.generator(settings, g, tf.constant(np.tile(z, (2, 1))[:, None], tf.float32))
    np.testing.assert_allclose(found[0], expected, rtol=1e-4, atol=1e-4)


def test_the_variants_differ_in_what_the_inference_changed():
    """`inferred` is the candidate of the committed inference, `guessed` has Aylien's batch and learning rate of that time."""
    theirs = aylien_settings.make_settings(multimodal_settings.AYLIEN)
    for modes, mean in ((1, 4.0), (3, 0.0)):
        inferred, guessed = (multimodal_settings.make_settings(modes=modes, variant=name) for name in ('inferred', 'guessed'))
        changed = {name for name, value in identity(inferred).items() if value != getattr(guessed, name, value)}
        assert changed == {'batch_size', 'learning_rate'} | ({'means'} if modes == 1 else set())
        assert (guessed.batch_size, guessed.learning_rate) == (theirs.batch_size, theirs.learning_rate)
        assert inferred.means[modes // 2] == mean


def test_widths_follow_from_modes_layers_and_h():
    assert multimodal_settings.make_settings(modes=2).hidden_sizes == (8, 8, 8)
    assert multimodal_settings.make_settings(modes=3, hidden_size=5, layers=2).hidden_sizes == (15, 15)
    assert multimodal_settings.make_settings(modes=3, hidden_sizes=(12, 8, 8)).hidden_sizes == (12, 8, 8)


def test_success_is_what_its_docstring_says():
    points = (np.arange(12_000) + 0.5) / 12_000

    def distance(settings, samples):
        found = metrics.wasserstein(np.sort(samples)[None], multimodal.truth(settings))[0]
        return found / multimodal.success_threshold(settings)

    for modes in (1, 2, 3, 15):
        settings = multimodal_settings.make_settings(modes=modes)
        means = np.repeat(settings.means, 12_000 // modes)
        assert distance(settings, means) == pytest.approx(0.80, abs=0.005)
        width = settings.deviations[0]
        quantiles = multimodal.truth(settings).ppf(points)
        assert distance(settings, quantiles + 0.99 * width) < 1 < distance(settings, quantiles + 1.01 * width)
    for modes in (3, 15):
        settings = multimodal_settings.make_settings(modes=modes)
        cells = 4 + 4 * settings.deviations[0]
        assert distance(settings, -cells + 2 * cells * points) == pytest.approx(1.2, abs=0.02)
    three = multimodal_settings.make_settings(modes=3)
    missing = three._replace(means=(-4.0, 0.0, 0.0))  # the third mode's mass on the second
    assert distance(three, multimodal.truth(missing).ppf(points)) == pytest.approx(8 / 3, abs=0.01)


@pytest.mark.statistical
def test_records_are_dense_where_the_post_converges():
    settings = multimodal_settings.make_settings(modes=1, pretrain_steps=0)
    _, history, _ = outcomes.train_many(multimodal, settings, 5, 2, num_steps=1000)
    assert history['step'].tolist() == sorted({*range(0, 401, 5), *range(0, 1000, 50), 899, 999})
    assert history['wasserstein'].shape == (2, len(history['step']))


@pytest.mark.statistical
def test_recorded_distance_is_that_of_the_generator():
    settings = multimodal_settings.make_settings(modes=3, pretrain_steps=0)
    table, history, _ = outcomes.train_many(multimodal, settings, 5, 20, num_steps=60)
    np.testing.assert_allclose(history['wasserstein'][:, -1], table['wasserstein'], rtol=0.1)  # 256 points against 10,000
    np.testing.assert_allclose(history['mean'][:, -1], table['mean'], atol=0.05)


def test_noise_range_reaches_the_outcomes():
    """G is evaluated on the noise that it was trained with, D on the grid of the figure."""
    settings = multimodal_settings.make_settings(modes=2, noise_range=2.0)
    d, g = multimodal.make_experiment(settings).init(SEEDS)
    grid = np.linspace(-8, 8, aylien_settings.PLOT_POINTS, dtype=np.float32)[: 10_000 // 60 * 60]
    decision, generated = multimodal.evaluation(settings).surfaces(d, g)
    tiled = np.tile(grid, (2, 1))[:, None]
    np.testing.assert_allclose(generated, multimodal.generator(settings, g, tf.constant(tiled / 4))[:, 0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(decision, multimodal.discriminator(settings, d, tf.constant(tiled))[:, 0], rtol=1e-4, atol=1e-5)


def test_peak_height():
    settings = multimodal_settings.make_settings(modes=1, means=(0.0,))
    quantiles = multimodal.truth(settings).ppf((np.arange(10_000) + 0.5) / 10_000)
    samples = np.stack([quantiles, quantiles / 2, np.zeros(10_000), np.full(10_000, np.nan), np.full(10_000, 99.0)])
    height = multimodal.peak_height(settings, samples)
    edge = 8 / 99  # the bin around 0 reaches from -edge to edge
    tallest = 1 - 2 * scipy.stats.norm.sf(edge, 0, 0.5)
    narrow = 1 - 2 * scipy.stats.norm.sf(edge, 0, 0.25)
    np.testing.assert_allclose(height, [1, narrow / tallest, 1 / tallest, np.nan, 0], rtol=1e-3)


@pytest.mark.statistical
@pytest.mark.parametrize('runs', [7, 300])
def test_row_of_an_ensemble_equals_the_single_run(runs):
    settings = multimodal_settings.make_settings(modes=3, variant='guessed', pretrain_steps=5)
    row_of_an_ensemble_equals_the_single_run(multimodal.make_experiment(settings), runs)


@pytest.mark.statistical
@pytest.mark.parametrize('modes', [3, 10])
def test_rows_of_large_products_equal_the_single_run(modes):
    """Beyond 4,096 products a layer uses `matmul`, which rounds differently; training amplifies that within ten steps."""
    experiment = multimodal.make_experiment(multimodal_settings.make_settings(modes=modes, pretrain_steps=0))
    row_of_an_ensemble_equals_the_single_run(experiment, 3, steps=5)


@pytest.mark.statistical
def test_a_second_training_of_the_same_settings_does_not_retrace():
    settings = multimodal_settings.make_settings(modes=2, pretrain_steps=0, batch_size=14)
    for seed in (0, 10):
        outcomes.train_many(multimodal, settings, seed, 3, num_steps=500)
    assert multimodal.make_experiment(settings).train_loop.experimental_get_tracing_count() == 1


@pytest.mark.statistical
def test_early_records_do_not_change_the_training():
    settings = multimodal_settings.make_settings(modes=2, pretrain_steps=0)
    experiment = multimodal.make_experiment(settings)
    _, dense, _ = outcomes.train_many(multimodal, settings, 9, 2, num_steps=200)
    strategy, seeds = distribution.make_strategy('cpu', 2), np.arange(9, 11, dtype=np.uint32)
    records = [r for _, r in training.train(experiment._replace(early=()), strategy, seeds, 200, 50)]
    sparse = training.join_records(records)
    shared = np.isin(dense['step'], sparse['step'])
    np.testing.assert_array_equal(dense['wasserstein'][:, shared], sparse['wasserstein'])


def test_noise_is_ayliens():
    settings = multimodal_settings.make_settings(modes=1, batch_size=12)
    theirs = aylien.noise(aylien_settings.make_settings('2016-12'), SEEDS, Stream.NOISE_D, 7)
    np.testing.assert_array_equal(multimodal.noise(settings, SEEDS, Stream.NOISE_D, 7), theirs)
