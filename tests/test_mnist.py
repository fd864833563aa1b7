"""The MNIST post: the recorded run, the order of the digits, row equals solo, what is judged and how, the command line."""

import csv
import itertools
import json
import pathlib

import numpy as np
import numpy_random
import post_checks
import pytest
import tensorflow as tf

from common import training
from common.devices import distribution
from common.evaluation import replay
from common.nn import layers
from common.nn.random import Stream
from reproductions.mnist import __main__ as mnist_main
from reproductions.mnist import claims as mnist_claims
from reproductions.mnist import classifier, dataset, quality
from reproductions.mnist import figures as mnist_figures
from reproductions.mnist import gan as mnist
from reproductions.mnist import replay as mnist_replay

DATA = pathlib.Path(__file__).parent / 'data'
TRACE = DATA / 'mnist_small.npz'
COLUMNS = [
    'seed', 'finite', 'success', 'collapsed', 'classes_covered', 'largest_share', *(f'share_{i}' for i in range(10)),
    'confidence', 'confident', 'score', 'frechet', 'nearest', 'nearest_other', 'd_train', 'd_real', 'd_fake', 'dead_g',
    'saturated', 'loss_d', 'loss_g',
]  # fmt: skip
SEEDS = tf.constant([3, 4], tf.uint32)
SMALL = mnist.make_settings(d_widths=(784, 12, 1), g_widths=(5, 12, 784), batch_size=16)


@pytest.fixture(scope='module')
def few(tmp_path_factory):
    """The path of 300 training and 80 test digits, which train a classifier (badly) in a second; its cache is apart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('XDG_CACHE_HOME', str(tmp_path_factory.mktemp('cache')))
        digits = dataset.bundled()
        arrays = {}
        for kind, labels, count in (('train', digits.y_train, 30), ('test', digits.y_test, 8)):
            rows = np.sort(np.concatenate([np.flatnonzero(labels == k)[:count] for k in range(10)]))
            arrays[f'x_{kind}'] = getattr(digits, f'x_{kind}')[rows].reshape(-1, 28, 28)
            arrays[f'y_{kind}'] = labels[rows]
        path = tmp_path_factory.mktemp('digits') / 'few.npz'
        np.savez(path, **arrays)
        yield path


@pytest.fixture(scope='module')
def judge(few):
    return quality.make_judge(dataset.load(str(few))[0])


# --- Parity -------------------------------------------------------------------------------------------------------------------


def test_trace_replays_over_all_its_steps():
    columns = mnist_replay.replay_trace(TRACE)
    assert len(columns['step']) == 120 and set(columns['quantity']) == {'loss_d', 'loss_g'}
    assert max(columns['relative_error']) <= 1e-4  # a tenth of what the contract asks of the first 20 steps


def test_trace_ends_with_the_recorded_weights():
    """Losses see the weights only through a batch; 60 updates of Adam leave every one where the recorded program left it."""
    meta, arrays = replay.load(TRACE, 'mnist')
    settings = mnist_replay.trace_settings(meta)
    game = mnist.make_game(settings, np.zeros([1, 784], np.uint8))._replace(
        draw_d=lambda seeds, step: (
            tf.cast(tf.transpose(tf.gather(arrays['x'], step)), tf.float32)[None] / 255,
            tf.transpose(tf.gather(arrays['z'], step))[None],
        ),
    )
    d, g = (replay.linears(arrays, [f'init/{network}/l{i}' for i in range(3)]) for network in 'DG')
    loop = training.compile_loop(lambda seeds, state: training.play(game, seeds, state), ['loss_d', 'loss_g'])
    players, _ = loop(tf.constant([0], tf.uint32), training.start_game(game, d, g), tf.constant([meta['steps']]))
    for network, ours in (('D', players.d), ('G', players.g)):
        theirs = replay.linears(arrays, [f'final/{network}/l{i}' for i in range(3)])
        for a, b in zip(tf.nest.flatten(ours), tf.nest.flatten(theirs), strict=True):
            assert np.abs(a - b).max() < 0.001  # less than one update of the rate's size in 60


def test_settings_are_the_posts():
    settings = mnist.make_settings()
    assert settings.d_widths == (784, 500, 200, 1) and settings.g_widths == (100, 200, 500, 784)
    assert (settings.batch_size, settings.learning_rate, settings.beta1) == (128, 0.001, 0.9)
    assert mnist.VARIANTS['post'].num_steps == 500_000


# --- Data and noise -----------------------------------------------------------------------------------------------------------


def test_the_head_is_held_out():
    digits = dataset.bundled()
    images, labels = mnist.training_digits(digits)
    assert len(images) == len(labels) == 8000 - 666
    np.testing.assert_array_equal(images[0], digits.x_train[666])
    assert 60_000 // mnist.HELD_OUT == 5000  # of all of MNIST


def test_order_passes_through_all_digits_without_a_gap():
    """Batches of 16 out of 100 digits: 25 batches are 4 passes, and the seventh batch holds a tail and a head."""
    compiled = tf.function(lambda step: mnist.batch_places(SMALL, SEEDS, step, 100), jit_compile=True)
    sequence = np.concatenate([compiled(tf.constant(step)).numpy() for step in range(25)], axis=1)
    passes = sequence.reshape(2, 4, 100)
    np.testing.assert_array_equal(np.sort(passes, axis=2), np.broadcast_to(np.arange(100), (2, 4, 100)))
    assert len({tuple(order) for order in passes.reshape(-1, 100).tolist()}) == 8  # reshuffled, for every seed


def test_order_is_that_of_the_plain_computation():
    for step, size in ((6, 100), (2**31 - 2, 55_000)):
        places = step * 16 + np.arange(16)
        expected = numpy_random.permuted([3, 4], Stream.ORDER, places // size, places % size, size)
        np.testing.assert_array_equal(mnist.batch_places(SMALL, SEEDS, tf.constant(step), size), expected)
        compiled = tf.function(lambda step, size=size: mnist.batch_places(SMALL, SEEDS, step, size), jit_compile=True)
        np.testing.assert_array_equal(compiled(tf.constant(step)), expected)


def test_batches_are_those_digits_over_255():
    images = dataset.bundled().x_train
    x = mnist.real_images(SMALL, tf.constant(images), SEEDS, 9).numpy()
    places = mnist.batch_places(SMALL, SEEDS, 9, 8000).numpy()
    assert x.shape == (2, 784, 16)
    np.testing.assert_array_equal(x[1, :, 5], images[places[1, 5]].astype(np.float32) / np.float32(255))


def test_noise_is_uniform_and_serves_both_updates():
    settings = mnist.make_settings()
    game = mnist.make_game(settings, dataset.bundled().x_test)
    assert game.draw_g is None  # so that G's update is given that of D's
    z, other = (game.draw_d(SEEDS, step)[1].numpy() for step in (7, 8))
    assert z.shape == (2, 100, 128) and (z != other).mean() > 0.99
    many = mnist.noise(settings, SEEDS, Stream.NOISE_D, 7, 5000).numpy()
    np.testing.assert_array_equal(many[:, :, :128], z)  # a larger count begins with the same columns
    assert -1 <= many.min() < -0.999 and 0.999 < many.max() < 1
    assert many.mean() == pytest.approx(0, abs=0.003) and many.var() == pytest.approx(1 / 3, rel=0.01)


# --- Networks -----------------------------------------------------------------------------------------------------------------


def test_weights_have_the_posts_deviation():
    d, g = mnist.make_experiment(mnist.make_settings(), None).init(SEEDS)
    for params, widths in ((d, (784, 500, 200, 1)), (g, (100, 200, 500, 784))):
        assert [layer.w.shape[1:] for layer in params] == [(b, a) for a, b in itertools.pairwise(widths)]
        for layer in params:
            wanted, count = np.sqrt(2 / layer.w.shape[2]), np.size(layer.w)
            assert np.std(layer.w) == pytest.approx(wanted, rel=4 / np.sqrt(2 * count))  # four standard errors
            assert not layer.b.numpy().any()


def test_networks_by_plain_matrices():
    d, g = mnist.make_experiment(SMALL, None).init(SEEDS)
    z = mnist.noise(SMALL, SEEDS, Stream.NOISE_D, 0, 16)
    (w0, w1), (v0, v1) = ([layer.w.numpy()[1] for layer in params] for params in (g, d))
    images = 1 / (1 + np.exp(-(w1 @ np.maximum(w0 @ z.numpy()[1], 0))))
    np.testing.assert_allclose(mnist.generator(g, z)[1], images, rtol=1e-4)
    logits = v1 @ np.maximum(v0 @ images, 0)
    np.testing.assert_allclose(mnist.discriminator_logits(d, mnist.generator(g, z))[1], logits, rtol=1e-3, atol=1e-5)
    x = tf.zeros([2, 784, 16])
    expected = np.log(2) + np.log1p(np.exp(logits)).mean()  # biases are 0, so D is undecided about black images
    assert mnist.loss_of_d(d, g, x, z).numpy()[1] == pytest.approx(expected, rel=1e-5)
    assert mnist.loss_of_g(d, g, z).numpy()[1] == pytest.approx(np.log1p(np.exp(-logits)).mean(), rel=1e-5)


# --- Row equals solo, one compilation -----------------------------------------------------------------------------------------


def first_losses(seed, runs):
    settings, images = mnist.make_settings(), dataset.bundled().x_test
    experiment = mnist.make_experiment(settings, mnist.make_game(settings, images))
    seeds = np.arange(seed, seed + runs, dtype=np.uint32)
    exact = tf.nest.flatten(experiment.init(tf.constant(seeds))) + list(experiment.game.draw_d(tf.constant(seeds), 17))
    strategy = distribution.make_strategy('cpu', runs)
    records = training.join_records([r for _, r in training.train(experiment, strategy, seeds, 5, 1)])
    assert experiment.play_loop.experimental_get_tracing_count() == 1
    return [values.numpy() for values in exact], np.stack([records['loss_d'], records['loss_g']])


def test_row_of_an_ensemble_equals_the_solo_run():
    exact, losses = first_losses(40, 3)
    solo_exact, solo_losses = first_losses(42, 1)
    for ensemble, solo in zip(exact, solo_exact, strict=True):
        np.testing.assert_array_equal(ensemble[2], solo[0])
    np.testing.assert_allclose(losses[:, 2], solo_losses[:, 0], rtol=1e-4)
    assert (np.abs(losses[:, 1] / losses[:, 2] - 1) > 1e-3).all()  # other seeds differ


# --- What is judged -----------------------------------------------------------------------------------------------------------


def test_real_digits_are_judged_as_real(judge):
    real = quality.quality(judge, judge.test)
    assert real['classes_covered'] == 10 and real['frechet'] == pytest.approx(0, abs=1e-6)
    assert sum(real[f'share_{i}'] for i in range(10)) == pytest.approx(1)
    without = [judge.references[f'without_{k}']['frechet'] for k in range(10)]
    assert judge.references['training']['frechet'] > 0 and quality.success_bound(judge.references) == min(without)
    assert judge.references['training']['nearest'] == pytest.approx(0, abs=0.02)
    assert real['nearest'] > 1 and real['nearest_other'] > 1


def test_one_digit_for_all_is_found_out(judge):
    same = quality.quality(judge, np.repeat(judge.test[:1], 80, axis=0))
    assert (same['classes_covered'], same['largest_share'], same['nearest_other']) == (1, 1, pytest.approx(0, abs=0.02))
    assert same['score'] == pytest.approx(1, abs=1e-4) and same['frechet'] > quality.success_bound(judge.references)


def test_verdicts_follow_from_the_columns():
    references = {f'without_{k}': {'frechet': 5.0 - 0.1 * k} for k in range(10)}
    columns = {
        'frechet': np.array([4.0, 4.2, 4.0, np.nan, 200.0]),
        'classes_covered': np.array([10, 10, 9, np.nan, 1]),
        'largest_share': np.array([0.2, 0.2, 0.5, np.nan, 1.0]),
    }
    found = quality.verdict_columns(references, columns)
    assert found['finite'].tolist() == [1, 1, 1, 0, 1]
    assert found['success'].tolist() == [1, 0, 0, 0, 0]
    assert found['collapsed'].tolist() == [0, 0, 1, 0, 1]


def test_evaluation_by_plain_means(judge):
    settings = mnist.make_settings()
    d, g = mnist.make_experiment(settings, None).init(SEEDS)
    g = (*g[:1], g[1]._replace(w=-tf.abs(g[1].w), b=g[1].b), g[2])  # every unit of the second layer is dead
    host = tf.nest.map_structure(lambda value: value.numpy(), (d, g))
    columns, sheets = quality.evaluate(settings, judge, SEEDS.numpy(), training.Players(0, *host, (), ()))
    assert list(columns) == list(quality.COLUMNS) and sheets.shape == (2, 80, 784) and sheets.dtype == np.uint8
    np.testing.assert_allclose(columns['dead_g'], 500 / 700)
    np.testing.assert_array_equal(sheets, 128)  # sigmoid(0) of 255
    np.testing.assert_array_equal(columns['saturated'], 0)
    logits = mnist.discriminator_logits(d, tf.stack([judge.test.T, judge.test.T])).numpy()
    np.testing.assert_allclose(columns['d_real'], (1 / (1 + np.exp(-logits))).mean(axis=(1, 2)), rtol=1e-4)


def test_a_run_that_is_not_finite_is_counted(judge):
    settings = mnist.make_settings()
    d, g = mnist.make_experiment(settings, None).init(SEEDS[:1])
    g = (g[0]._replace(b=g[0].b + np.nan), *g[1:])
    host = tf.nest.map_structure(lambda value: value.numpy(), (d, g))
    columns, sheets = quality.evaluate(settings, judge, SEEDS.numpy()[:1], training.Players(0, *host, (), ()))
    assert all(np.isnan(values).all() for values in columns.values()) and not sheets.any()
    assert quality.verdict_columns(judge.references, columns)['finite'].tolist() == [0]


def test_sheets_are_the_head_of_what_is_judged(judge):
    settings = mnist.make_settings()
    d, g = mnist.make_experiment(settings, None).init(SEEDS)
    players = training.Players(0, *tf.nest.map_structure(lambda value: value.numpy(), (d, g)), (), ())
    _, sheets = quality.evaluate(settings, judge, SEEDS.numpy(), players)
    alone = quality.sheet(settings, SEEDS.numpy(), players)
    assert np.abs(sheets.astype(int) - alone[:, :80]).max() <= 1  # rounding, to a byte
    assert alone.shape == (2, 100, 784) and alone.std() > 10


# --- Claims -------------------------------------------------------------------------------------------------------------------


def ensemble_of(frechet, covered, largest, other, d_real, d_fake, runs=8):
    """A table, a history of three evaluations and references, every run the same."""
    last = dict.fromkeys(quality.COLUMNS, 0.0) | {
        'frechet': frechet, 'classes_covered': covered, 'largest_share': largest, 'nearest_other': other, 'confident': 0.9,
        'd_real': d_real, 'd_fake': d_fake,
    }  # fmt: skip
    history = {name: np.full((runs, 3), value) for name, value in last.items()}
    history['eval_step'] = np.array([0, 25_000, 49_999])
    references = {f'without_{k}': {'frechet': 5.0} for k in range(10)}
    references |= {
        name: {'nearest_other': 5.0, 'confident': 0.97, 'frechet': 0.5} for name in ('test', 'training', 'untrained')
    }
    columns = {name: history[name][:, -1] for name in quality.COLUMNS}
    return columns | quality.verdict_columns(references, columns), history, references


def verdicts(*ensemble, gentle=None):
    return [row.verdict.value for row in mnist_claims.measure(*ensemble, gentle)]


def test_claims_on_runs_that_all_succeed_all_collapse_or_differ():
    good = ensemble_of(2.0, 10, 0.15, 4.0, 0.55, 0.45)
    assert verdicts(*good) == ['reproduced'] * 3
    bad = ensemble_of(200.0, 1, 1.0, 0.0, 1.0, 0.0)
    assert verdicts(*bad) == ['not reproduced', 'not reproduced', 'cannot be tested']
    assert verdicts(*bad, gentle=good[0])[2] == 'partly'
    short = bad[1] | {'eval_step': np.array([0, 100, 49_998])}
    assert verdicts(bad[0], short, bad[2])[:2] == ['cannot be tested'] * 2
    rows = mnist_claims.measure(*bad)
    collapsed = {name: estimate for name, estimate in rows[0].measured.items() if 'collapsed' in name or 'alike' in name}
    assert [estimate.value for estimate in collapsed.values()] == [1, 1, 1]
    _, history, references = good
    for name in quality.COLUMNS:
        history[name][1:, -1] = bad[1][name][1:, -1]
    mixed = {name: history[name][:, -1] for name in quality.COLUMNS}
    mixed |= quality.verdict_columns(references, mixed)
    assert verdicts(mixed, history, references) == ['partly', 'partly', 'partly']
    assert mnist_claims.measure(mixed, history, references)[0].measured['the same at any evaluation on the way'].value == 1


# --- Figures ------------------------------------------------------------------------------------------------------------------


def test_sheets_are_tiled_row_by_row_in_dark_ink():
    images = np.zeros((3, 784), np.uint8)
    images[1, 0] = 200
    sheet = mnist_figures.tiled(images, 2)
    assert sheet.shape == (58, 58) and sheet[0, 30] == 55 and sheet[0, 0] == 255
    assert (sheet < 255).sum() == 1


def test_stages_include_both_ends():
    for steps in (np.arange(0, 50_001, 425), np.array([0, 1]), np.array([0])):
        shown = mnist_figures.stages(steps)
        assert shown[0] == 0 and shown[-1] == len(steps) - 1 and len(shown) <= mnist_figures.STAGES


def test_records_fall_on_evaluations_and_sheets():
    for runs, num_steps, eval_every in ((1, 500_000, 2500), (8, 50_000, 2500), (3, 40, 7), (1000, 10, 1)):
        every, sheet_every = mnist_main.intervals(runs, num_steps, eval_every)
        assert eval_every % every == 0 and sheet_every % every == 0 and every * runs <= max(mnist.CALL, runs)
    assert mnist_main.intervals(1, 500_000, 2500) == (100, 4200)


# --- Command line -------------------------------------------------------------------------------------------------------------


def call(*arguments):
    return post_checks.call(mnist_main, *arguments)


def test_solo_run_writes_the_contract(few, tmp_path, capsys):
    arguments = [f'--data={few}', '--num_steps=30', '--eval_every=10', '--batch_size=32', '--animation']
    assert call(*arguments, f'--output_dir={tmp_path}') == 0
    captured = capsys.readouterr()
    assert '     0: loss_d' in captured.out and 'classifier:' in captured.out and 'not MNIST as published' in captured.err
    (row,) = post_checks.rows_of(tmp_path)
    assert list(row) == COLUMNS and (row['seed'], row['finite']) == ('0', '1')
    config = json.loads((tmp_path / 'config.json').read_text())
    assert set(mnist_main.define_flags()) <= set(config['flags'])
    assert (config['flags']['num_steps'], config['flags']['batch_size'], config['iterations']) == (30, 32, 30)
    assert config['flags']['digits'] == dataset.UNKNOWN
    assert (classifier.cache_directory() / f'{config["flags"]["classifier"]}.npz').exists()
    pictures = ['data', 'figure', 'interpolation', 'losses', 'progress', 'quality']
    assert sorted(path.stem for path in tmp_path.glob('*.png')) == pictures
    assert all((tmp_path / f'{name}.npz').exists() for name in [*pictures, 'animation'])
    assert (tmp_path / 'animation.gif').read_bytes()[:6] == b'GIF89a'
    references = json.loads((tmp_path / 'references.json').read_text())
    assert 0.1 < references['classifier']['accuracy'] <= 1
    assert references['untrained']['frechet'] > references['training']['frechet'] > 0
    history = np.load(tmp_path / 'history.npz')
    assert history['eval_step'].tolist() == [0, 10, 20, 29] and history['step'][-1] == 29
    assert history['frechet'].shape == (1, 4) and float(row['frechet']) == pytest.approx(history['frechet'][0, -1], rel=1e-6)
    assert history['sheets'].shape[:1] + history['sheets'].shape[2:] == (1, 784, len(history['sheet_step']))
    np.testing.assert_array_equal(np.load(tmp_path / 'data.npz')['images'][0], np.load(few)['x_train'][25].ravel())
    assert np.load(tmp_path / 'quality.npz')['untrained/frechet'] == references['untrained']['frechet']
    progress = np.load(tmp_path / 'progress.npz')
    assert progress['labels'][[0, -1]].tolist() == ['0', '29'] and len(progress['images']) == 10 * progress['columns']
    assert not list(tmp_path.glob('.*'))


@pytest.mark.statistical
def test_resume_is_bit_for_bit_with_evaluations_on_the_way(few, tmp_path, capsys, monkeypatch):
    """It stops in the middle of a pass: 275 digits are five batches and a half. Other digits are refused."""
    arrays = dict(np.load(few))
    np.savez(tmp_path / 'other.npz', **arrays | {'x_test': arrays['x_test'][::-1]})  # the classifier is the same
    arguments = [f'--data={few}', '--runs=2', '--num_steps=24', '--eval_every=8', '--batch_size=50']
    changed = f'--data={tmp_path / "other.npz"}'
    post_checks.resume_is_bit_for_bit(mnist_main, arguments, (2,), changed, 'data_sha256 was', tmp_path, capsys, monkeypatch)
    assert (tmp_path / 'whole' / 'runs.png').exists()


def test_help_names_every_flag(capsys):
    post_checks.help_names_every_flag(mnist_main, capsys)


@pytest.mark.statistical
def test_claims_command(few, tmp_path, capsys):
    arguments = ['--claims', '--runs=2', '--num_steps=3', f'--data={few}', '--batch_size=8', f'--output_dir={tmp_path}']
    assert call(*arguments) == 0
    rows = json.loads((tmp_path / 'claims.json').read_text())
    assert [row['claim'] for row in rows] == ['D1', 'D2', 'D3']
    assert (tmp_path / 'claims.md').read_text() in capsys.readouterr().out


@pytest.mark.statistical
def test_mirrored_devices_share_the_runs(few, tmp_path):
    arguments = [f'--data={few}', '--runs=2', '--num_steps=2', '--batch_size=8']
    assert call(*arguments, '--strategy=mirrored', f'--output_dir={tmp_path / "shared"}') == 0
    assert json.loads((tmp_path / 'shared' / 'config.json').read_text())['strategy'] == 'MirroredStrategy'
    settings, images = mnist.make_settings(batch_size=8), mnist.training_digits(dataset.load(str(few))[0])[0]
    experiment, strategy = (
        mnist.make_experiment(settings, mnist.make_game(settings, images)),
        distribution.make_strategy('cpu', 2),
    )
    records = training.join_records([r for _, r in training.train(experiment, strategy, np.arange(2, dtype=np.uint32), 2, 2)])
    np.testing.assert_allclose(np.load(tmp_path / 'shared' / 'history.npz')['loss_d'], records['loss_d'], rtol=1e-4)


def test_replay_command(tmp_path, capsys):
    assert call(f'--replay={TRACE}', f'--output_dir={tmp_path}') == 0
    assert 'agrees' in capsys.readouterr().out
    with open(tmp_path / 'replay.csv') as file:
        assert len(list(csv.DictReader(file))) == 120


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--variant=2017'], '--variant=2017'),
        (['--batch_size=0'], '--batch_size=0'),
        (['--data=bundled', '--batch_size=7335'], '--batch_size=7335'),
        (['--data=nowhere.npz'], '--data=nowhere.npz'),
        (['--learning_rate=-1', '--data=bundled'], '--learning_rate=-1'),
        (['--beta1=1', '--data=bundled'], '--beta1=1'),
        (['--eval_every=0'], '--eval_every=0'),
        (['--num_steps=0'], '--num_steps=0'),
        (['--seed=4294967296'], '--seed=4294967296'),
        (['--replay=none.npz', '--data=bundled'], '--data'),
        (['--replay=none.npz'], '--replay=none.npz'),
        (['--data=bundled', '--resume'], '--resume'),
        (['--minibatch'], 'minibatch'),
    ],
    ids=lambda value: ' '.join(value) if isinstance(value, list) else '',
)
def test_bad_input_is_one_line_and_status_2(arguments, message, tmp_path, capsys, monkeypatch):
    post_checks.bad_input_is_one_line_and_status_2(mnist_main, arguments, message, tmp_path, capsys, monkeypatch)


def test_traces_of_others_and_damaged_ones(tmp_path, capsys):
    arrays = dict(np.load(TRACE))
    meta = json.loads(str(arrays['meta']))
    changes = {
        'size': {'batch_size': 33}, 'huge': {'steps': 10**9}, 'widths': {'d_arch': [784, 'many', 1]},
        'misfit': {'g_arch': [16, 16, 32, 783]},
    }  # fmt: skip
    for name, change in changes.items():
        np.savez(tmp_path / f'{name}.npz', **arrays | {'meta': json.dumps(meta | change)})
    np.savez(tmp_path / 'lacking.npz', **{key: value for key, value in arrays.items() if key != 'init/G/l1/b'})
    np.savez(tmp_path / 'floats.npz', **arrays | {'x': arrays['x'] / np.float32(255)})
    for name in (*changes, 'lacking', 'floats'):
        assert call(f'--replay={tmp_path / name}.npz', f'--output_dir={tmp_path / "out"}') == 2, name
        error = capsys.readouterr().err
        assert f'--replay={tmp_path / name}.npz' in error and error.count('\n') == 1
    assert call(f'--replay={DATA / "jang_m40_seed1.npz"}', f'--output_dir={tmp_path / "out"}') == 2


def test_layers_choose_the_matrix_product_at_this_size():
    """A product written as multiply and sum would make a network of this size many times slower."""
    traced = tf.function(lambda x, w, b: layers.dense(x, layers.Linear(w, b))).get_concrete_function(
        tf.TensorSpec([1, 784, 128]), tf.TensorSpec([1, 500, 784]), tf.TensorSpec([1, 500, 1])
    )
    assert 'BatchMatMulV2' in {op.type for op in traced.graph.get_operations()}
