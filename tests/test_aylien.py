"""Aylien's post: traces, row equals solo, the command line."""

import csv
import json
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from post_checks import (
    COLUMNS,
    bad_input_is_one_line_and_status_2,
    call,
    help_names_every_flag,
    resume_is_bit_for_bit,
    row_of_an_ensemble_equals_the_solo_run,
    rows_of,
)

from common import training
from common.evaluation import metrics, replay
from common.nn import random
from common.plotting import densities
from common.storage import checkpoints, files
from reproductions.aylien import __main__ as aylien_main
from reproductions.aylien import gan as aylien
from reproductions.aylien import replay as aylien_replay

DATA = pathlib.Path(__file__).parent / 'data'
TRACES = sorted(DATA.glob('aylien_*.npz'))


# --- Parity -------------------------------------------------------------------------------------------------------------------


def errors_of(columns, quantity):
    chosen = [q == quantity for q in columns['quantity']]
    return np.array(columns['relative_error'])[chosen], np.array(columns['recorded'])[chosen]


@pytest.mark.parametrize('path', TRACES, ids=[path.stem.removeprefix('aylien_') for path in TRACES])
def test_trace_replays(path):
    columns = aylien_replay.replay_trace(path)
    assert replay.worst_judged(columns) <= replay.TOLERANCE
    meta, _ = replay.load(path, 'aylien')
    loss_d, recorded = errors_of(columns, 'loss_d')
    assert len(loss_d) == meta['steps']
    if meta['variant'] != '2017-06':  # the pre-training is no game and not chaotic: 1,000 steps, with six decays of the rate
        pre_loss, _ = errors_of(columns, 'pre_loss')
        assert len(pre_loss) == 1000 and pre_loss.max() <= 1e-5
    if np.isnan(recorded).any():  # saturated from the first step on: NaN at every later one, in the record and in ours
        assert np.isinf(recorded[0]) and np.isnan(recorded[1:]).all() and loss_d.max() == 0
    if meta['variant'] == '2016-08' and not meta['minibatch']:  # a smooth course: all 500 steps, with three decays of the rate
        assert max(loss_d.max(), errors_of(columns, 'loss_g')[0].max()) <= 1e-4


def test_the_run_that_leaves_its_record_is_chaotic(tmp_path):
    """2016-12 plain, seed 42: with a rate of 0.03 it oscillates. It follows the record while rounding is small, and no further
    than it follows itself when one layer is changed by a part in a million."""
    path = DATA / 'aylien_2016-12_plain_seed42.npz'
    arrays = dict(np.load(path))
    arrays['init/D_pre/d0/w'] = arrays['init/D_pre/d0/w'] * np.float32(1 + 1e-6)
    np.savez(tmp_path / 'changed.npz', **arrays)
    ours, changed = (aylien_replay.replay_trace(p) for p in (path, tmp_path / 'changed.npz'))
    assert errors_of(ours, 'loss_d')[0][:80].max() <= 1e-4
    losses = [np.array(c['reproduced'])[np.array(c['quantity']) == 'loss_d'] for c in (ours, changed)]
    apart = replay.relative_error(*losses)
    assert apart[:50].max() <= 1e-3 and apart[200:].max() >= 0.1


def test_there_is_a_trace_of_every_variant_and_branch():
    names = {tuple(path.stem.split('_')[1:3]) for path in TRACES}
    assert names == {(variant, branch) for variant in aylien.VARIANTS for branch in ('plain', 'minibatch')}


def test_pretraining_target_is_the_recorded_density():
    _, arrays = replay.load(DATA / 'aylien_2016-08_plain_seed42.npz', 'aylien')
    truth = aylien.truth(aylien.make_settings())
    np.testing.assert_allclose(truth.pdf(arrays['pre_x']), arrays['pre_y'], rtol=1e-4, atol=1e-6)
    x, y = aylien.pretraining_batch(aylien.make_settings(), tf.constant([1, 2], tf.uint32), 3)
    assert x.shape == y.shape == (2, 1, 12)
    np.testing.assert_allclose(truth.pdf(x), y, rtol=1e-4, atol=1e-6)
    assert np.abs(x).max() <= 5


@pytest.mark.parametrize('minibatch', [False, True])
def test_the_order_inside_a_batch_changes_no_loss(minibatch):
    """The post sorts its samples; ours are not sorted."""
    settings = aylien.make_settings(minibatch=minibatch)
    seeds = tf.constant(np.arange(50, dtype=np.uint32))
    game = aylien.make_game(settings)
    d, g = aylien.init_discriminator(settings, seeds), aylien.init_generator(settings, seeds)
    x, z = game.draw_d(seeds, 0)
    loss, ordered = (game.loss_d(d, g, batch, z).numpy() for batch in (x, tf.sort(x, axis=2)))
    np.testing.assert_array_equal(np.isfinite(loss), np.isfinite(ordered))
    finite = np.isfinite(loss)
    np.testing.assert_allclose(loss[finite], ordered[finite], rtol=1e-5)


# --- Row equals solo ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('runs', [2, 7, 1000])
@pytest.mark.parametrize(
    'settings',
    [
        aylien.make_settings('2017-06'),
        aylien.make_settings('2017-06', minibatch=True),
        aylien.make_settings('2016-12', pretrain_steps=5),
    ],
    ids=['2017-06 plain', '2017-06 minibatch', '2016-12 plain'],
)
def test_row_of_an_ensemble_equals_the_solo_run(settings, runs):
    row_of_an_ensemble_equals_the_solo_run(aylien.make_experiment(settings), runs)


def test_seeds_decide():
    settings = aylien.make_settings('2017-06')
    a, b, c = (aylien.train_many(settings, seed, 3, num_steps=60, every=20)[0] for seed in (7, 7, 8))
    for name in COLUMNS:
        np.testing.assert_array_equal(a[name], b[name])  # the same seeds: the same bits
    assert not np.intersect1d(a['mean'], c['mean'][-1:]).size  # seed 10 is none of 7, 8, 9
    np.testing.assert_allclose(a['mean'][1:], c['mean'][:-1], rtol=1e-4)


# --- Networks and outcomes ----------------------------------------------------------------------------------------------------


def test_networks_have_the_posts_shapes():
    seeds = tf.constant([3], tf.uint32)
    plain = aylien.init_discriminator(aylien.make_settings(), seeds)
    assert [layer.w.shape[1:] for layer in plain] == [(8, 1), (8, 8), (8, 8), (1, 8)]
    minibatch = aylien.init_discriminator(aylien.make_settings(minibatch=True), seeds)
    assert [layer.w.shape[1:] for layer in minibatch] == [(8, 1), (8, 8), (15, 8), (1, 13)]
    assert [layer.w.shape[1:] for layer in aylien.init_generator(aylien.make_settings(), seeds)] == [(4, 1), (1, 4)]
    many = aylien.init_discriminator(aylien.make_settings(minibatch=True), tf.constant(np.arange(2000, dtype=np.uint32)))
    assert np.std(many[2].w) == pytest.approx(0.02, rel=0.02) and np.std(many[1].w) == pytest.approx(1, rel=0.02)


def test_the_minibatch_learning_rate_of_2016_12_is_the_smaller_one():
    assert aylien.make_settings('2016-12').learning_rate == 0.03
    assert aylien.make_settings('2016-12', minibatch=True).learning_rate == 0.005
    assert aylien.make_settings('2016-12', learning_rate=0.1).learning_rate == 0.1


def test_surfaces_leave_out_the_incomplete_batch_and_the_figure_draws_it_as_zero():
    settings = aylien.make_settings()
    seeds = tf.constant([0, 1], tf.uint32)
    players = training.Players(0, aylien.init_discriminator(settings, seeds), aylien.init_generator(settings, seeds), (), ())
    players = tf.nest.map_structure(np.asarray, players)
    evaluation = aylien.make_evaluation(settings)
    decision, generated = aylien.outcomes.surfaces_of(evaluation, players, [1])
    assert decision.shape == generated.shape == (1, 9996)
    z = tf.constant(np.linspace(-8, 8, 10_000, dtype=np.float32)[None, None, :9996])
    one = tf.nest.map_structure(lambda value: tf.constant(value[1:]), (players.d, players.g))
    np.testing.assert_allclose(generated, aylien.generator(one[1], z)[:, 0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(decision, aylien.discriminator(settings, one[0], z)[:, 0], rtol=1e-4, atol=1e-5)
    drawn, density = densities.curves(evaluation, aylien.BINS, players, 1)
    assert drawn.shape == (10_000,) and (drawn[-4:] == 0).all() and drawn[-5] > 0
    assert density.sum() * 16 / 99 == pytest.approx(1)


def test_success_is_what_its_docstring_says():
    settings = aylien.make_settings()
    truth, bound = aylien.truth(settings), aylien.success_bound(settings)
    quantiles = truth.ppf((np.arange(10_000) + 0.5) / 10_000)
    for width, passes in ((0, False), (0.35, False), (0.4, True), (1, True)):
        shrunk = 4 + width * (quantiles - 4)
        assert (metrics.wasserstein(shrunk[None], truth)[0] < bound) == passes


# --- Command line -------------------------------------------------------------------------------------------------------------


def test_solo_run_writes_the_contract(tmp_path, capsys):
    assert call(aylien_main, '--num-steps=30', '--pretrain_steps=20', f'--output-dir={tmp_path}') == 0
    out = capsys.readouterr().out
    assert '     0: loss_d' in out and '    20: loss_d' in out and 'seed 42:' in out
    (row,) = rows_of(tmp_path)
    assert list(row) == COLUMNS and row['seed'] == '42' and row['finite'] == '1'
    assert 0 < float(row['loss_d']) < 20 and 0 < float(row['pretrain_mse']) < 1
    config = json.loads((tmp_path / 'config.json').read_text())
    assert (config['post'], config['variant']) == ('aylien', '2016-08')
    flags = config['flags']
    assert set(flags) == set(aylien_main.define_flags())
    assert (flags['num_steps'], flags['batch_size'], flags['log_every'], flags['learning_rate']) == (30, 12, 10, 0.005)
    assert config['versions']['tensorflow'] == tf.__version__
    history = np.load(tmp_path / 'history.npz')
    assert history['step'].tolist() == [0, 10, 20, 29] and history['loss_d'].shape == (1, 4)
    assert (tmp_path / 'figure.png').read_bytes()[:4] == b'\x89PNG'
    figure = np.load(tmp_path / 'figure.npz')
    assert figure['generated'].shape == (99,) and figure['decision'].shape == (10_000,)
    assert not list(tmp_path.glob('.*'))  # no temporary file is left


def test_ensemble_writes_a_row_a_seed_and_its_panel(tmp_path, capsys):
    assert (
        call(
            aylien_main,
            '--runs=5',
            '--seed=3',
            '--variant=2017-06',
            '--minibatch',
            '--num_steps=20',
            f'--output_dir={tmp_path}',
        )
        == 0
    )
    assert [row['seed'] for row in rows_of(tmp_path)] == ['3', '4', '5', '6', '7']
    assert (tmp_path / 'ensemble.png').exists()
    numbers = np.load(tmp_path / 'ensemble.npz')
    np.testing.assert_allclose(numbers['mean'], [float(row['mean']) for row in rows_of(tmp_path)], rtol=1e-6)
    assert [label.partition(' ')[0] for label in numbers['labels']] == ['best', 'median', 'worst']
    assert 'finite: 5 of 5' in capsys.readouterr().out
    assert all(row['pretrain_mse'] == 'nan' for row in rows_of(tmp_path))


def test_diverged_runs_are_counted_and_drawn(tmp_path, capsys):
    arguments = ['--runs=40', '--seed=0', '--minibatch', '--num_steps=3', '--pretrain_steps=1', f'--output_dir={tmp_path}']
    assert call(aylien_main, *arguments) == 0
    rows = rows_of(tmp_path)
    finite = sum(row['finite'] == '1' for row in rows)
    assert 0 < finite < 40  # the plain log diverges for many seeds at the first step
    assert f'finite: {finite} of 40' in capsys.readouterr().out
    assert all(row['success'] == '0' and row['mean'] == 'nan' for row in rows if row['finite'] == '0')


def test_animation(tmp_path):
    path = tmp_path / 'film.gif'
    assert (
        call(
            aylien_main,
            '--num_steps=5',
            '--pretrain_steps=0',
            '--anim-every=2',
            f'--anim-path={path}',
            f'--output_dir={tmp_path}',
        )
        == 0
    )
    assert path.read_bytes()[:6] == b'GIF89a'
    numbers = np.load(tmp_path / 'film.npz')
    assert numbers['step'].tolist() == [0, 2, 4] and numbers['generated'].shape == (3, 99)


def test_replay_command(tmp_path, capsys):
    assert call(aylien_main, f'--replay={DATA / "aylien_2017-06_plain_seed42.npz"}', f'--output_dir={tmp_path}') == 0
    assert 'agrees' in capsys.readouterr().out
    with open(tmp_path / 'replay.csv') as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ['step', 'quantity', 'recorded', 'reproduced', 'relative_error'] and len(rows) == 1000


def test_replay_that_differs_has_status_1(tmp_path, capsys):
    arrays = dict(np.load(DATA / 'aylien_2017-06_plain_seed4.npz'))
    arrays['loss_g'][5] *= 1.01
    np.savez(tmp_path / 'changed.npz', **arrays)
    assert call(aylien_main, f'--replay={tmp_path / "changed.npz"}', f'--output_dir={tmp_path}') == 1
    assert 'DIFFERS' in capsys.readouterr().out


def test_help(capsys):
    help_names_every_flag(aylien_main, capsys)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--variant=2015-01'], '--variant=2015-01'),
        (['--runs=0'], '--runs=0'),
        (['--num_steps=0'], '--num_steps=0'),
        (['--num_steps=abc'], '--num_steps=abc'),
        (['--batch_size=-3'], '--batch_size=-3'),
        (['--batch_size=10001'], '--batch_size=10001'),
        (['--minibatch', '--batch_size=1'], '--batch_size=1'),
        (['--hidden_size=0'], '--hidden_size=0'),
        (['--d_hidden_sizes=8,x'], '--d_hidden_sizes=8,x'),
        (['--d_hidden_sizes=8,0'], '--d_hidden_sizes=8,0'),
        (['--learning_rate=0'], '--learning_rate=0'),
        (['--learning_rate=-1'], '--learning_rate=-1'),
        (['--learning_rate=nan'], '--learning_rate=nan'),
        (['--sigma=0'], '--sigma=0'),
        (['--mu=inf'], '--mu=inf'),
        (['--pretrain_steps=-1'], '--pretrain_steps=-1'),
        (['--seed=-1'], '--seed=-1'),
        (['--seed=4294967295', '--runs=2'], '--seed=4294967295'),
        (['--anim_path=film.avi'], '--anim_path=film.avi'),
        (['--anim_path=nowhere/film.gif'], '--anim_path=nowhere/film.gif'),
        (['--strategy=tpu'], '--strategy=tpu'),
        (['--logical_devices=4'], 'logical devices'),
        (['--no_such_flag'], 'no_such_flag'),
        (['--minibatch', 'True'], "'True'"),
        (['--replay=none.npz'], '--replay=none.npz'),
        (['--replay=none.npz', '--variant=2016-08'], '--variant'),
        (['--resume'], '--resume'),
        (['--claims', '--runs=10'], '--runs=10'),
    ],
    ids=lambda value: ' '.join(value) if isinstance(value, list) else '',
)
def test_bad_input(arguments, message, tmp_path, capsys, monkeypatch):
    bad_input_is_one_line_and_status_2(aylien_main, arguments, message, tmp_path, capsys, monkeypatch)


def test_output_directory_that_cannot_be_is_found_before_training(tmp_path, capsys, monkeypatch):
    (tmp_path / 'file').write_text('kept')
    monkeypatch.setattr(training, 'train', lambda *args: pytest.fail('it was trained'))
    for path in (tmp_path / 'file', tmp_path / 'file' / 'below', '/proc/nothing'):
        assert call(aylien_main, f'--output_dir={path}') == 2
        error = capsys.readouterr().err
        assert f'--output_dir={path}' in error and error.count('\n') == 1
    assert (tmp_path / 'file').read_text() == 'kept'


def test_traces_of_others_and_damaged_ones(tmp_path, capsys):
    whole = (DATA / 'aylien_2017-06_plain_seed4.npz').read_bytes()
    arrays = dict(np.load(DATA / 'aylien_2017-06_plain_seed4.npz'))
    meta = json.loads(str(arrays['meta']))
    (tmp_path / 'cut.npz').write_bytes(whole[:5000])
    np.savez(tmp_path / 'jang.npz', **arrays | {'meta': json.dumps(meta | {'post': 'jang'})})
    np.savez(tmp_path / 'variant.npz', **arrays | {'meta': json.dumps(meta | {'variant': '1999'})})
    np.savez(tmp_path / 'size.npz', **arrays | {'meta': json.dumps(meta | {'hidden_size': 5})})
    np.savez(tmp_path / 'huge.npz', **arrays | {'meta': json.dumps(meta | {'steps': 10**12})})
    for name in ('cut', 'jang', 'variant', 'size', 'huge'):
        assert call(aylien_main, f'--replay={tmp_path / name}.npz', f'--output_dir={tmp_path / "out"}') == 2, name
        error = capsys.readouterr().err
        assert f'--replay={tmp_path / name}.npz' in error and error.count('\n') == 1
    assert not (tmp_path / 'out').exists()


# --- Stopping and going on ----------------------------------------------------------------------------------------------------


@pytest.mark.statistical
def test_interrupt_keeps_what_was_trained(tmp_path):
    command = [
        sys.executable,
        '-u',
        '-m',
        'reproductions.aylien',
        '--variant=2017-06',
        '--num_steps=3000000',
        '--log_every=5000',
    ]
    process = subprocess.Popen(
        [*command, f'--output_dir={tmp_path / "a"}'],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=DATA.parent.parent,
    )
    while 'loss_d' not in process.stdout.readline():  # until it trains
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 130, error
    assert 'Traceback' not in error
    rows = rows_of(tmp_path / 'a')
    assert [row['seed'] for row in rows] == ['42']
    config = json.loads((tmp_path / 'a' / 'config.json').read_text())
    assert 0 < config['iterations'] < 3_000_000
    checkpoint = files.read_npz(checkpoints.paths(tmp_path / 'a')[-1])
    assert checkpoint['records/step'][-1] == config['iterations'] - 1


def test_resume(tmp_path, capsys, monkeypatch):
    """Stopped inside the pre-training, at its end, and inside the game."""
    arguments = ['--runs=3', '--num_steps=300', '--pretrain_steps=40', '--log_every=20']
    resume_is_bit_for_bit(aylien_main, arguments, (1, 2, 4), '--seed=5', 'seed was 42, is 5', tmp_path, capsys, monkeypatch)


def test_a_second_training_of_the_same_settings_does_not_retrace():
    settings = aylien.make_settings('2017-06', batch_size=5)
    for seed in (0, 10):
        aylien.train_many(settings, seed, 3, num_steps=200, every=50)
    assert aylien.make_experiment(settings).play_loop.experimental_get_tracing_count() == 1
    assert aylien.make_evaluation(settings).surfaces.experimental_get_tracing_count() == 1


def test_streams_of_the_post_do_not_overlap():
    """The words behind weights, data and noise of the first steps are all different, for two runs."""
    seeds = tf.constant([42, 43], tf.uint32)
    uses = {(random.Stream.WEIGHTS_G, 0, 8), (random.Stream.WEIGHTS_D, 0, 256)}
    uses |= {(s, step, 12) for s in (random.Stream.DATA, random.Stream.NOISE_D, random.Stream.NOISE_G) for step in range(20)}
    words = np.concatenate([random.bits(seeds, *use).numpy().ravel() for use in sorted(uses)])
    assert len(np.unique(words)) == len(words)
