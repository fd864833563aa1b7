"""The MNIST post: its evaluation and its command line, on a few digits that one classifier is trained on."""

import csv
import json

import numpy as np
import pytest
import tensorflow as tf
from helpers import post_checks
from helpers.paths import DATA

from common import training
from common.devices import distribution
from common.settings import Remedies, numbers
from common.storage import caches, files
from reproductions.mnist import __main__ as mnist_main
from reproductions.mnist import dataset, quality
from reproductions.mnist import gan as mnist
from reproductions.mnist import settings as mnist_settings

TRACE, CONDITIONAL_TRACE = DATA / 'mnist_small.npz', DATA / 'mnist_2018-06_seed0.npz'
COLUMNS = [
    'seed', 'finite', 'success', 'collapsed', 'classes_covered', 'largest_share', *(f'share_{i}' for i in range(10)),
    'confidence', 'confident', 'score', 'frechet', 'nearest', 'nearest_other', 'd_train', 'd_real', 'd_fake', 'dead_g',
    'saturated', 'loss_d', 'loss_g',
]  # fmt: skip
SEEDS = np.array([3, 4], np.uint32)


@pytest.fixture(scope='module')
def evaluator(few):
    return quality.make_evaluator(dataset.load(str(few))[0])


# --- Evaluation ---------------------------------------------------------------------------------------------------------------


def test_real_digits_score_well(evaluator):
    real = quality.quality(evaluator, evaluator.test)
    assert real['classes_covered'] == 10 and real['frechet'] == pytest.approx(0, abs=1e-6)
    assert sum(real[f'share_{i}'] for i in range(10)) == pytest.approx(1)
    without = [evaluator.references[f'without_{k}']['frechet'] for k in range(10)]
    assert evaluator.references['training']['frechet'] > 0 and quality.success_threshold(evaluator.references) == min(without)
    assert evaluator.references['training']['nearest'] == pytest.approx(0, abs=0.02)
    assert real['nearest'] > 1 and real['nearest_other'] > 1


def test_a_single_repeated_digit_is_detected(evaluator):
    same = quality.quality(evaluator, np.repeat(evaluator.test[:1], 80, axis=0))
    assert (same['classes_covered'], same['largest_share'], same['nearest_other']) == (1, 1, pytest.approx(0, abs=0.02))
    assert same['score'] == pytest.approx(1, abs=1e-4) and same['frechet'] > quality.success_threshold(evaluator.references)


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


def test_a_conditional_run_succeeds_if_every_class_comes_on_request():
    """Half of the digits of each class must be recognized as that class; one class below is enough to fail."""
    columns = {'frechet': np.full(3, 4.0), 'classes_covered': np.full(3, 10), 'largest_share': np.full(3, 0.2)}
    columns |= {'recognized': np.full(3, 0.9)} | {f'recognized_{k}': np.array([0.9, 0.5, 0.9]) for k in range(10)}
    columns['recognized_7'] = np.array([0.9, 0.5, 0.49])
    references = {f'without_{k}': {'frechet': 5.0} for k in range(10)}
    assert quality.verdict_columns(references, columns)['success'].tolist() == [1, 1, 0]


def test_what_was_asked_for_by_hand(evaluator):
    """Real digits asked for as what they are, then all asked for as the next class; and diversity within a class."""
    asked = evaluator.test_labels
    real = quality.as_asked(evaluator, evaluator.test, asked)
    assert list(real) == list(quality.AS_ASKED)
    assert real['recognized'] == pytest.approx(evaluator.classifier.accuracy)
    assert np.mean([real[f'recognized_{k}'] for k in range(10)]) == pytest.approx(real['recognized'])  # eight of each class
    spreads = [evaluator.test[asked == k].astype(np.float64).std(axis=0).mean() for k in range(10)]
    assert real['pixel_std_within_class'] == pytest.approx(np.mean(spreads))
    assert real['pixel_mean'] == pytest.approx(evaluator.test.astype(np.float64).mean())
    assert quality.as_asked(evaluator, evaluator.test, (asked + 1) % 10)['recognized'] < 0.3
    means = np.stack([evaluator.images[evaluator.labels == k].astype(np.float64).mean(axis=0) for k in range(10)])
    same = quality.as_asked(evaluator, means.repeat(2, axis=0).astype(np.float32), np.arange(10).repeat(2))
    assert same['class_mean_distance'] == pytest.approx(0, abs=1e-5) and same['pixel_std_within_class'] == 0
    one = quality.as_asked(evaluator, evaluator.test[asked == 3], np.full(8, 3))
    assert np.isnan(one['recognized_0']) and np.isfinite([one['pixel_std_within_class'], one['class_mean_distance']]).all()


def test_evaluation_of_a_conditional_run_equals_plain_means(evaluator):
    """D is given the labels of the digits, and those that the generated ones were asked for: 0, 1, ... 9 in turn."""
    settings = mnist_settings.make_settings('2018-06')
    d, g = mnist.experiment_of(settings, None).init(SEEDS[:1])
    host = tf.nest.map_structure(lambda value: value.numpy(), (d, g))
    columns, _ = mnist.evaluate(settings, evaluator, SEEDS[:1], training.TrainState(0, *host, (), ()))
    assert list(columns) == list(quality.column_names(True))
    z = mnist.requests(settings, tf.constant(SEEDS[:1]), mnist.Stream.FIGURE, 0, 80)
    images = mnist.generator(settings, g, z)
    asked = np.tile(np.arange(10), 8)
    for name, x, labels in (('d_fake', images, asked), ('d_real', evaluator.test.T[None], evaluator.test_labels)):
        logits = mnist.discriminator_logits(settings, d, dataset.with_labels(tf.constant(x), labels[None])).numpy()
        assert columns[name][0] == pytest.approx((1 / (1 + np.exp(-logits))).mean(), rel=1e-4)
    by_hand = quality.as_asked(evaluator, images.numpy()[0].T, asked)
    assert {name: columns[name][0] for name in by_hand} == pytest.approx(by_hand, rel=1e-4)


def test_evaluation_equals_plain_means(evaluator):
    settings = mnist_settings.make_settings()
    d, g = mnist.experiment_of(settings, None).init(SEEDS)
    g = (*g[:1], g[1]._replace(w=-tf.abs(g[1].w), b=g[1].b), g[2])  # every unit of the second layer is dead
    host = tf.nest.map_structure(lambda value: value.numpy(), (d, g))
    columns, grids = mnist.evaluate(settings, evaluator, SEEDS, training.TrainState(0, *host, (), ()))
    assert list(columns) == list(quality.COLUMNS) and grids.shape == (2, 80, 784) and grids.dtype == np.uint8
    np.testing.assert_allclose(columns['dead_g'], 500 / 700)
    np.testing.assert_array_equal(grids, 128)  # sigmoid(0) of 255
    np.testing.assert_array_equal(columns['saturated'], 0)
    logits = mnist.discriminator_logits(settings, d, tf.stack([evaluator.test.T, evaluator.test.T])).numpy()
    np.testing.assert_allclose(columns['d_real'], (1 / (1 + np.exp(-logits))).mean(axis=(1, 2)), rtol=1e-4)


@pytest.mark.parametrize('changes', [{}, *({name: 0.1} for name in numbers(Remedies)), {'spectral_norm': True}], ids=str)
def test_the_untrained_networks_are_evaluated_with_any_remedy(changes, evaluator):
    """They are those of the run's own experiment; only spectral normalization changes them, and D alone."""
    more = {'noise_steps': 5} if 'instance_noise' in changes else {}
    plain = mnist.untrained(mnist_settings.make_settings(), evaluator, 7)
    columns = mnist.untrained(mnist_settings.make_settings(**changes, **more), evaluator, 7)
    assert list(columns) == list(quality.COLUMNS) and columns['frechet'] == plain['frechet'] > 1
    assert (columns['d_real'] != plain['d_real']) == ('spectral_norm' in changes)


def test_a_run_that_is_not_finite_is_counted(evaluator):
    settings = mnist_settings.make_settings()
    d, g = mnist.experiment_of(settings, None).init(SEEDS[:1])
    g = (g[0]._replace(b=g[0].b + np.nan), *g[1:])
    host = tf.nest.map_structure(lambda value: value.numpy(), (d, g))
    columns, grids = mnist.evaluate(settings, evaluator, SEEDS[:1], training.TrainState(0, *host, (), ()))
    assert all(np.isnan(values).all() for values in columns.values()) and not grids.any()
    assert quality.verdict_columns(evaluator.references, columns)['finite'].tolist() == [0]


def test_sample_grids_are_the_first_of_the_images_that_are_evaluated(evaluator):
    settings = mnist_settings.make_settings()
    d, g = mnist.experiment_of(settings, None).init(SEEDS)
    train_state = training.TrainState(0, *tf.nest.map_structure(lambda value: value.numpy(), (d, g)), (), ())
    _, grids = mnist.evaluate(settings, evaluator, SEEDS, train_state)
    alone = mnist.sample_grid(settings, SEEDS, train_state.g)
    assert np.abs(grids.astype(int) - alone[:, :80]).max() <= 1  # rounding, to a byte
    assert alone.shape == (2, 100, 784) and alone.std() > 10


# --- Command line -------------------------------------------------------------------------------------------------------------


def test_records_coincide_with_evaluations_and_sample_grids():
    for runs, num_steps, eval_every in ((1, 500_000, 2500), (8, 50_000, 2500), (3, 40, 7), (1000, 10, 1)):
        every, sheet_every = mnist_main.intervals(runs, num_steps, eval_every)
        assert eval_every % every == 0 and sheet_every % every == 0 and every * runs <= max(mnist_settings.CALL, runs)
    assert mnist_main.intervals(1, 500_000, 2500) == (100, 4200)


def call(*arguments):
    return post_checks.call(mnist_main, *arguments)


def test_a_single_run_writes_its_files(few, tmp_path, capsys):
    arguments = [f'--data={few}', '--num_steps=30', '--eval_every=10', '--batch_size=32', '--animation']
    assert call(*arguments, f'--output_dir={tmp_path}') == 0
    captured = capsys.readouterr()
    assert 'collapses' not in captured.out  # these are not the listing's settings
    assert '     0: loss_d' in captured.out and 'classifier:' in captured.out and 'not MNIST as published' in captured.err
    (row,) = post_checks.rows_of(tmp_path)
    assert list(row) == COLUMNS and (row['seed'], row['finite']) == ('0', '1')
    config = json.loads((tmp_path / 'config.json').read_text(encoding='utf-8'))
    assert set(post_checks.flags_of(mnist_main)) <= set(config['flags'])
    assert (config['flags']['num_steps'], config['flags']['batch_size'], config['iterations']) == (30, 32, 30)
    assert config['flags']['digits'] == dataset.UNKNOWN
    cache = caches.directory('XDG_CACHE_HOME', '.cache') / 'gan-tutorials'
    assert (cache / f'{config["flags"]["classifier"]}.npz').exists()
    pictures = ['data', 'figure', 'interpolation', 'losses', 'progress', 'quality']
    assert sorted(path.stem for path in tmp_path.glob('*.png')) == pictures
    assert all((tmp_path / f'{name}.npz').exists() for name in [*pictures, 'animation'])
    assert (tmp_path / 'animation.gif').read_bytes()[:6] == b'GIF89a'
    references = json.loads((tmp_path / 'references.json').read_text(encoding='utf-8'))
    assert 0.1 < references['classifier']['accuracy'] <= 1
    assert references['untrained']['frechet'] > references['training']['frechet'] > 0
    history = files.read_npz(tmp_path / 'history.npz')
    assert history['eval_step'].tolist() == [0, 10, 20, 29] and history['step'][-1] == 29
    assert history['frechet'].shape == (1, 4) and float(row['frechet']) == pytest.approx(history['frechet'][0, -1], rel=1e-6)
    assert history['sheets'].shape[:1] + history['sheets'].shape[2:] == (1, 784, len(history['sheet_step']))
    np.testing.assert_array_equal(
        files.read_npz(tmp_path / 'data.npz')['images'][0], files.read_npz(few)['x_train'][25].ravel()
    )
    assert files.read_npz(tmp_path / 'quality.npz')['untrained/frechet'] == references['untrained']['frechet']
    progress = files.read_npz(tmp_path / 'progress.npz')
    assert progress['labels'][[0, -1]].tolist() == ['0', '29'] and len(progress['images']) == 10 * progress['columns']
    assert not list(tmp_path.glob('.partial-*'))


@pytest.mark.statistical
def test_a_conditional_run_shows_a_row_for_each_digit(few, tmp_path, capsys):
    arguments = ['--variant=2018-06', f'--data={few}', '--num_steps=30', '--eval_every=10', '--batch_size=32', '--runs=2']
    assert call(*arguments, f'--output_dir={tmp_path}', f'--export={tmp_path / "model"}', '--animation') == 0
    printed = capsys.readouterr().out
    assert all(f'recognized_{k} ' in printed for k in range(10)) and 'pixel_std_within_class' in printed
    row, _ = post_checks.rows_of(tmp_path)
    assert list(row) == [*COLUMNS[:-2], *quality.AS_ASKED, *COLUMNS[-2:]]
    history, sheet = files.read_npz(tmp_path / 'history.npz'), files.read_npz(tmp_path / 'figure.npz')['images']
    assert history['recognized_9'].shape == (2, 4) and set(quality.AS_ASKED) < set(history)
    np.testing.assert_array_equal(sheet[:10], history['sheets'][0, ::10, :, -1])  # the first row: all that was asked for as 0
    np.testing.assert_array_equal(sheet[90:], history['sheets'][0, 9::10, :, -1])
    np.testing.assert_array_equal(files.read_npz(tmp_path / 'animation.npz')['sheets'][-1], sheet)
    assert len(files.read_npz(tmp_path / 'interpolation.npz')['images']) == 120  # ten rows of twelve
    assert files.read_npz(tmp_path / 'runs.npz')['columns'] == 10
    assert history['sheets'].shape[1] == 100  # although only 80 digits are evaluated
    assert 'recognized_9' in files.read_npz(tmp_path / 'quality.npz')
    model = tf.saved_model.load(tmp_path / 'model')
    nines = model.sample(20, 0, 9).numpy()
    assert np.abs(np.round(255 * nines[9]) - sheet[90]).max() <= 1  # the tenth request of the sheet is the first 9
    assert json.loads((tmp_path / 'references.json').read_text(encoding='utf-8'))['test']['recognized'] > 0.1


@pytest.mark.statistical
def test_the_listing_says_first_that_it_collapses(few, tmp_path, capsys):
    assert call(f'--data={few}', '--num_steps=1', f'--output_dir={tmp_path}') == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert 'collapses' in first and '--variant=2018-06 draws digits' in first and '--variant=repaired' in first


@pytest.mark.statistical
def test_resume_is_bit_for_bit_with_evaluations_during_training(few, tmp_path, capsys, monkeypatch):
    """Interrupted in the middle of an epoch: 275 digits are five and a half batches. Other digits are refused."""
    arrays = files.read_npz(few)
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
    rows = json.loads((tmp_path / 'claims.json').read_text(encoding='utf-8'))
    assert [row['claim'] for row in rows] == ['D1', 'D2', 'D3']
    assert (tmp_path / 'claims.md').read_text(encoding='utf-8') in capsys.readouterr().out


@pytest.mark.statistical
def test_mirrored_devices_shard_the_runs(few, tmp_path):
    arguments = [f'--data={few}', '--runs=2', '--num_steps=2', '--batch_size=8']
    assert call(*arguments, '--strategy=mirrored', f'--output_dir={tmp_path / "shared"}') == 0
    assert json.loads((tmp_path / 'shared' / 'config.json').read_text(encoding='utf-8'))['strategy'] == 'MirroredStrategy'
    settings, digits = mnist_settings.make_settings(batch_size=8), dataset.load(str(few))[0]
    experiment, strategy = mnist.make_experiment(settings, digits), distribution.make_strategy('cpu', 2)
    records = training.join_records([r for _, r in training.train(experiment, strategy, np.arange(2, dtype=np.uint32), 2, 2)])
    np.testing.assert_allclose(files.read_npz(tmp_path / 'shared' / 'history.npz')['loss_d'], records['loss_d'], rtol=1e-4)


def test_replay_command(tmp_path, capsys):
    assert call(f'--replay={TRACE}', f'--output_dir={tmp_path}') == 0
    assert 'agrees' in capsys.readouterr().out
    with open(tmp_path / 'replay.csv', encoding='utf-8') as file:
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
        (['--minibatch', '--batch_size=1'], '--batch_size=1'),
    ],
    ids=lambda value: ' '.join(value) if isinstance(value, list) else '',
)
def test_bad_input_is_one_line_and_status_2(arguments, message, tmp_path, capsys, monkeypatch):
    post_checks.bad_input_is_one_line_and_status_2(mnist_main, arguments, message, tmp_path, capsys, monkeypatch)


def test_traces_of_other_posts_and_damaged_ones(tmp_path, capsys):
    arrays = files.read_npz(TRACE)
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


def test_conditional_traces_of_other_labels_or_another_adam(tmp_path, capsys):
    arrays = files.read_npz(CONDITIONAL_TRACE)
    meta = json.loads(str(arrays['meta']))
    changes = {
        'adam': {'adam': [0.0002, 0.9, 0.999, 1e-8]}, 'labels': {'conditional': 9}, 'variant': {'variant': '2019'},
        'plain': {'variant': 'post', 'conditional': 0}, 'noise': {'g_arch': [10, 128, 784]},
    }  # fmt: skip
    for name, change in changes.items():
        np.savez(tmp_path / f'{name}.npz', **arrays | {'meta': json.dumps(meta | change)})
    np.savez(tmp_path / 'unlabelled.npz', **{key: value for key, value in arrays.items() if key != 'y'})
    np.savez(tmp_path / 'above.npz', **arrays | {'y': arrays['y'] + 10})
    for name in (*changes, 'unlabelled', 'above'):
        assert call(f'--replay={tmp_path / name}.npz', f'--output_dir={tmp_path / "out"}') == 2, name
        error = capsys.readouterr().err
        assert f'--replay={tmp_path / name}.npz' in error and error.count('\n') == 1
