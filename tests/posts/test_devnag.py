"""Dev Nag's post: traces, the batch as one input, networks, a row of an ensemble equals a single-seed run."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from helpers.paths import DATA
from helpers.post_checks import row_of_an_ensemble_equals_the_single_run

from common.devices import distribution
from common.evaluation import replay
from common.nn import optimizers, random
from common.nn.random import Stream
from reproductions.devnag import gan as devnag
from reproductions.devnag import replay as devnag_replay
from reproductions.devnag import settings as devnag_settings

TRACES = sorted(DATA.glob('devnag_*.npz'))
QUICK = devnag_settings.make_settings(batch_size=20, d_steps=2, g_steps=3)


# --- Parity -------------------------------------------------------------------------------------------------------------------


def load(path):
    meta, arrays = replay.load(path, 'devnag')
    return devnag_replay.trace_settings(meta), meta['epochs'], arrays


def bound(path):
    """On relative errors, over all updates: for gradient descent 16 rounding errors of a loss, 6e-8 each.

    Adam divides gradients that are mere rounding errors by their size, so it is allowed a hundred times as much; the record is
    that far from double precision, too.
    """
    return 1e-4 if '2017' in path.stem else 1e-6


@pytest.mark.parametrize('path', TRACES, ids=[path.stem.removeprefix('devnag_') for path in TRACES])
def test_trace_replays_over_all_updates(path):
    settings, rounds, arrays = load(path)
    ours, train_state = devnag_replay.retrain(settings, rounds, arrays)
    assert len(ours['loss_d_real']) == rounds * settings.d_steps and len(ours['loss_g']) == rounds * settings.g_steps
    for name in devnag_replay.LOSSES:
        assert replay.relative_error(arrays[name], ours[name]).max() <= bound(path), name
    for network, layers_of in (('D', train_state.d), ('G', train_state.g)):
        for i, layer in enumerate(layers_of, start=1):
            np.testing.assert_allclose(layer.w[0], arrays[f'final/{network}/map{i}/w'], atol=1e-5)
            np.testing.assert_allclose(layer.b[0, :, 0], arrays[f'final/{network}/map{i}/b'], atol=1e-5)


def test_there_is_a_trace_of_every_variant_and_view():
    assert {load(path)[0][:2] for path in TRACES} == {
        (name, view) for name in devnag_settings.VARIANTS for view in devnag_settings.make_settings(name).views
    }


@pytest.mark.parametrize(
    ('trace', 'name', 'other'),
    [
        ('2017', 'make_optimizer', lambda settings, rate: optimizers.adam(settings.learning_rate)),
        ('2018_moments', 'make_optimizer', lambda settings, rate: optimizers.momentum(settings.learning_rate, 0.8)),
        ('2018_data_and_diffs', 'view', lambda settings, x: attached_diffs(x)),
    ],
    ids=["TensorFlow 1's Adam", 'another momentum', 'a mean that is not detached'],
)
def test_a_wrong_program_departs_from_the_record(trace, name, other, monkeypatch):
    """The bounds are tight enough to detect it."""
    path = DATA / f'devnag_{trace}_seed0.npz'
    settings, rounds, arrays = load(path)
    monkeypatch.setattr(devnag, name, other)
    ours, _ = devnag_replay.retrain(settings, rounds, arrays)
    assert max(replay.relative_error(arrays[name], ours[name]).max() for name in devnag_replay.LOSSES) > bound(path)


def attached_diffs(x):
    column = tf.transpose(x, [0, 2, 1])
    return tf.concat([column, column - tf.reduce_mean(column, axis=1, keepdims=True)], axis=1)


# --- The batch is one input ---------------------------------------------------------------------------------------------------


def test_moments_are_those_of_scipy():
    x = np.random.default_rng(0).gamma(2, size=(3, 1, 500)).astype(np.float32)
    found = devnag.moments(tf.constant(x)).numpy()
    assert found.shape == (3, 4, 1)
    rows = x[:, 0].astype(np.float64)
    expected = [rows.mean(1), rows.std(1), scipy.stats.skew(rows, axis=1), scipy.stats.kurtosis(rows, axis=1)]
    np.testing.assert_allclose(found[:, :, 0].T, expected, rtol=1e-4)


def test_the_gradient_of_the_moments_is_that_of_their_definition():
    def plain(x):
        mean = tf.reduce_mean(x, axis=2, keepdims=True)
        std = tf.sqrt(tf.reduce_mean((x - mean) ** 2, axis=2, keepdims=True))
        z = (x - mean) / std
        higher = [tf.reduce_mean(z**power, axis=2, keepdims=True) for power in (3, 4)]
        return tf.concat([mean, std, higher[0], higher[1] - 3], axis=1)

    rng = np.random.default_rng(1)
    x = tf.constant(rng.gamma(2, size=(4, 1, 50)))  # in double precision; run i has the gradient of moment i only
    upstream = tf.constant(np.eye(4)[:, :, None] * rng.normal(size=(4, 1, 1)))
    gradients = []
    for function in (plain, devnag.moments):
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(function(x) * upstream)
        gradients.append(tape.gradient(total, x).numpy())
    assert np.abs(gradients[0]).max(axis=(1, 2)).min() > 1e-4
    np.testing.assert_allclose(gradients[1], gradients[0], rtol=1e-9, atol=1e-12)


def test_views_by_hand():
    x = tf.constant([[[1.0, 2.0, 6.0]]])  # mean 3
    for preprocess, expected in (
        ('raw', [1, 2, 6]),
        ('variances', [1, 2, 6, 4, 1, 9]),
        ('diffs', [1, 2, 6, -2, -1, 3]),
        ('moments', [3, np.sqrt(14 / 3), (-8 - 1 + 27) / 3 / (14 / 3) ** 1.5, (16 + 1 + 81) / 3 / (14 / 3) ** 2 - 3]),
    ):
        found = devnag.view(devnag_settings.make_settings(preprocess=preprocess), x)
        np.testing.assert_allclose(found[0, :, 0], expected, rtol=1e-5)


def test_the_mean_taken_from_the_samples_is_not_differentiated():
    x = tf.constant([[[1.0, 2.0, 6.0]]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        squares = tf.reduce_sum(
            devnag.view(devnag_settings.make_settings(preprocess='variances'), x)[:, 3:] * [[[1.0], [0.0], [0.0]]]
        )
    np.testing.assert_allclose(tape.gradient(squares, x)[0, 0], [-4, 0, 0])  # with the mean it would be (-8/3, 4/3, 4/3)


@pytest.mark.parametrize('variant', devnag_settings.VARIANTS)
def test_one_decision_per_batch_and_run_and_real_and_generated_batches_do_not_mix(variant):
    settings = devnag_settings.make_settings(variant, batch_size=30)
    seeds = tf.constant([1, 2, 3], tf.uint32)
    train_step = devnag.make_train_step(settings)
    d, g = devnag.init_discriminator(settings, seeds), devnag.init_generator(settings, seeds)
    x, z = train_step.draw_d(seeds, 0)
    real, fake = devnag.losses_of_d(settings, d, x, train_step.generate(g, z))
    assert real.shape == fake.shape == (3,)
    for loss, batch, label in ((real, x, 1), (fake, devnag.generator(settings, g, z), 0)):
        decision = devnag.discriminator(settings, d, batch)
        assert decision.shape == (3, 1, 1)
        np.testing.assert_allclose(loss, -np.log(decision if label else 1 - decision)[:, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(train_step.loss_d(d, x, train_step.generate(g, z)), real + fake, rtol=1e-6)
    changed = x.numpy()
    changed[1, 0, 29] += 5  # one sample of one run
    moved = devnag.losses_of_d(settings, d, tf.constant(changed), train_step.generate(g, z))
    assert moved[0][1] != real[1] and moved[0][0] == real[0] and moved[0][2] == real[2]
    np.testing.assert_array_equal(moved[1], fake)


def test_runs_are_sharded_over_devices_and_batches_are_not_split():
    strategy = distribution.make_strategy('mirrored', 2)
    shared = distribution.share_out(strategy, np.arange(6, dtype=np.uint32))
    batch_of_d = devnag.make_experiment(QUICK).train_step.draw_d
    assert [batch_of_d(shard, 0)[0].shape for shard in strategy.experimental_local_results(shared)] == [(3, 1, 20), (3, 1, 20)]


# --- A row of an ensemble equals a single-seed run ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('settings', 'rounds', 'runs'),
    [
        (devnag_settings.make_settings(), 1, 200),  # 20 updates of each
        pytest.param(
            devnag_settings.make_settings(d_steps=1, g_steps=1), 20, 7, marks=pytest.mark.statistical
        ),  # the loss of each update
        pytest.param(
            devnag_settings.make_settings(preprocess='diffs', d_steps=1, g_steps=1, batch_size=50),
            20,
            7,
            marks=pytest.mark.statistical,
        ),
        pytest.param(devnag_settings.make_settings('2017-02'), 20, 7, marks=pytest.mark.statistical),
    ],
    ids=['2018-11', '2018-11, every update', 'diffs', '2017-02'],
)
def test_row_of_an_ensemble_equals_the_single_run(settings, rounds, runs):
    row_of_an_ensemble_equals_the_single_run(devnag.make_experiment(settings), runs, steps=rounds)


# --- As published -------------------------------------------------------------------------------------------------------------


def test_settings_are_the_published_ones():
    published = {
        'variant': '2018-11', 'preprocess': 'moments', 'batch_size': 500, 'd_steps': 20, 'g_steps': 20, 'learning_rate': 0.001,
        'd_learning_rate': None, 'g_learning_rate': None, 'momentum': 0.9, 'beta1': 0.9, 'beta2': 0.999, 'epsilon': 1e-8,
        'init_scale': 1.0, 'noise_range': 1.0, 'mu': 4.0, 'sigma': 1.25, 'default_steps': 5000,
    }  # fmt: skip
    older = {
        'variant': '2017-02', 'preprocess': 'variances', 'batch_size': 100, 'd_steps': 1, 'g_steps': 1, 'learning_rate': 0.0002,
        'default_steps': 30_000, 'g_activations': ('elu', 'sigmoid'), 'd_activations': ('elu', 'elu'),
    }  # fmt: skip
    for variant, wanted in (('2018-11', published), ('2017-02', older)):
        settings = devnag_settings.make_settings(variant)
        assert {name: getattr(settings, name) for name in wanted} == wanted


def test_networks_have_the_posts_shapes():
    seeds = tf.constant([3], tf.uint32)
    features = {'moments': 4, 'raw': 500, 'variances': 1000, 'diffs': 1000}
    for preprocess, inputs in features.items():
        d = devnag.init_discriminator(devnag_settings.make_settings(preprocess=preprocess), seeds)
        assert [layer.w.shape[1:] for layer in d] == [(10, inputs), (10, 10), (1, 10)]
    g = devnag.init_generator(devnag_settings.make_settings(), seeds)
    assert [layer.w.shape[1:] for layer in g] == [(5, 1), (5, 5), (1, 5)]
    settings = devnag_settings.make_settings('2017-02')
    assert [layer.w.shape[1:] for layer in devnag.init_discriminator(settings, seeds)] == [(50, 200), (50, 50), (1, 50)]
    assert [layer.w.shape[1:] for layer in devnag.init_generator(settings, seeds)] == [(50, 1), (50, 50), (1, 50)]


def test_streams_of_the_post_do_not_overlap():
    """The random words behind weights, data and noise of the first updates are all different, for two runs."""
    seeds = tf.constant([42, 43], tf.uint32)
    uses = {(Stream.WEIGHTS_G, 0, 46), (Stream.WEIGHTS_D, 0, 171)}
    uses |= {(stream, update, 100) for stream in (Stream.DATA, Stream.NOISE_D, Stream.NOISE_G) for update in range(40)}
    words = np.concatenate([random.bits(seeds, *use).numpy().ravel() for use in sorted(uses)])
    assert len(words) - len(np.unique(words)) <= 1  # 24,434 words of 32 bits: 0.07 collisions are expected by chance
