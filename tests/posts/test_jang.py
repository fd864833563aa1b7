"""Jang's post: traces, what sorting changes, a row of an ensemble equals a single-seed run, the command line."""

import csv
import json

import numpy as np
import pytest
import tensorflow as tf
from helpers.paths import DATA
from helpers.post_checks import (
    COLUMNS,
    bad_input_is_one_line_and_status_2,
    call,
    flags_of,
    resume_is_bit_for_bit,
    row_of_an_ensemble_equals_the_single_run,
    rows_of,
)

from common.evaluation import metrics, replay
from common.nn.random import Stream
from common.storage import files
from reproductions.jang import __main__ as jang_main
from reproductions.jang import figures as jang_figures
from reproductions.jang import gan as jang
from reproductions.jang import replay as jang_replay
from reproductions.jang import settings as jang_settings

TRACES = sorted(DATA.glob('jang_*.npz'))
SEEDS = np.array([3, 4], np.uint32)


# --- Parity -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('path', TRACES, ids=[path.stem for path in TRACES])
def test_trace_replays_over_all_its_steps(path):
    """Neither run is chaotic: an independent implementation agrees within 2e-5 throughout, and so must this one."""
    columns = jang_replay.replay_trace(path)
    meta, _ = replay.load(path, 'jang')
    assert len(columns['step']) == meta['pretrain_steps'] + 2 * meta['steps']
    assert set(columns['quantity']) == {'pre_loss', 'loss_d', 'loss_g'}
    assert max(columns['relative_error']) <= 2e-5


def test_both_traces_are_here():
    assert [path.stem for path in TRACES] == ['jang_m200_seed0', 'jang_m40_seed1']


def test_the_learning_rate_decays_every_quarter_of_the_iterations():
    opt_state = tf.zeros([1])
    for num_steps, every in ((10_000, 2500), (402, 100), (3, 1)):
        optimizer = jang.make_optimizer(jang_settings.make_settings(num_steps=num_steps))
        for count, factor in ((every - 1, 1), (every, 0.95), (3 * every, 0.95**3)):
            moved, _ = optimizer.update(tf.zeros([1]), tf.ones([1]), opt_state, tf.constant(count))
            np.testing.assert_allclose(moved, [-0.001 * factor], rtol=1e-5)


def test_pretraining_target_is_the_recorded_density():
    _, arrays = replay.load(DATA / 'jang_m40_seed1.npz', 'jang')
    np.testing.assert_allclose(
        jang.truth(jang_settings.make_settings()).pdf(arrays['pre_x']), arrays['pre_y'], rtol=1e-4, atol=1e-6
    )
    x, y = jang.pretraining_batch(jang_settings.make_settings(), SEEDS, 3)
    assert x.shape == y.shape == (2, 1, 200) and 4.9 < np.abs(x).max() <= 5
    np.testing.assert_allclose(jang.truth(jang_settings.make_settings()).pdf(x), y, rtol=1e-4, atol=1e-6)


# --- What the post says matters -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize('stratify', [True, False])
def test_sorting_changes_no_loss_and_no_gradient(stratify):
    """The same samples in another order: over 1,000 seeds, equal up to the order of summation."""
    seeds = tf.constant(np.arange(1000, dtype=np.uint32))
    settings = jang_settings.make_settings(stratify=stratify)
    d, g = jang.make_experiment(settings).init(seeds)
    found, batches = [], []
    for sort in (True, False):
        train_step = jang.make_train_step(settings._replace(sort=sort))
        x, z = train_step.draw_d(seeds, 5)
        for samples, ascending in ((x, sort), (z, sort or stratify)):
            assert (np.diff(samples.numpy()) >= 0).all() == ascending
        with tf.GradientTape(persistent=True) as tape:
            tape.watch((d, g))
            fake = train_step.generate(g, z)
            loss_d, loss_g = train_step.loss_d(d, x, fake), train_step.loss_g(d, fake)
        found.append([loss_d, loss_g, *tape.gradient(loss_d, tf.nest.flatten(d)), *tape.gradient(loss_g, tf.nest.flatten(g))])
        batches.append([np.sort(x, axis=2), np.sort(z, axis=2)])
    np.testing.assert_array_equal(*batches)
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-4)  # gradients are sums of terms up to 1 / 0.01


def test_noise_is_a_jittered_grid_or_independent():
    settings = jang_settings.make_settings()
    grid = jang.noise(settings, SEEDS, Stream.NOISE_D, 7).numpy()
    jitter = grid - np.linspace(-5, 5, 200)
    assert jitter.min() >= -1e-6 and jitter.max() <= 0.01 + 1e-6 and jitter.std() == pytest.approx(0.01 / 12**0.5, rel=0.1)
    many = tf.constant(np.arange(500, dtype=np.uint32))
    free = jang.noise(settings._replace(stratify=False, sort=False), many, Stream.NOISE_D, 7).numpy().ravel()
    assert free.mean() == pytest.approx(0, abs=0.05) and free.std() == pytest.approx(10 / 12**0.5, rel=0.01)
    assert abs(np.corrcoef(free[:-1], free[1:])[0, 1]) < 0.02


# --- Networks and outcomes ----------------------------------------------------------------------------------------------------


def test_networks_have_the_posts_shape_and_ranges():
    settings = jang_settings.make_settings()
    params = jang.init_mlp(settings, SEEDS, Stream.WEIGHTS_G)
    assert [layer.w.shape[1:] for layer in params] == [(6, 1), (5, 6), (1, 5)]
    x = tf.constant(np.linspace(-5, 5, 50, dtype=np.float32)[None, None] * np.ones([2, 1, 1], np.float32))
    w = [layer.w.numpy()[0] for layer in params]
    expected = np.tanh(w[2] @ np.tanh(w[1] @ np.tanh(w[0] @ x.numpy()[0])))  # biases are 0
    np.testing.assert_allclose(jang.mlp(settings, params, x)[0], expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(jang.generator(settings, params, x)[0], 5 * expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(jang.discriminator(settings, params, x)[0], np.clip(expected, 0.01, 0.99), rtol=1e-4, atol=1e-6)
    relu = jang.mlp(settings._replace(activation='relu'), params, x)[0]
    hidden = np.maximum(w[1] @ np.maximum(w[0] @ x.numpy()[0], 0), 0)
    np.testing.assert_allclose(relu, np.tanh(w[2] @ hidden), rtol=1e-4, atol=1e-6)


def test_the_clamp_has_no_gradient_outside():
    settings = jang_settings.make_settings()
    *hidden, last = jang.init_mlp(settings, SEEDS, Stream.WEIGHTS_D)
    for bias, moves in ((-9.0, False), (9.0, False), (0.5, True)):
        b = tf.fill([2, 1, 1], bias)
        with tf.GradientTape() as tape:
            tape.watch(b)
            p = jang.discriminator(settings, (*hidden, last._replace(w=last.w * 0, b=b)), tf.zeros([2, 1, 4]))
        assert (tape.gradient(p, b).numpy() != 0).all() == moves
        np.testing.assert_allclose(p, np.clip(np.tanh(bias), 0.01, 0.99), rtol=1e-6)


def test_success_is_what_its_comment_says():
    quantiles = jang.truth(jang_settings.make_settings()).ppf((np.arange(10_000) + 0.5) / 10_000)

    def distance(samples):
        return metrics.wasserstein(np.sort(samples)[None], jang.truth(jang_settings.make_settings()))[0]

    for width, passes in ((0.68, False), (0.7, True), (1.3, True), (1.32, False)):
        assert (distance(-1 + width * (quantiles + 1)) < jang.success_threshold(jang_settings.make_settings())) == passes
    for shift, passes in ((0.24, True), (0.26, False)):
        assert (distance(quantiles + shift) < jang.success_threshold(jang_settings.make_settings())) == passes
    assert distance(np.linspace(-5, 5, 10_000)) == pytest.approx(1.84, abs=0.005)
    assert distance(np.full(10_000, -1.0)) == pytest.approx(0.80, abs=0.005)


def test_flat_units_are_counted():
    settings = jang_settings.make_settings(hidden_sizes=(2, 1))
    w = [[[5.0], [1e-4]]], [[[1.0, 0.0]]], [[[1.0]]]
    params = [jang.layers.Linear(tf.constant(v), tf.zeros([1, len(v[0]), 1])) for v in w]
    points = tf.constant(np.linspace(-5, 5, 64, dtype=np.float32)[None, None])
    np.testing.assert_allclose(jang.flat_share(settings, params, points), [1 / 3])  # the second unit of the first layer


def test_published_histogram_is_mass_per_bin_over_its_own_range():
    np.testing.assert_allclose(jang_figures.published_histogram(np.r_[np.zeros(30), np.full(10, 2.0)]), [0.75, *[0] * 8, 0.25])


# --- A row of an ensemble equals a single-seed run ----------------------------------------------------------------------------


@pytest.mark.statistical
@pytest.mark.parametrize(('runs', 'pretrain_steps'), [(7, 1000), (2, 1000), (1000, 0)])
def test_row_of_an_ensemble_equals_the_single_run(runs, pretrain_steps):
    row_of_an_ensemble_equals_the_single_run(
        jang.make_experiment(jang_settings.make_settings(pretrain_steps=pretrain_steps)), runs
    )


# --- Command line -------------------------------------------------------------------------------------------------------------


def test_a_single_run_writes_its_files_and_the_seven_figures(tmp_path, capsys):
    assert call(jang_main, '--num_steps=40', '--pretrain_steps=30', f'--output_dir={tmp_path}') == 0
    out = capsys.readouterr().out
    assert '     0: loss_d' in out and '    36: loss_d' in out and 'seed 0:' in out
    (row,) = rows_of(tmp_path)
    assert list(row) == COLUMNS and row['seed'] == '0' and row['finite'] == '1'
    flags = json.loads((tmp_path / 'config.json').read_text(encoding='utf-8'))['flags']
    assert set(flags) == set(flags_of(jang_main))
    assert (flags['num_steps'], flags['batch_size'], flags['sort'], flags['hidden_sizes']) == (40, 200, True, [6, 5])
    pictures = ['before', 'data', 'decision_after', 'decision_before', 'figure', 'losses', 'pretraining_loss']
    assert sorted(path.stem for path in tmp_path.glob('*.png')) == pictures
    numbers = {name: files.read_npz(tmp_path / f'{name}.npz') for name in pictures}
    assert numbers['pretraining_loss']['mean squared error'].shape == (30,)
    assert {name: str(numbers[name]['title']) for name in ('data', 'figure')} == {
        'data': 'The data, N(-1, 1)',
        'figure': 'After training (2016-06, seed 0)',
    }
    assert numbers['figure']['published'].sum() == pytest.approx(1)
    assert numbers['figure']['density'].sum() * 0.1 == pytest.approx(1)
    assert numbers['figure']['generated'].std() == pytest.approx(float(row['std']), rel=1e-4)
    start, pretrained = numbers['before']['decision'], numbers['decision_after']['decision boundary']
    np.testing.assert_allclose(start, np.clip(pretrained, 0.01, 0.99), rtol=1e-4, atol=1e-6)
    assert not list(tmp_path.glob('.partial-*'))


@pytest.mark.statistical
def test_a_single_run_records_every_iteration(tmp_path):
    assert call(jang_main, '--num_steps=30', '--pretrain_steps=3', f'--output_dir={tmp_path}') == 0
    history = files.read_npz(tmp_path / 'history.npz')
    assert history['loss_d'].shape == (1, 30) and history['step'].tolist() == list(range(30))
    np.testing.assert_allclose(files.read_npz(tmp_path / 'losses.npz')['obj_d'], -history['loss_d'][0])


@pytest.mark.statistical
def test_ablations_run_as_an_ensemble(tmp_path, capsys):
    arguments = ['--nosort', '--nostratify', '--pretrain_steps=0', '--activation=relu', '--hidden_sizes=4,3,2']
    assert call(jang_main, *arguments, '--batch_size=9', '--runs=4', '--num_steps=25', f'--output_dir={tmp_path}') == 0
    assert 'finite: 4 of 4' in capsys.readouterr().out
    rows = rows_of(tmp_path)
    assert [row['seed'] for row in rows] == ['0', '1', '2', '3'] and {row['pretrain_mse'] for row in rows} == {'nan'}
    assert (tmp_path / 'ensemble.png').exists() and not (tmp_path / 'pretraining_loss.png').exists()
    flags = json.loads((tmp_path / 'config.json').read_text(encoding='utf-8'))['flags']
    assert (flags['sort'], flags['stratify'], flags['activation'], flags['hidden_sizes']) == (False, False, 'relu', [4, 3, 2])


def test_settings_are_the_published_ones():
    published = {
        'variant': '2016-06', 'sort': True, 'stratify': True, 'activation': 'tanh', 'hidden_sizes': (6, 5), 'batch_size': 200,
        'd_steps': 1, 'g_steps': 1, 'learning_rate': 0.001, 'd_learning_rate': None, 'g_learning_rate': None, 'momentum': 0.6,
        'decay': 0.95, 'init_scale': 1.0, 'noise_range': 5.0, 'output_scale': 5.0, 'clamp': 0.01, 'mu': -1.0, 'sigma': 1.0,
        'pretrain_steps': 1000, 'num_steps': 10_000, 'minibatch': False,
    }  # fmt: skip
    for variant, changes in (('2016-06', {}), ('2015-12', {'variant': '2015-12', 'sort': False, 'batch_size': 1000})):
        settings = jang_settings.make_settings(variant)
        assert {name: getattr(settings, name) for name in published} == published | changes


def test_the_first_version_takes_a_thousand_unsorted_samples():
    settings = jang_settings.make_settings('2015-12')
    x, z = jang.make_train_step(settings).draw_d(SEEDS, 0)
    assert x.shape == z.shape == (2, 1, 1000)
    assert (np.diff(x.numpy()) < 0).any() and (np.diff(z.numpy()) > -1e-6).all()


def test_replay_command(tmp_path, capsys):
    assert call(jang_main, f'--replay={DATA / "jang_m40_seed1.npz"}', f'--output_dir={tmp_path}') == 0
    assert 'agrees' in capsys.readouterr().out
    with open(tmp_path / 'replay.csv', encoding='utf-8') as file:
        assert len(list(csv.DictReader(file))) == 2000


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--variant=2017-06'], '--variant=2017-06'),
        (['--batch_size=0'], '--batch_size=0'),
        (['--hidden_sizes=6,-5'], '--hidden_sizes=6,-5'),
        (['--hidden_sizes=six'], '--hidden_sizes=six'),
        (['--activation=elu'], '--activation=elu'),
        (['--learning_rate=inf'], '--learning_rate=inf'),
        (['--pretrain_steps=-1'], '--pretrain_steps=-1'),
        (['--num_steps=0'], '--num_steps=0'),
        (['--seed=4294967296'], '--seed=4294967296'),
        (['--sort=maybe'], '--sort=maybe'),
        (['--replay=none.npz', '--nosort'], '--sort'),
        (['--claims', '--runs=10'], '--runs=10'),
        (['--minibatch', '--batch_size=1'], '--batch_size=1'),
    ],
    ids=lambda value: ' '.join(value) if isinstance(value, list) else '',
)
def test_bad_input(arguments, message, tmp_path, capsys, monkeypatch):
    bad_input_is_one_line_and_status_2(jang_main, arguments, message, tmp_path, capsys, monkeypatch)


def test_traces_of_other_posts_and_damaged_ones(tmp_path, capsys):
    arrays = files.read_npz(DATA / 'jang_m40_seed1.npz')
    meta = json.loads(str(arrays['meta']))
    changes = {'variant': {'variant': '1999'}, 'size': {'batch_size': 41}, 'huge': {'pretrain_steps': 10**12}}
    for name, change in changes.items():
        np.savez(tmp_path / f'{name}.npz', **arrays | {'meta': json.dumps(meta | change)})
    np.savez(tmp_path / 'lacking.npz', **{key: value for key, value in arrays.items() if key != 'start/G/b1'})
    for name in ('variant', 'size', 'huge', 'lacking'):
        assert call(jang_main, f'--replay={tmp_path / name}.npz', f'--output_dir={tmp_path / "out"}') == 2, name
        error = capsys.readouterr().err
        assert f'--replay={tmp_path / name}.npz' in error and error.count('\n') == 1
    assert call(jang_main, f'--replay={DATA / "aylien_2017-06_plain_seed4.npz"}', f'--output_dir={tmp_path / "out"}') == 2


@pytest.mark.statistical
def test_resume(tmp_path, capsys, monkeypatch):
    """Interrupted during the pre-training, and during adversarial training."""
    arguments = ['--runs=3', '--num_steps=60', '--pretrain_steps=40', '--log_every=20', '--batch_size=50']
    resume_is_bit_for_bit(jang_main, arguments, (1, 4), '--nosort', 'sort was True, is False', tmp_path, capsys, monkeypatch)
