"""The multi-modal post: Aylien's program at one end, modes and widths, row equals solo, the command line."""

import csv
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
from common.evaluation import claims, metrics, replay
from common.evaluation.claims import Verdict
from common.nn.random import Stream
from reproductions.aylien import gan as aylien
from reproductions.aylien import replay as aylien_replay
from reproductions.multimodal import __main__ as multimodal_main
from reproductions.multimodal import claims as multimodal_claims
from reproductions.multimodal import gan as multimodal
from reproductions.multimodal import replay as multimodal_replay

DATA = pathlib.Path(__file__).parent / 'data'
TRACES = sorted(DATA.glob('aylien_2016-12_*.npz'))
OWN_COLUMNS = [
    'modes_covered', 'mode_mass_error', 'between_mass', 'mode_width', 'peak_height', 'first_step_below', 'convergence_step',
]  # fmt: skip
SEEDS = tf.constant([3, 4], tf.uint32)


# --- Aylien's program at one end ----------------------------------------------------------------------------------------------


def test_with_aylien_s_generator_the_records_of_its_program_replay():
    """Bit for bit what Aylien's own post computes, which agrees with the records."""
    assert len(TRACES) == 5
    for path in (TRACES[0], TRACES[-1]):  # with the minibatch layer and without
        ours, aylien_s = multimodal_replay.replay_trace(path), aylien_replay.replay_trace(path)
        assert replay.worst_judged(ours) <= 1e-4
        np.testing.assert_array_equal(ours['reproduced'], aylien_s['reproduced'])


def test_d_is_the_function_of_aylien():
    x = tf.constant(np.linspace(-8, 8, 24, dtype=np.float32).reshape(2, 1, 12))
    for minibatch, rate in ((False, 0.03), (True, 0.005)):
        settings, theirs = multimodal.make_settings(2, minibatch=minibatch), aylien.make_settings('2016-12', minibatch)
        d, _ = multimodal.make_experiment(settings).init(SEEDS)
        for ours, other in zip(tf.nest.flatten(d), tf.nest.flatten(aylien.init_discriminator(theirs, SEEDS)), strict=True):
            np.testing.assert_array_equal(ours, other)
        np.testing.assert_array_equal(multimodal.discriminator(settings, d, x), aylien.discriminator(theirs, d, x))
        assert settings.learning_rate == rate


# --- Data ---------------------------------------------------------------------------------------------------------------------


def test_default_modes():
    assert multimodal.default_modes(1) == ((0.0,), (0.5,))
    assert multimodal.default_modes(2) == ((-4.0, 4.0), (0.5, 0.5))
    assert multimodal.default_modes(3) == ((-4.0, 0.0, 4.0), (0.5, 0.5, 0.5))
    for modes in (5, 10, 15, 100):
        means, deviations = multimodal.default_modes(modes)
        assert (means[0], means[-1], len(means)) == (-4, 4, modes)
        np.testing.assert_allclose(np.diff(means) / deviations[1:], 8)


@pytest.mark.parametrize('modes', [1, 2, 3, 5, 10, 15])
def test_every_batch_has_equally_many_of_each_mode(modes):
    settings = multimodal.make_settings(modes)
    assert settings.batch_size == {1: 12, 2: 12, 3: 12, 5: 15, 10: 20, 15: 15}[modes]
    assert settings.hidden_sizes == (4 * modes,) * 3
    for step in (0, 7):
        x = multimodal.real_samples(settings, SEEDS, step, settings.batch_size).numpy()[:, 0]
        nearest = np.abs(x[..., None] - np.array(settings.means)).argmin(axis=-1)
        for row in nearest:
            np.testing.assert_array_equal(np.bincount(row, minlength=modes), settings.batch_size // modes)


def test_a_batch_that_the_modes_do_not_divide_is_dealt_on_from_batch_to_batch():
    settings = multimodal.make_settings(3, batch_size=8)
    batches = [multimodal.real_samples(settings, SEEDS, step, 8).numpy()[0, 0] for step in range(9)]
    counts = [np.bincount(np.abs(x[:, None] - np.array(settings.means)).argmin(axis=1), minlength=3) for x in batches]
    assert all(sorted(count) == [2, 3, 3] for count in counts)
    assert [int(count.argmin()) for count in counts] == [2, 1, 0] * 3  # the short one takes turns
    np.testing.assert_array_equal(np.sum(counts[:3], axis=0), [8, 8, 8])


def test_samples_of_a_mode_have_its_mean_and_deviation():
    settings = multimodal.make_settings(3, means=(-5.0, 1.0, 4.0), deviations=(0.5, 0.2, 0.7))
    x = multimodal.real_samples(settings, tf.constant(np.arange(100, dtype=np.uint32)), 0, 300).numpy()[:, 0]
    for i, (mean, deviation) in enumerate(zip(settings.means, settings.deviations, strict=True)):
        assert x[:, i::3].mean() == pytest.approx(mean, abs=4 * deviation / 100)
        assert x[:, i::3].std() == pytest.approx(deviation, rel=0.03)
        assert scipy.stats.kstest((x[:, i::3].ravel() - mean) / deviation, 'norm').pvalue > 1e-3


def test_pretraining_target_is_the_density():
    settings = multimodal.make_settings(3, means=(-5.0, 1.0, 4.0), deviations=(0.5, 0.2, 0.7))
    x, y = multimodal.pretraining_batch(settings, SEEDS, 3)
    assert x.shape == y.shape == (2, 1, 12) and np.abs(x).max() <= 5
    parts = [scipy.stats.norm.pdf(x, m, s) for m, s in zip(settings.means, settings.deviations, strict=True)]
    np.testing.assert_allclose(y, np.mean(parts, axis=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(multimodal.truth(settings).pdf(x), y, rtol=1e-4, atol=1e-6)


# --- Networks and outcomes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('activation', multimodal.ACTIVATIONS)
def test_generator(activation):
    settings = multimodal.make_settings(3, hidden_sizes=(12, 8, 8), activation=activation)
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


def test_widths_follow_modes_layers_and_h():
    assert multimodal.make_settings(2).hidden_sizes == (8, 8, 8)
    assert multimodal.make_settings(3, hidden_size=5, layers=2).hidden_sizes == (15, 15)
    assert multimodal.make_settings(3, hidden_sizes=(12, 8, 8)).hidden_sizes == (12, 8, 8)


def test_success_is_what_its_docstring_says():
    points = (np.arange(12_000) + 0.5) / 12_000

    def distance(settings, samples):
        return metrics.wasserstein(np.sort(samples)[None], multimodal.truth(settings))[0] / multimodal.success_bound(settings)

    for modes in (1, 2, 3, 15):
        settings = multimodal.make_settings(modes)
        means = np.repeat(settings.means, 12_000 // modes)
        assert distance(settings, means) == pytest.approx(0.80, abs=0.005)
        width = settings.deviations[0]
        quantiles = multimodal.truth(settings).ppf(points)
        assert distance(settings, quantiles + 0.99 * width) < 1 < distance(settings, quantiles + 1.01 * width)
    for modes in (3, 15):
        settings = multimodal.make_settings(modes)
        cells = 4 + 4 * settings.deviations[0]
        assert distance(settings, -cells + 2 * cells * points) == pytest.approx(1.2, abs=0.02)
    three = multimodal.make_settings(3)
    missing = three._replace(means=(-4.0, 0.0, 0.0))  # the mass of the third on the second
    assert distance(three, multimodal.truth(missing).ppf(points)) == pytest.approx(8 / 3, abs=0.01)


def test_records_are_dense_where_the_post_converges():
    settings = multimodal.make_settings(1, pretrain_steps=0)
    _, history = multimodal.train_many(settings, 5, 2, num_steps=1000)
    assert history['step'].tolist() == sorted({*range(0, 401, 5), *range(0, 1000, 50), 899, 999})
    assert history['wasserstein'].shape == (2, len(history['step']))


def test_recorded_distance_is_that_of_the_generator():
    settings = multimodal.make_settings(3, pretrain_steps=0)
    table, history = multimodal.train_many(settings, 5, 20, num_steps=60)
    np.testing.assert_allclose(history['wasserstein'][:, -1], table['wasserstein'], rtol=0.1)  # 256 points for 10,000
    np.testing.assert_allclose(history['mean'][:, -1], table['mean'], atol=0.05)


def test_noise_range_reaches_the_outcomes():
    """G is judged on the noise that it was trained with, D on the grid of the figure."""
    settings = multimodal.make_settings(2, noise_range=2.0)
    d, g = multimodal.make_experiment(settings).init(SEEDS)
    grid = np.linspace(-8, 8, aylien.PLOT_POINTS, dtype=np.float32)[: 10_000 // 12 * 12]
    decision, generated = multimodal.make_evaluation(settings).surfaces(d, g)
    tiled = np.tile(grid, (2, 1))[:, None]
    np.testing.assert_allclose(generated, multimodal.generator(settings, g, tf.constant(tiled / 4))[:, 0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(decision, multimodal.discriminator(settings, d, tf.constant(tiled))[:, 0], rtol=1e-4, atol=1e-5)


def test_peak_height():
    settings = multimodal.make_settings(1)
    quantiles = multimodal.truth(settings).ppf((np.arange(10_000) + 0.5) / 10_000)
    samples = np.stack([quantiles, quantiles / 2, np.zeros(10_000), np.full(10_000, np.nan), np.full(10_000, 99.0)])
    height = multimodal.peak_height(settings, samples)
    edge = 8 / 99  # the bin around 0 reaches from -edge to edge
    tallest = 1 - 2 * scipy.stats.norm.sf(edge, 0, 0.5)
    narrow = 1 - 2 * scipy.stats.norm.sf(edge, 0, 0.25)
    np.testing.assert_allclose(height, [1, narrow / tallest, 1 / tallest, np.nan, 0], rtol=1e-3)


@pytest.mark.parametrize('runs', [7, 300])
def test_row_of_an_ensemble_equals_the_solo_run(runs):
    row_of_an_ensemble_equals_the_solo_run(multimodal.make_experiment(multimodal.make_settings(3, pretrain_steps=5)), runs)


@pytest.mark.statistical
def test_wide_rows_equal_the_solo_run():
    """Beyond 4,096 products a layer is a `matmul`; it rounds otherwise, and training amplifies that from the tenth step on."""
    experiment = multimodal.make_experiment(multimodal.make_settings(10, pretrain_steps=0))
    row_of_an_ensemble_equals_the_solo_run(experiment, 3, steps=10)


# --- Command line -------------------------------------------------------------------------------------------------------------


def test_solo_run_writes_the_contract(tmp_path, capsys):
    assert call(multimodal_main, '--num_steps=60', '--pretrain_steps=20', '--animation', f'--output_dir={tmp_path}') == 0
    out = capsys.readouterr().out
    assert '     0: loss_d' in out and '    50: loss_d' in out and 'seed 4:' in out and 'modes_covered' in out
    (row,) = rows_of(tmp_path)
    assert list(row) == COLUMNS + OWN_COLUMNS and row['seed'] == '4' and row['finite'] == '1'
    flags = json.loads((tmp_path / 'config.json').read_text())['flags']
    assert set(multimodal_main.define_flags()) <= set(flags)
    assert (flags['modes'], flags['means'], flags['hidden_sizes'], flags['batch_size']) == (3, [-4, 0, 4], [12, 12, 12], 12)
    history = np.load(tmp_path / 'history.npz')
    assert history['step'].tolist() == [*range(0, 60, 5), 59]
    figure = np.load(tmp_path / 'figure.npz')
    assert figure['generated'].shape == figure['real'].shape == (99,)
    assert (tmp_path / 'animation.gif').read_bytes()[:6] == b'GIF89a'
    assert np.load(tmp_path / 'animation.npz')['step'].tolist() == history['step'].tolist()
    assert not list(tmp_path.glob('.*'))


def test_ensemble_reports_when_its_runs_converge(tmp_path, capsys):
    arguments = ['--modes=2', '--runs=30', '--seed=0', '--num_steps=120', '--pretrain_steps=0']
    assert call(multimodal_main, *arguments, f'--output_dir={tmp_path}') == 0
    out = capsys.readouterr().out
    table = {name: np.array([float(row[name]) for row in rows_of(tmp_path)]) for name in rows_of(tmp_path)[0]}
    history = np.load(tmp_path / 'history.npz')
    for i in range(30):
        below = history['wasserstein'][i] < 0.5
        first = history['step'][below][0] if below.any() else np.inf
        outside = history['step'][~below]
        lasting = history['step'][history['step'] > outside.max(initial=-1)]
        assert table['first_step_below'][i] == first
        assert table['convergence_step'][i] == (lasting[0] if lasting.size else np.inf)
    some = np.isfinite(table['convergence_step']).sum()
    assert 0 < some < 30 and f'converged: {some} of 30' in out
    for name in ('figure', 'ensemble', 'convergence'):
        assert (tmp_path / f'{name}.png').read_bytes()[:4] == b'\x89PNG' and (tmp_path / f'{name}.npz').exists()


@pytest.mark.statistical
def test_own_modes_minibatch_and_widths(tmp_path):
    arguments = ['--means=4,-5,1', '--deviations=0.7,0.5,0.2', '--hidden_sizes=9,3', '--minibatch', '--batch_size=7']
    assert call(multimodal_main, *arguments, '--runs=3', '--num_steps=5', '--pretrain_steps=0', f'--output_dir={tmp_path}') == 0
    flags = json.loads((tmp_path / 'config.json').read_text())['flags']
    assert (flags['means'], flags['deviations'], flags['modes']) == ([-5, 1, 4], [0.5, 0.2, 0.7], 3)
    assert (flags['hidden_sizes'], flags['minibatch'], flags['learning_rate']) == ([9, 3], True, 0.005)
    assert len(rows_of(tmp_path)) == 3


def test_replay_command(tmp_path, capsys):
    assert call(multimodal_main, f'--replay={TRACES[0]}', f'--output_dir={tmp_path}') == 0
    assert 'agrees' in capsys.readouterr().out
    with open(tmp_path / 'replay.csv') as file:
        assert {row['quantity'] for row in csv.DictReader(file)} == {'pre_loss', 'loss_d', 'loss_g'}
    other = DATA / 'aylien_2016-08_plain_seed42.npz'
    assert call(multimodal_main, f'--replay={other}', f'--output_dir={tmp_path}') == 2
    assert 'another program' in capsys.readouterr().err


def test_help(capsys):
    help_names_every_flag(multimodal_main, capsys)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--modes=0'], '--modes=0'),
        (['--modes=101'], '--modes=101'),
        (['--modes=2', '--means=1,2,3'], '--modes=2'),
        (['--means='], '--means='),
        (['--means=1,x'], '--means=1,x'),
        (['--means=nan'], '--means=nan'),
        (['--means=0,2'], 'overlap'),
        (['--means=1,1'], 'overlap'),
        (['--means=-4,4', '--deviations=2'], 'overlap'),
        (['--means=7'], 'leaves the figure'),
        (['--modes=3', '--deviations=0.5,0.5'], '--deviations=0.5,0.5'),
        (['--deviations=0'], '--deviations=0'),
        (['--deviations=-1'], '--deviations=-1'),
        (['--hidden_size=0'], '--hidden_size=0'),
        (['--hidden_size=500'], '1,500 units'),
        (['--hidden_sizes=12,0'], '--hidden_sizes=12,0'),
        (['--hidden_sizes=12,8', '--layers=2'], '--hidden_sizes=12,8'),
        (['--layers=0'], '--layers=0'),
        (['--layers=11'], '--layers=11'),
        (['--activation=elu'], '--activation=elu'),
        (['--noise_range=0'], '--noise_range=0'),
        (['--learning_rate=nan'], '--learning_rate=nan'),
        (['--pretrain_steps=-1'], '--pretrain_steps=-1'),
        (['--batch_size=0'], '--batch_size=0'),
        (['--batch_size=10001'], '--batch_size=10001'),
        (['--minibatch', '--batch_size=1'], '--batch_size=1'),
        (['--variant=2016-08'], '--variant=2016-08'),
        (['--runs=0'], '--runs=0'),
        (['--replay=none.npz'], '--replay=none.npz'),
        (['--replay=none.npz', '--modes=1'], '--modes'),
        (['--resume'], '--resume'),
        (['--claims', '--runs=10'], '--runs=10'),
        (['--d_hidden_sizes=8'], 'd_hidden_sizes'),
    ],
    ids=lambda value: ' '.join(value) if isinstance(value, list) else '',
)
def test_bad_input(arguments, message, tmp_path, capsys, monkeypatch):
    bad_input_is_one_line_and_status_2(multimodal_main, arguments, message, tmp_path, capsys, monkeypatch)


def test_resume(tmp_path, capsys, monkeypatch):
    arguments = ['--runs=3', '--num_steps=120', '--pretrain_steps=40', '--log_every=40']
    resume_is_bit_for_bit(
        multimodal_main,
        arguments,
        (1, 5),
        '--modes=2',
        'means was [-4.0, 0.0, 4.0], is [-4.0, 4.0]',
        tmp_path,
        capsys,
        monkeypatch,
    )


def test_a_second_training_of_the_same_settings_does_not_retrace():
    settings = multimodal.make_settings(2, pretrain_steps=0, batch_size=14)
    for seed in (0, 10):
        multimodal.train_many(settings, seed, 3, num_steps=500)
    assert multimodal.make_experiment(settings).play_loop.experimental_get_tracing_count() == 1


def test_early_records_do_not_change_the_training():
    settings = multimodal.make_settings(2, pretrain_steps=0)
    experiment = multimodal.make_experiment(settings)
    _, dense = multimodal.train_many(settings, 9, 2, num_steps=200)
    strategy, seeds = distribution.make_strategy('cpu', 2), np.arange(9, 11, dtype=np.uint32)
    records = [r for _, r in training.train(experiment._replace(early=()), strategy, seeds, 200, 50)]
    sparse = training.join_records(records)
    shared = np.isin(dense['step'], sparse['step'])
    np.testing.assert_array_equal(dense['wasserstein'][:, shared], sparse['wasserstein'])


def test_noise_is_aylien_s():
    settings = multimodal.make_settings(1)
    theirs = aylien.noise(aylien.make_settings('2016-12'), SEEDS, Stream.NOISE_D, 7)
    np.testing.assert_array_equal(multimodal.noise(settings, SEEDS, Stream.NOISE_D, 7), theirs)


# --- Claims -------------------------------------------------------------------------------------------------------------------


def outcome(lasting, first=None, **columns):
    """Columns of 100 runs as the claims read them."""
    runs = np.ones(100)
    table = {'convergence_step': lasting * runs, 'first_step_below': (lasting if first is None else first) * runs}
    table |= {'success': runs, 'modes_covered': runs, 'peak_height': 2 * runs, 'mode_width': 0.5 * runs}
    return table | {name: value * runs for name, value in columns.items()}


@pytest.mark.parametrize(
    ('one', 'two', 'three', 'verdict'),
    [
        (outcome(20), outcome(30), outcome(300), Verdict.REPRODUCED),
        (outcome(20), outcome(30), outcome(305), Verdict.PARTLY),
        (outcome(np.inf, 20), outcome(900, 25), outcome(400, 300), Verdict.PARTLY),
        (outcome(35), outcome(35), outcome(305), Verdict.NOT_REPRODUCED),
    ],
    ids=['by the stated steps', 'not three', 'there, but not to stay', 'later'],
)
def test_m1(one, two, three, verdict):
    assert multimodal_claims.converge_early({1: one, 2: two, 3: three}).verdict == verdict


def test_m1_tells_of_a_generator_that_is_there_before_it_is_trained():
    there, trained = outcome(0), outcome(20)
    with_ = multimodal_claims.converge_early({1: there, 2: trained, 3: trained})
    without = multimodal_claims.converge_early({1: trained, 2: trained, 3: trained})
    assert 'before they have learnt' in with_.reason and 'before they have learnt' not in without.reason
    assert with_.measured['1 mode: below the bound after one update'].value == 1


@pytest.mark.parametrize(
    ('full', 'smaller', 'verdict'),
    [
        (outcome(20), outcome(150), Verdict.REPRODUCED),
        (outcome(20), outcome(np.inf), Verdict.REPRODUCED),
        (outcome(20), outcome(30), Verdict.PARTLY),
        (outcome(np.inf, 20), outcome(np.inf, 100), Verdict.PARTLY),
        (outcome(20), outcome(20), Verdict.NOT_REPRODUCED),
        (outcome(20), outcome(15), Verdict.NOT_REPRODUCED),
        (outcome(np.inf), outcome(np.inf), Verdict.NOT_REPRODUCED),
    ],
    ids=['much later', 'never', 'later', 'only the first time', 'the same', 'earlier', 'neither ever'],
)
def test_m2_and_m3(full, smaller, verdict):
    assert multimodal_claims.layer_removed(full, smaller).verdict == verdict
    assert multimodal_claims.layers_narrowed(full, smaller).verdict == verdict


def share(part, modes):
    """A hundred runs of which so many per cent converge with every mode."""
    return outcome(np.where(np.arange(100) < part, 100, np.inf), modes_covered=modes)


def test_m4():
    def by_width(best):
        """The post's rule with `best` per cent: enough from 4 units a mode on."""
        return {
            modes: {width: share(best(modes) if width >= 4 * modes else 1, modes) for width in multimodal_claims.WIDTHS}
            for modes in multimodal_claims.MODES
        }

    linear = by_width(lambda modes: 90)
    assert [multimodal_claims.width_needed(modes, tables) for modes, tables in linear.items()] == [4, 8, 12, 20, 40, 60]
    assert multimodal_claims.width_grows_with_modes(linear).verdict == Verdict.REPRODUCED
    some = multimodal_claims.width_grows_with_modes(by_width(lambda modes: 90 if modes < 5 else 5))
    assert some.verdict == Verdict.PARTLY and 'with 5, 10, 15 modes no width' in some.reason
    assert multimodal_claims.width_grows_with_modes(by_width(lambda modes: 0)).verdict == Verdict.NOT_REPRODUCED
    missing = {w: outcome(100, modes_covered=4) for w in multimodal_claims.WIDTHS}
    assert np.isnan(multimodal_claims.width_needed(5, missing))


def test_m5():
    wide = {modes: outcome(100) for modes in (1, 2, 3)}
    for weak, verdict in ((3, Verdict.REPRODUCED), (1, Verdict.PARTLY), (0, Verdict.NOT_REPRODUCED)):
        own = {modes: outcome(np.inf if modes <= weak else 100) for modes in wide}
        assert multimodal_claims.own_generator_is_weak(wide, own).verdict == verdict


def test_m6():
    tall, flat = outcome(100), outcome(100, peak_height=0.9)
    for tables, verdict in (
        ((tall, tall, tall), Verdict.REPRODUCED),
        ((tall, flat, flat), Verdict.PARTLY),
        ((flat, flat, flat), Verdict.NOT_REPRODUCED),
        ((flat, outcome(100, mode_width=1.1), outcome(100, success=0)), Verdict.NOT_REPRODUCED),
    ):
        assert multimodal_claims.peaks_are_taller(dict(enumerate(tables, 1))).verdict == verdict


def test_the_page_s_claims_follow_from_the_kept_outcomes():
    figures = pathlib.Path(__file__).parent.parent / 'figures' / 'multimodal'
    tables = multimodal_claims.load_arms(figures / 'arms.npz')
    assert set(tables) == set(multimodal_claims.ARMS) and {len(table['seed']) for table in tables.values()} == {500}
    assert claims.as_markdown(multimodal_claims.judge(tables)) == (figures / 'claims.md').read_text()
