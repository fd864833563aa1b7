"""Aylien's post: traces, a row of an ensemble equals a single-seed run, networks and outcomes."""

import numpy as np
import pytest
import tensorflow as tf
from helpers.paths import DATA
from helpers.post_checks import COLUMNS, row_of_an_ensemble_equals_the_single_run

from common import training
from common.evaluation import metrics, outcomes, replay
from common.nn import random
from common.plotting import densities
from common.storage import files
from reproductions.aylien import gan as aylien
from reproductions.aylien import replay as aylien_replay
from reproductions.aylien import settings as aylien_settings

TRACES = sorted(DATA.glob('aylien_*.npz'))
FIRST = {path.stem.rpartition('_')[0]: path for path in reversed(TRACES)}.values()  # of each variant and branch


# --- Parity -------------------------------------------------------------------------------------------------------------------


def errors_of(columns, quantity):
    chosen = [q == quantity for q in columns['quantity']]
    return np.array(columns['relative_error'])[chosen], np.array(columns['recorded'])[chosen]


@pytest.mark.parametrize(
    'path',
    [pytest.param(path, marks=[] if path in FIRST else pytest.mark.statistical) for path in TRACES],
    ids=[path.stem.removeprefix('aylien_') for path in TRACES],
)
def test_trace_replays(path):
    columns = aylien_replay.replay_trace(path)
    assert replay.worst_judged(columns) <= replay.TOLERANCE
    meta, _ = replay.load(path, 'aylien')
    loss_d, recorded = errors_of(columns, 'loss_d')
    assert len(loss_d) == meta['steps']
    if meta['variant'] != '2017-06':  # pre-training is not chaotic: 1,000 steps with six learning-rate decays
        pre_loss, _ = errors_of(columns, 'pre_loss')
        assert len(pre_loss) == 1000 and pre_loss.max() <= 1e-5
    if np.isnan(recorded).any():  # saturated from the first step: NaN at every later one, in the record and in ours
        assert np.isinf(recorded[0]) and np.isnan(recorded[1:]).all() and loss_d.max() == 0
    if meta['variant'] == '2016-08' and not meta['minibatch']:  # a smooth trajectory: 500 steps with three learning-rate decays
        assert max(loss_d.max(), errors_of(columns, 'loss_g')[0].max()) <= 1e-4


@pytest.mark.statistical
def test_the_run_that_departs_from_its_record_is_chaotic(tmp_path):
    """2016-12 plain, seed 42, oscillates at its learning rate of 0.03.

    It follows the record while rounding errors are small, just as long as it follows itself when one layer is changed by one
    part in a million.
    """
    path = DATA / 'aylien_2016-12_plain_seed42.npz'
    arrays = files.read_npz(path)
    arrays['init/D_pre/d0/w'] = arrays['init/D_pre/d0/w'] * np.float32(1 + 1e-6)
    np.savez(tmp_path / 'changed.npz', **arrays)
    ours, changed = (aylien_replay.replay_trace(p) for p in (path, tmp_path / 'changed.npz'))
    assert errors_of(ours, 'loss_d')[0][:80].max() <= 1e-4
    losses = [np.array(c['reproduced'])[np.array(c['quantity']) == 'loss_d'] for c in (ours, changed)]
    apart = replay.relative_error(*losses)
    assert apart[:50].max() <= 1e-3 and apart[200:].max() >= 0.1


def test_there_is_a_trace_of_every_variant_and_branch():
    names = {tuple(path.stem.split('_')[1:3]) for path in TRACES}
    assert names == {(variant, branch) for variant in aylien_settings.VARIANTS for branch in ('plain', 'minibatch')}


def test_pretraining_target_is_the_recorded_density():
    _, arrays = replay.load(DATA / 'aylien_2016-08_plain_seed42.npz', 'aylien')
    truth = aylien.truth(aylien_settings.make_settings())
    np.testing.assert_allclose(truth.pdf(arrays['pre_x']), arrays['pre_y'], rtol=1e-4, atol=1e-6)
    x, y = aylien.pretraining_batch(aylien_settings.make_settings(), tf.constant([1, 2], tf.uint32), 3)
    assert x.shape == y.shape == (2, 1, 12)
    np.testing.assert_allclose(truth.pdf(x), y, rtol=1e-4, atol=1e-6)
    assert np.abs(x).max() <= 5


@pytest.mark.parametrize('minibatch', [False, True])
def test_the_order_inside_a_batch_changes_no_loss(minibatch):
    """The post sorts its samples; ours are not sorted."""
    settings = aylien_settings.make_settings(minibatch=minibatch)
    seeds = tf.constant(np.arange(50, dtype=np.uint32))
    train_step = aylien.make_train_step(settings)
    d, g = aylien.init_discriminator(settings, seeds), aylien.init_generator(settings, seeds)
    x, z = train_step.draw_d(seeds, 0)
    loss, ordered = (train_step.loss_d(d, batch, train_step.generate(g, z)).numpy() for batch in (x, tf.sort(x, axis=2)))
    np.testing.assert_array_equal(np.isfinite(loss), np.isfinite(ordered))
    finite = np.isfinite(loss)
    np.testing.assert_allclose(loss[finite], ordered[finite], rtol=1e-5)


# --- A row of an ensemble equals a single-seed run ----------------------------------------------------------------------------


@pytest.mark.parametrize('runs', [*(pytest.param(runs, marks=pytest.mark.statistical) for runs in (2, 7)), 1000])
@pytest.mark.parametrize(
    'settings',
    [
        pytest.param(aylien_settings.make_settings('2017-06'), marks=pytest.mark.statistical),
        pytest.param(aylien_settings.make_settings('2017-06', minibatch=True), marks=pytest.mark.statistical),
        aylien_settings.make_settings('2016-12', pretrain_steps=5),
    ],
    ids=['2017-06 plain', '2017-06 minibatch', '2016-12 plain'],
)
def test_row_of_an_ensemble_equals_the_single_run(settings, runs):
    row_of_an_ensemble_equals_the_single_run(aylien.make_experiment(settings), runs)


def test_results_depend_on_the_seeds_alone():
    settings = aylien_settings.make_settings('2017-06')
    a, b, c = (outcomes.train_many(aylien, settings, seed, 3, num_steps=60, every=20)[0] for seed in (7, 7, 8))
    for name in COLUMNS:
        np.testing.assert_array_equal(a[name], b[name])  # the same seeds, the same bits
    assert not np.intersect1d(a['mean'], c['mean'][-1:]).size  # seed 10 is not among 7, 8, 9
    np.testing.assert_allclose(a['mean'][1:], c['mean'][:-1], rtol=1e-4)


# --- Networks and outcomes ----------------------------------------------------------------------------------------------------


def test_networks_have_the_posts_shapes():
    seeds = tf.constant([3], tf.uint32)
    plain = aylien.init_discriminator(aylien_settings.make_settings(), seeds)
    assert [layer.w.shape[1:] for layer in plain] == [(8, 1), (8, 8), (8, 8), (1, 8)]
    minibatch = aylien.init_discriminator(aylien_settings.make_settings(minibatch=True), seeds)
    assert [layer.w.shape[1:] for layer in minibatch] == [(8, 1), (8, 8), (15, 8), (1, 13)]
    assert [layer.w.shape[1:] for layer in aylien.init_generator(aylien_settings.make_settings(), seeds)] == [(4, 1), (1, 4)]
    many = aylien.init_discriminator(
        aylien_settings.make_settings(minibatch=True), tf.constant(np.arange(2000, dtype=np.uint32))
    )
    assert np.std(many[2].w) == pytest.approx(0.02, rel=0.02) and np.std(many[1].w) == pytest.approx(1, rel=0.02)


def test_settings_are_the_published_ones():
    """Learning rates without and with the minibatch layer, pre-training, log floor, self term, batch, steps."""
    names = ('pretrain_steps', 'log_floor', 'self_distance', 'batch_size', 'default_steps', 'activation', 'optimizer')
    made = [aylien_settings.make_settings(variant) for variant in ('2016-08', '2016-12', '2017-06')]
    assert [tuple(getattr(settings, name) for name in names) for settings in made] == [
        (1000, 0, 1, 12, 1200, 'tanh', 'gradient descent'),
        (1000, 0, 0, 12, 1200, 'tanh', 'gradient descent'),
        (0, 1e-5, 0, 8, 5001, 'relu', 'adam'),
    ]
    with_layer = [aylien_settings.make_settings(variant, minibatch=True) for variant in ('2016-08', '2016-12', '2017-06')]
    assert [(a.learning_rate, b.learning_rate) for a, b in zip(made, with_layer, strict=True)] == [
        (0.005, 0.005), (0.03, 0.005), (0.001, 0.001),
    ]  # fmt: skip
    published = {
        'hidden_size': 4, 'd_hidden_sizes': (8, 8, 8), 'd_steps': 1, 'g_steps': 1, 'd_learning_rate': None,
        'g_learning_rate': None, 'decay': 0.95, 'beta1': 0.9, 'beta2': 0.999, 'epsilon': 1e-8, 'init_scale': 1.0,
        'noise_range': 8.0, 'mu': 4.0, 'sigma': 0.5,
    }  # fmt: skip
    assert {name: getattr(made[0], name) for name in published} == published


def test_the_minibatch_learning_rate_of_2016_12_is_the_smaller_one():
    assert aylien_settings.make_settings('2016-12').learning_rate == 0.03
    assert aylien_settings.make_settings('2016-12', minibatch=True).learning_rate == 0.005
    assert aylien_settings.make_settings('2016-12', learning_rate=0.1).learning_rate == 0.1


def test_surfaces_omit_the_incomplete_batch_and_the_figure_draws_it_as_zero():
    settings = aylien_settings.make_settings()
    seeds = tf.constant([0, 1], tf.uint32)
    train_state = training.TrainState(
        0, aylien.init_discriminator(settings, seeds), aylien.init_generator(settings, seeds), (), ()
    )
    train_state = tf.nest.map_structure(np.asarray, train_state)
    evaluation = aylien.evaluation(settings)
    decision, generated = aylien.outcomes.surfaces_of(evaluation, train_state, [1])
    assert decision.shape == generated.shape == (1, 9996)
    z = tf.constant(np.linspace(-8, 8, 10_000, dtype=np.float32)[None, None, :9996])
    one = tf.nest.map_structure(lambda value: tf.constant(value[1:]), (train_state.d, train_state.g))
    np.testing.assert_allclose(generated, aylien.generator(settings, one[1], z)[:, 0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(decision, aylien.discriminator(settings, one[0], z)[:, 0], rtol=1e-4, atol=1e-5)
    drawn, density = densities.curves(evaluation, aylien.BINS, train_state, 1)
    assert drawn.shape == (10_000,) and (drawn[-4:] == 0).all() and drawn[-5] > 0
    assert density.sum() * 16 / 99 == pytest.approx(1)


def test_success_is_what_its_docstring_says():
    settings = aylien_settings.make_settings()
    truth, bound = aylien.truth(settings), aylien.success_threshold(settings)
    quantiles = truth.ppf((np.arange(10_000) + 0.5) / 10_000)
    for width, passes in ((0, False), (0.35, False), (0.4, True), (1, True)):
        shrunk = 4 + width * (quantiles - 4)
        assert (metrics.wasserstein(shrunk[None], truth)[0] < bound) == passes


def test_a_second_training_of_the_same_settings_does_not_retrace():
    settings = aylien_settings.make_settings('2017-06', batch_size=5)
    for seed in (0, 10):
        outcomes.train_many(aylien, settings, seed, 3, num_steps=200, every=50)
    assert aylien.make_experiment(settings).train_loop.experimental_get_tracing_count() == 1
    assert aylien.evaluation(settings).surfaces.experimental_get_tracing_count() == 1


def test_streams_of_the_post_do_not_overlap():
    """The random words behind weights, data and noise of the first steps are all different, for two runs."""
    seeds = tf.constant([42, 43], tf.uint32)
    uses = {(random.Stream.WEIGHTS_G, 0, 8), (random.Stream.WEIGHTS_D, 0, 256)}
    uses |= {(s, step, 12) for s in (random.Stream.DATA, random.Stream.NOISE_D, random.Stream.NOISE_G) for step in range(20)}
    words = np.concatenate([random.bits(seeds, *use).numpy().ravel() for use in sorted(uses)])
    assert len(np.unique(words)) == len(words)
