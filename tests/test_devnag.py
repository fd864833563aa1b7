"""Dev Nag's post: traces, the batch as one input, row equals solo, the command line."""

import csv
import functools
import json
import pathlib

import numpy as np
import pytest
import scipy.stats
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
from common.devices import distribution
from common.evaluation import metrics, replay
from common.nn import optimizers, random
from common.nn.random import Stream
from reproductions.devnag import __main__ as devnag_main
from reproductions.devnag import claims as devnag_claims
from reproductions.devnag import figures as devnag_figures
from reproductions.devnag import gan as devnag
from reproductions.devnag import outcomes as devnag_outcomes
from reproductions.devnag import replay as devnag_replay

DATA = pathlib.Path(__file__).parent / 'data'
TRACES = sorted(DATA.glob('devnag_*.npz'))
QUICK = devnag.make_settings(batch_size=20, d_steps=2, g_steps=3)
SMALL = ['--batch_size=20', '--d_steps=2', '--g_steps=3', '--num_steps=30']


# --- Parity -------------------------------------------------------------------------------------------------------------------


def load(path):
    meta, arrays = replay.load(path, 'devnag')
    return devnag_replay.trace_settings(meta), meta['epochs'], arrays


def bound(path):
    """On relative errors, over all updates: for gradient descent 16 roundings of a loss, 6e-8 each. Adam divides gradients that
    are themselves rounding by their size, so it is allowed the hundredfold; the record is as far from double precision."""
    return 1e-4 if '2017' in path.stem else 1e-6


@pytest.mark.parametrize('path', TRACES, ids=[path.stem.removeprefix('devnag_') for path in TRACES])
def test_trace_replays_over_all_updates(path):
    settings, rounds, arrays = load(path)
    ours, players = devnag_replay.retrain(settings, rounds, arrays)
    assert len(ours['loss_d_real']) == rounds * settings.d_steps and len(ours['loss_g']) == rounds * settings.g_steps
    for name in devnag_replay.LOSSES:
        assert replay.relative_error(arrays[name], ours[name]).max() <= bound(path), name
    for network, layers_of in (('D', players.d), ('G', players.g)):
        for i, layer in enumerate(layers_of, start=1):
            np.testing.assert_allclose(layer.w[0], arrays[f'final/{network}/map{i}/w'], atol=1e-5)
            np.testing.assert_allclose(layer.b[0, :, 0], arrays[f'final/{network}/map{i}/b'], atol=1e-5)


def test_there_is_a_trace_of_every_variant_and_view():
    assert {load(path)[0][:2] for path in TRACES} == {
        (name, view) for name, variant in devnag.VARIANTS.items() for view in variant.views
    }


@pytest.mark.parametrize(
    ('trace', 'name', 'other'),
    [
        ('2017', 'make_optimizer', lambda settings: optimizers.adam(settings.learning_rate)),
        ('2018_moments', 'make_optimizer', lambda settings: optimizers.momentum(settings.learning_rate, 0.8)),
        ('2018_data_and_diffs', 'view', lambda settings, x: attached_diffs(x)),
    ],
    ids=["TensorFlow 1's Adam", 'another momentum', 'a mean that is not detached'],
)
def test_a_wrong_program_leaves_its_record(trace, name, other, monkeypatch):
    """The bounds are tight enough to see it."""
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


def test_the_slope_of_the_moments_is_that_of_their_definition():
    def plain(x):
        mean = tf.reduce_mean(x, axis=2, keepdims=True)
        deviation = tf.sqrt(tf.reduce_mean((x - mean) ** 2, axis=2, keepdims=True))
        z = (x - mean) / deviation
        higher = [tf.reduce_mean(z**power, axis=2, keepdims=True) for power in (3, 4)]
        return tf.concat([mean, deviation, higher[0], higher[1] - 3], axis=1)

    rng = np.random.default_rng(1)
    x = tf.constant(rng.gamma(2, size=(4, 1, 50)))  # in double precision; run i looks at moment i only
    upstream = tf.constant(np.eye(4)[:, :, None] * rng.normal(size=(4, 1, 1)))
    slopes = []
    for function in (plain, devnag.moments):
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(function(x) * upstream)
        slopes.append(tape.gradient(total, x).numpy())
    assert np.abs(slopes[0]).max(axis=(1, 2)).min() > 1e-4
    np.testing.assert_allclose(slopes[1], slopes[0], rtol=1e-9, atol=1e-12)


def test_views_by_hand():
    x = tf.constant([[[1.0, 2.0, 6.0]]])  # mean 3
    for preprocess, expected in (
        ('raw', [1, 2, 6]),
        ('variances', [1, 2, 6, 4, 1, 9]),
        ('diffs', [1, 2, 6, -2, -1, 3]),
        ('moments', [3, np.sqrt(14 / 3), (-8 - 1 + 27) / 3 / (14 / 3) ** 1.5, (16 + 1 + 81) / 3 / (14 / 3) ** 2 - 3]),
    ):
        found = devnag.view(devnag.make_settings(preprocess=preprocess), x)
        np.testing.assert_allclose(found[0, :, 0], expected, rtol=1e-5)


def test_the_mean_taken_from_the_samples_is_not_differentiated():
    x = tf.constant([[[1.0, 2.0, 6.0]]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        squares = tf.reduce_sum(devnag.view(devnag.make_settings(preprocess='variances'), x)[:, 3:] * [[[1.0], [0.0], [0.0]]])
    np.testing.assert_allclose(tape.gradient(squares, x)[0, 0], [-4, 0, 0])  # with the mean it would be (-8/3, 4/3, 4/3)


@pytest.mark.parametrize('variant', devnag.VARIANTS)
def test_one_decision_a_batch_and_run_and_real_and_generated_batches_do_not_mix(variant):
    settings = devnag.make_settings(variant, batch_size=30)
    seeds = tf.constant([1, 2, 3], tf.uint32)
    game = devnag.make_game(settings)
    d, g = devnag.init_discriminator(settings, seeds), devnag.init_generator(settings, seeds)
    x, z = game.draw_d(seeds, 0)
    real, fake = devnag.losses_of_d(settings, d, g, x, z)
    assert real.shape == fake.shape == (3,)
    for loss, batch, label in ((real, x, 1), (fake, devnag.generator(settings, g, z), 0)):
        decision = devnag.discriminator(settings, d, devnag.view(settings, batch))
        assert decision.shape == (3, 1, 1)
        np.testing.assert_allclose(loss, -np.log(decision if label else 1 - decision)[:, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(game.loss_d(d, g, x, z), real + fake, rtol=1e-6)
    changed = x.numpy()
    changed[1, 0, 29] += 5  # one sample of one run
    moved = devnag.losses_of_d(settings, d, g, tf.constant(changed), z)
    assert moved[0][1] != real[1] and moved[0][0] == real[0] and moved[0][2] == real[2]
    np.testing.assert_array_equal(moved[1], fake)


def test_devices_share_the_runs_and_split_no_batch():
    strategy = distribution.make_strategy('mirrored', 2)
    shared = distribution.share_out(strategy, np.arange(6, dtype=np.uint32))
    draw = devnag.make_experiment(QUICK).game.draw_d
    assert [draw(share, 0)[0].shape for share in strategy.experimental_local_results(shared)] == [(3, 1, 20), (3, 1, 20)]


# --- Row equals solo ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('settings', 'rounds', 'runs'),
    [
        (devnag.make_settings(), 1, 200),  # 20 updates of each
        (devnag.make_settings(d_steps=1, g_steps=1), 20, 7),  # the loss of each of 20 updates
        (devnag.make_settings(preprocess='diffs', d_steps=1, g_steps=1, batch_size=50), 20, 7),
        (devnag.make_settings('2017-02'), 20, 7),
    ],
    ids=['2018-11', '2018-11, every update', 'diffs', '2017-02'],
)
def test_row_of_an_ensemble_equals_the_solo_run(settings, rounds, runs):
    row_of_an_ensemble_equals_the_solo_run(devnag.make_experiment(settings), runs, steps=rounds)


# --- Records and outcomes -----------------------------------------------------------------------------------------------------


@functools.cache
def quick(seed, rounds=12):
    return devnag_outcomes.train_many(QUICK, seed, 3, num_steps=rounds)


def test_a_record_is_of_g_as_the_round_begins_on_the_last_noise_that_d_is_trained_with():
    _, history, _ = quick(7)
    assert history['step'].tolist() == list(range(12))
    _, _, players = quick(7, 5)
    g = tf.nest.map_structure(tf.constant, players.g)
    samples = devnag.generator(QUICK, g, devnag.noise(tf.constant([7, 8, 9], tf.uint32), Stream.NOISE_D, 2 * 6 - 1, 20)).numpy()
    np.testing.assert_allclose(history['mean'][:, 5], samples.mean(axis=(1, 2)), rtol=1e-4)
    np.testing.assert_allclose(history['std'][:, 5], samples.std(axis=(1, 2)), rtol=1e-4)


def test_seeds_decide():
    a, _, _ = quick(7)
    b, _, _ = devnag_outcomes.train_many(QUICK, 7, 3, num_steps=12)
    c, _, _ = quick(8)
    assert list(a) == COLUMNS[:-1]
    for name in COLUMNS[:-1]:
        np.testing.assert_array_equal(a[name], b[name])  # the same seeds: the same bits
    assert not np.intersect1d(a['mean'], c['mean'][-1:]).size  # seed 10 is none of 7, 8, 9
    np.testing.assert_allclose(a['mean'][1:], c['mean'][:-1], rtol=1e-4)


def test_outcomes_are_of_fresh_draws_and_decisions_on_their_consecutive_batches():
    settings = QUICK._replace(batch_size=30)  # 333 batches and 10 draws left over
    seeds = np.array([4, 5], np.uint32)
    d, g = devnag.init_discriminator(settings, tf.constant(seeds)), devnag.init_generator(settings, tf.constant(seeds))
    players = tf.nest.map_structure(np.asarray, training.Players(0, d, g, (), ()))
    samples, decisions = devnag_outcomes.evaluate_rows(settings, seeds, players, [1])
    assert samples.shape == (1, 10_000) and decisions.shape == (1, 333)
    z = devnag.noise(tf.constant([5], tf.uint32), Stream.FIGURE, 0, 10_000)
    one_d, one_g = tf.nest.map_structure(lambda value: value[1:], (d, g))
    np.testing.assert_allclose(samples[0], devnag.generator(settings, one_g, z)[0, 0], rtol=1e-4, atol=1e-5)
    batch = tf.constant(samples[:, None, 30:60])
    np.testing.assert_allclose(decisions[0, 1], devnag.discriminator(settings, one_d, devnag.view(settings, batch))[0, 0, 0])


def test_runs_are_evaluated_in_parts_that_change_nothing(monkeypatch):
    whole, history, players = quick(7)
    monkeypatch.setattr(devnag_outcomes, 'RUNS_AT_ONCE', 2)
    seeds = np.array([7, 8, 9], np.uint32)
    parts = devnag_outcomes.results_table(QUICK, seeds, players, history)
    for name in COLUMNS[:-1]:
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-4, atol=1e-4)


def test_success_is_what_its_docstring_says():
    settings = devnag.make_settings()
    truth, bound, places = (
        devnag_outcomes.truth(settings),
        devnag_outcomes.success_bound(settings),
        (np.arange(10_000) + 0.5) / 10_000,
    )
    normal, flat = truth.ppf(places), 4 + 1.25 * np.sqrt(12) * (places - 0.5)
    two = 4 + 1.25 * np.sign(places - 0.5)
    distance = {name: metrics.wasserstein(x[None], truth)[0] / 1.25 for name, x in (('flat', flat), ('two', two))}
    assert distance['flat'] == pytest.approx(0.15, abs=0.005) and distance['two'] == pytest.approx(0.54, abs=0.005)
    for samples, passes in (
        (normal + 0.24 * 1.25, True),
        (normal + 0.26 * 1.25, False),
        (4 + 1.30 * (normal - 4), True),
        (4 + 1.32 * (normal - 4), False),
        (4 + 0.70 * (normal - 4), True),
        (4 + 0.68 * (normal - 4), False),
        (flat, True),
        (two, False),
    ):
        assert (metrics.wasserstein(samples[None], truth)[0] < bound) == passes


def test_ways_to_fail_are_told_apart():
    rows = {  # success, finite, mean, std, kurtosis
        'good': (1, 1, 4.0, 1.25, 0.0),
        'not finite': (0, 0, np.nan, np.nan, np.nan),
        'narrow peak': (0, 1, -11.0, 0.3, 0.0),
        'hollow': (0, 1, 6.0, 1.3, -1.5),
        'wrong mean': (0, 1, 4.4, 1.25, 0.0),
        'wrong width': (0, 1, 4.0, 1.7, 0.0),
        'wrong shape': (0, 1, 4.0, 1.25, 0.0),
    }
    table = dict(zip(('success', 'finite', 'mean', 'std', 'kurtosis'), np.array(list(rows.values())).T, strict=True))
    table['seed'] = np.arange(len(rows))
    assert devnag_claims.classify(table).tolist() == list(rows)
    assert set(rows) == {'good', *devnag_claims.FAILURES}


def test_a_moment_is_settled_if_it_stays():
    late = np.full((3, 100), 1.25)
    late[1, 85] = 9  # one of the last 20 rounds, 5 %
    late[2, 85:87] = 9
    assert devnag_claims.settled(late, 1.25).tolist() == [True, True, False]


def test_settings_are_the_published_ones():
    assert devnag.make_settings() == ('2018-11', 'moments', 500, 20, 20, 0.001, 0.9, 4.0, 1.25)
    assert devnag.make_settings('2017-02')[:6] == ('2017-02', 'variances', 100, 1, 1, 0.0002)
    assert [variant.num_steps for variant in devnag.VARIANTS.values()] == [5000, 30_000]


def test_networks_have_the_posts_shapes():
    seeds = tf.constant([3], tf.uint32)
    features = {'moments': 4, 'raw': 500, 'variances': 1000, 'diffs': 1000}
    for preprocess, inputs in features.items():
        d = devnag.init_discriminator(devnag.make_settings(preprocess=preprocess), seeds)
        assert [layer.w.shape[1:] for layer in d] == [(10, inputs), (10, 10), (1, 10)]
    g = devnag.init_generator(devnag.make_settings(), seeds)
    assert [layer.w.shape[1:] for layer in g] == [(5, 1), (5, 5), (1, 5)]
    settings = devnag.make_settings('2017-02')
    assert [layer.w.shape[1:] for layer in devnag.init_discriminator(settings, seeds)] == [(50, 200), (50, 50), (1, 50)]
    assert [layer.w.shape[1:] for layer in devnag.init_generator(settings, seeds)] == [(50, 1), (50, 50), (1, 50)]


def test_streams_of_the_post_do_not_overlap():
    """The words behind weights, data and noise of the first updates are all different, for two runs."""
    seeds = tf.constant([42, 43], tf.uint32)
    uses = {(Stream.WEIGHTS_G, 0, 46), (Stream.WEIGHTS_D, 0, 171)}
    uses |= {(stream, update, 100) for stream in (Stream.DATA, Stream.NOISE_D, Stream.NOISE_G) for update in range(40)}
    words = np.concatenate([random.bits(seeds, *use).numpy().ravel() for use in sorted(uses)])
    assert len(words) - len(np.unique(words)) <= 1  # 24,434 words of 32 bits: 0.07 chance repetitions are expected


# --- Command line -------------------------------------------------------------------------------------------------------------


def test_solo_run_writes_the_contract_and_its_film(tmp_path, capsys):
    assert call(devnag_main, *SMALL, '--log-every=20', '--animation', '--anim_every=10', f'--output-dir={tmp_path}') == 0
    out = capsys.readouterr().out
    assert '     0: loss_d' in out and '    20: loss_d' in out and 'seed 0:' in out
    (row,) = rows_of(tmp_path)
    assert list(row) == COLUMNS[:-1] and row['seed'] == '0' and row['finite'] == '1'
    assert 0 < float(row['loss_d']) < 20 and 0 < float(row['d_min']) <= float(row['d_mean']) <= float(row['d_max']) < 1
    config = json.loads((tmp_path / 'config.json').read_text())
    assert (config['post'], config['variant'], config['iterations']) == ('devnag', '2018-11', 30)
    flags = config['flags']
    assert set(flags) - set(devnag_main.define_flags()) == {'momentum'}
    assert (flags['num_steps'], flags['preprocess'], flags['d_steps'], flags['learning_rate']) == (30, 'moments', 2, 0.001)
    history = np.load(tmp_path / 'history.npz')
    assert history['step'].tolist() == list(range(30))
    assert {name: history[name].shape for name in history if name != 'step'} == dict.fromkeys(
        ('loss_d', 'loss_g', 'mean', 'std'), (1, 30)
    )
    assert (tmp_path / 'figure.png').read_bytes()[:4] == b'\x89PNG'
    assert np.load(tmp_path / 'figure.npz')['samples'].shape == (20,)
    assert (tmp_path / 'animation.gif').read_bytes()[:6] == b'GIF89a'
    film = np.load(tmp_path / 'animation.npz')
    assert film['step'].tolist() == [0, 10, 20] and film['density'].shape == (3, 120)
    np.testing.assert_allclose((film['density'] * np.diff(film['edges'])).sum(axis=1), 1, rtol=1e-6)
    assert not list(tmp_path.glob('.*')) and not (tmp_path / 'ensemble.png').exists()


@pytest.mark.parametrize(('runs', 'curves'), [(3, 3), (12, 5)], ids=['a curve a run', 'bands'])
def test_ensemble_draws_the_grid_and_the_course(tmp_path, capsys, runs, curves):
    assert call(devnag_main, *SMALL, f'--runs={runs}', '--seed=3', f'--output_dir={tmp_path}') == 0
    assert [row['seed'] for row in rows_of(tmp_path)] == [str(seed) for seed in range(3, 3 + runs)]
    assert f'finite: {runs} of {runs}' in capsys.readouterr().out
    grid, course = np.load(tmp_path / 'runs.npz'), np.load(tmp_path / 'ensemble.npz')
    assert grid['samples'].shape == (min(runs, 10), 20) and course['mean'].shape == (curves, 30)
    history = np.load(tmp_path / 'history.npz')['mean']
    expected = history if runs == 3 else np.quantile(history, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
    np.testing.assert_allclose(course['mean'], expected, rtol=1e-6)
    np.testing.assert_allclose(course['final_mean'], [float(row['mean']) for row in rows_of(tmp_path)], rtol=1e-6)
    assert course['truth'].tolist() == [4, 1.25] and f'{runs} seeds' in str(course['title'])
    assert (tmp_path / 'runs.png').exists() and (tmp_path / 'ensemble.png').exists()


def test_diverged_runs_are_counted_and_drawn(tmp_path, capsys):
    """Data whose square overflows: D and then G are NaN from the first update."""
    assert call(devnag_main, *SMALL, '--sigma=1e20', '--runs=12', f'--output_dir={tmp_path}') == 0
    assert 'finite: 0 of 12' in capsys.readouterr().out
    assert all(
        (row['finite'], row['success'], row['mean'], row['loss_d']) == ('0', '0', 'nan', 'nan') for row in rows_of(tmp_path)
    )
    assert (tmp_path / 'runs.png').exists() and (tmp_path / 'ensemble.png').exists()


def test_the_last_histogram_is_of_the_last_noise_of_g():
    seeds = np.array([7, 8, 9], np.uint32)
    _, _, players = quick(7)
    z = devnag.noise(tf.constant(seeds[1:]), Stream.NOISE_G, 12 * 3 - 1, 20)
    g = tf.nest.map_structure(lambda value: tf.constant(value[1:]), players.g)
    found = devnag_figures.last_batches(QUICK, seeds, players, np.array([1, 2]))
    np.testing.assert_array_equal(found, devnag.generator(QUICK, g, z)[:, 0])


def test_replay_command(tmp_path, capsys):
    assert call(devnag_main, f'--replay={DATA / "devnag_2018_raw_data_seed0.npz"}', f'--output_dir={tmp_path}') == 0
    assert 'agrees' in capsys.readouterr().out
    with open(tmp_path / 'replay.csv') as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ['step', 'quantity', 'recorded', 'reproduced', 'relative_error'] and len(rows) == 360
    assert {row['quantity'] for row in rows} == set(devnag_replay.LOSSES)


def test_replay_that_differs_has_status_1(tmp_path, capsys):
    arrays = dict(np.load(DATA / 'devnag_2018_raw_data_seed0.npz'))
    arrays['loss_g'][5] *= 1.01
    np.savez(tmp_path / 'changed.npz', **arrays)
    assert call(devnag_main, f'--replay={tmp_path / "changed.npz"}', f'--output_dir={tmp_path}') == 1
    assert 'DIFFERS' in capsys.readouterr().out


def test_traces_of_others_and_damaged_ones(tmp_path, capsys):
    path = DATA / 'devnag_2018_raw_data_seed0.npz'
    arrays = dict(np.load(path))
    meta = json.loads(str(arrays['meta']))
    (tmp_path / 'cut.npz').write_bytes(path.read_bytes()[:5000])
    for name, change in (
        ('jang', {'post': 'jang'}),
        ('variant', {'variant': '1999'}),
        ('view', {'preprocess': 'Fourier'}),
        ('unpublished', {'variant': '2017-02'}),  # which has no raw data
        ('batch', {'batch_size': 60}),
        ('rounds', {'epochs': 13}),
        ('huge', {'epochs': 10**12}),
        ('list', {'variant': ['2018-11']}),
    ):
        np.savez(tmp_path / f'{name}.npz', **arrays | {'meta': json.dumps(meta | change)})
    for path in sorted(tmp_path.glob('*.npz')):
        assert call(devnag_main, f'--replay={path}', f'--output_dir={tmp_path / "out"}') == 2, path
        error = capsys.readouterr().err
        assert f'--replay={path}' in error and error.count('\n') == 1
    assert not (tmp_path / 'out').exists()


def test_help(capsys):
    help_names_every_flag(devnag_main, capsys)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--variant=2015-01'], '--variant=2015-01'),
        (['--preprocess=fourier'], '--preprocess=fourier'),
        (['--variant=2017-02', '--preprocess=moments'], '--preprocess=moments'),
        (['--runs=0'], '--runs=0'),
        (['--num_steps=0'], '--num_steps=0'),
        (['--num_steps=abc'], '--num_steps=abc'),
        (['--batch_size=0'], '--batch_size=0'),
        (['--batch_size=1'], '--batch_size=1'),
        (['--batch_size=10001'], '--batch_size=10001'),
        (['--d_steps=0'], '--d_steps=0'),
        (['--g_steps=-1'], '--g_steps=-1'),
        (['--learning_rate=0'], '--learning_rate=0'),
        (['--learning_rate=nan'], '--learning_rate=nan'),
        (['--sigma=0'], '--sigma=0'),
        (['--mu=inf'], '--mu=inf'),
        (['--seed=-1'], '--seed=-1'),
        (['--seed=4294967295', '--runs=2'], '--seed=4294967295'),
        (['--log_every=0'], '--log_every=0'),
        (['--anim_path=film.avi'], '--anim_path=film.avi'),
        (['--strategy=tpu'], '--strategy=tpu'),
        (['--no_such_flag'], 'no_such_flag'),
        (['moments'], "'moments'"),
        (['--replay=none.npz'], '--replay=none.npz'),
        (['--replay=none.npz', '--preprocess=raw'], '--preprocess'),
        (['--replay=none.npz', '--d_steps=20'], '--d_steps'),
        (['--resume'], '--resume'),
        (['--claims', '--runs=10'], '--runs=10'),
    ],
    ids=lambda value: ' '.join(value) if isinstance(value, list) else '',
)
def test_bad_input(arguments, message, tmp_path, capsys, monkeypatch):
    bad_input_is_one_line_and_status_2(devnag_main, arguments, message, tmp_path, capsys, monkeypatch)


def test_resume(tmp_path, capsys, monkeypatch):
    arguments = [*SMALL, '--runs=3']
    resume_is_bit_for_bit(devnag_main, arguments, (0, 17), '--seed=5', 'seed was 0, is 5', tmp_path, capsys, monkeypatch)


def test_a_call_is_short_and_a_second_training_does_not_retrace():
    experiment = devnag.make_experiment(QUICK)
    quick(7)
    traces = experiment.play_loop.experimental_get_tracing_count()
    devnag_outcomes.train_many(QUICK, 50, 3, num_steps=40)
    assert experiment.play_loop.experimental_get_tracing_count() == traces
    assert experiment.call * (QUICK.d_steps + QUICK.g_steps) == training.CALL
