"""Remedies as flags of the posts, and the command that measures them."""

import csv

import numpy as np
import pytest
import tensorflow as tf
from helpers.paths import ROOT

from common import remedies, sizes, training
from common.evaluation import outcomes
from common.program import cli, flags
from common.settings import Remedies, flat, numbers
from common.storage import files
from reproductions import contract, declaration
from reproductions.aylien import gan as aylien
from reproductions.aylien import settings as aylien_settings
from reproductions.devnag import gan as devnag
from reproductions.devnag import settings as devnag_settings
from reproductions.jang import gan as jang
from reproductions.jang import settings as jang_settings
from reproductions.mnist import gan as mnist
from reproductions.mnist import settings as mnist_settings
from reproductions.remedies import command, measurement, plan, results

SEEDS = np.array([5, 6], np.uint32)
FIGURES = ROOT / 'figures' / 'remedies'
NUMBERS = numbers(Remedies)
OFF = [f'--{name}=0' for name in NUMBERS] + ['--nospectral_norm']

# --- Off and on ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('name', contract.NAMES)
def test_remedies_that_are_off_are_the_post(name):
    """The settings are the same object to every cache, and the post's train step is used as it is."""
    post, gan = contract.post(name), contract.part(name, 'gan')
    settings = declaration.settings_of(post, flags.parse(post.flags, [name, *OFF], post.file))
    assert settings == post.settings.make_settings() and not any(settings.remedies)
    step = gan.make_experiment(settings).train_step
    made = gan.make_train_step(settings, *((mnist_digits(),) if name == 'mnist' else ()))
    assert step.optimizer_d.update.__qualname__ == made.optimizer_d.update.__qualname__
    assert step.loss_d.__qualname__ == made.loss_d.__qualname__ and step.draw_d.__qualname__ == made.draw_d.__qualname__


def mnist_digits():
    return np.zeros([200, 784], np.uint8), np.zeros(200, np.uint8)


@pytest.mark.parametrize('name', contract.NAMES)
def test_every_post_has_every_remedy_as_a_flag(name):
    post = contract.post(name)
    given = {number: 0.125 for number in NUMBERS}
    words = [f'--{number}={value}' for number, value in given.items()] + ['--spectral_norm', '--num_steps=70']
    settings = declaration.settings_of(post, flags.parse(post.flags, [name, *words], post.file))
    assert settings.remedies == Remedies(**given, noise_steps=70, spectral_norm=True)
    assert set(Remedies._fields) <= {flag.name for flag in post.flags} and set(Remedies._fields) <= set(flat(settings))
    assert post.settings.make_settings(gradient_penalty=3.0).remedies.gradient_penalty == 3


@pytest.mark.parametrize(
    ('name', 'words', 'message'),
    [
        ('devnag', ['--minibatch'], '--minibatch is not defined here: D decides on a whole batch'),
        ('aylien', ['--noise_steps=5'], '--noise_steps=5 would change nothing: there is no --instance_noise'),
        ('jang', ['--label_smoothing=1'], '--label_smoothing=1.0 must be'),
        ('mnist', ['--gradient_penalty=-1'], '--gradient_penalty=-1: -1.0 is not a number in the range [0, 1000000.0]'),
        ('multimodal', ['--average=1.5'], '--average=1.5 must be'),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(name, words, message, capsys):
    assert cli.call(contract.part(name, '__main__').main, [name, *words]) == 2
    out, err = capsys.readouterr()
    assert not out and err.count('\n') == 1 and message in err


@pytest.mark.statistical
def test_an_average_of_g_changes_what_is_judged_and_nothing_else():
    plain, averaged = (
        outcomes.train_many(aylien, aylien_settings.make_settings(pretrain_steps=20, average=decay), 3, 2, 40, every=5)
        for decay in (0.0, 0.5)
    )
    for name in ('loss_d', 'loss_g'):
        np.testing.assert_array_equal(plain.history[name], averaged.history[name])
    assert (plain.table['mean'] != averaged.table['mean']).all()
    assert (plain.history['mean'] != averaged.history['mean'])[:, 1:].all()
    np.testing.assert_array_equal(averaged.train_state.g[0].w, averaged.train_state.opt_state_g.average[0].w)


# --- What the posts add -------------------------------------------------------------------------------------------------------


def test_minibatch_discrimination_in_jangs_d():
    settings = jang_settings.make_settings(minibatch=True)
    d = jang.init_discriminator(settings, tf.constant(SEEDS))
    x = np.linspace(-3, 3, 200)
    (w1, b1), (w2, b2), (w3, b3), (w4, b4) = [[value.numpy()[1].astype(np.float64) for value in layer] for layer in d]
    units = np.tanh(w2 @ np.tanh(w1 @ x[None] + b1) + b2)
    kernels = (w3 @ units + b3).reshape(5, 3, 200)
    near = np.exp(-abs(kernels[..., :, None] - kernels[..., None, :]).sum(axis=1)).mean(axis=-1)
    expected = np.tanh(w4 @ np.concatenate([units, near]) + b4)
    given = tf.constant(np.stack([x, x])[:, None], tf.float32)
    np.testing.assert_allclose(jang.mlp(settings, d, given)[1], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.statistical
def test_minibatch_discrimination_advances_fewer_runs_together(monkeypatch):
    """As many as the comparisons of their batches fit a CPU's caches; how many changes no number."""
    used = [aylien_settings.make_settings(minibatch=True, batch_size=size) for size in (8, 60, 200)]
    assert [sizes.minibatch_group(settings) for settings in (aylien_settings.make_settings(), *used)] == [1024, 1024, 38, 3]
    settings = aylien_settings.make_settings('2017-06', minibatch=True, batch_size=60)
    tables = []
    for group in (8, 4):
        monkeypatch.setattr(sizes, 'COMPARED', group * 15 * 60**2)
        assert sizes.minibatch_group(settings) == group
        aylien.make_experiment.cache_clear()
        tables.append(outcomes.train_many(aylien, settings, 0, 8, num_steps=20, every=10).table)
    aylien.make_experiment.cache_clear()
    for name, values in tables[0].items():
        np.testing.assert_array_equal(tables[1][name], values)


def test_minibatch_discrimination_in_mnists_d():
    settings = mnist_settings.make_settings('2018-06', batch_size=16, minibatch=True)
    d = mnist.init_discriminator(settings, tf.constant(SEEDS))
    x = np.random.default_rng(0).uniform(size=(2, 794, 16))
    (w1, b1), (w2, b2), (w3, b3) = [[value.numpy()[1].astype(np.float64) for value in layer] for layer in d]
    units = np.maximum(w1 @ x[1] + b1, 0)
    kernels = (w2 @ units + b2).reshape(5, 3, 16)
    near = np.exp(-abs(kernels[..., :, None] - kernels[..., None, :]).sum(axis=1)).mean(axis=-1)
    expected = w3 @ np.concatenate([units, near]) + b3
    np.testing.assert_allclose(
        mnist.discriminator_logits(settings, d, tf.constant(x, tf.float32))[1], expected, rtol=1e-4, atol=1e-5
    )
    same = tf.constant(np.zeros([2, 794, 16]), tf.float32)
    collapsed, diverse = (mnist.loss_of_d(settings, d, tf.constant(x, tf.float32), fake) for fake in (same, same + x))
    assert (collapsed != diverse).numpy().all()


def test_mnists_networks_have_their_own_batches_if_they_are_updated_more_often():
    digits = np.arange(200, dtype=np.uint8)[:, None].repeat(784, axis=1), np.zeros(200, np.uint8)
    step = mnist.make_train_step(mnist_settings.make_settings(batch_size=16, d_steps=3), digits)
    first, second = (step.draw_d(tf.constant(SEEDS), update) for update in (0, 1))
    assert (first[0] != second[0]).numpy().any() and (first[1] != second[1]).numpy().all()
    assert (step.draw_g(tf.constant(SEEDS), 0) != first[1]).numpy().all() and (step.d_steps, step.g_steps) == (3, 1)


def test_the_slope_of_dev_nags_d_is_that_of_its_decision_on_the_batch():
    """Through mean, std, skewness and kurtosis, whose gradient is written by hand, and on to D's own parameters."""
    settings = devnag_settings.make_settings(batch_size=6)
    d = devnag.init_discriminator(settings, tf.constant(SEEDS[:1]))
    x = np.random.default_rng(1).normal(4, 1.25, size=6)
    weights = [value.numpy()[0].astype(np.float64) for value in tf.nest.flatten(d)]

    def decision(x, w1, b1, w2, b2, w3, b3):
        z = (x - x.mean()) / x.std()
        column = np.array([x.mean(), x.std(), np.mean(z**3), np.mean(z**4) - 3])[:, None]
        first, second = (VIEW[name] for name in settings.d_activations)
        return float((w3 @ second(w2 @ first(w1 @ column + b1) + b2) + b3)[0, 0])

    def slope(*weights, step=1e-4):
        moves = step * np.eye(6)
        return sum(((decision(x + m, *weights) - decision(x - m, *weights)) / (2 * step)) ** 2 for m in moves)

    with tf.GradientTape() as tape:
        tape.watch(d)
        found = remedies.squared_gradient_norm(
            lambda x: devnag.decision_logits(settings, d, devnag.view(settings, x)), tf.constant(x[None, None], tf.float32), 1
        )
    assert found.numpy()[0, 0] == pytest.approx(slope(*weights), rel=1e-3)
    gradient = tape.gradient(found, d)[1].w.numpy()[0]
    for index in ((0, 0), (1, 2)):
        moved = [[value.copy() for value in weights] for _ in range(2)]
        for sign, values in zip((1, -1), moved, strict=True):
            values[2][index] += sign * 1e-3
        expected = (slope(*moved[0]) - slope(*moved[1])) / 2e-3
        assert gradient[index] == pytest.approx(expected, rel=0.01, abs=1e-5)


VIEW = {
    'tanh': np.tanh,
    'sigmoid': lambda x: 1 / (1 + np.exp(-x)),
    'elu': lambda x: np.where(x > 0, x, np.expm1(x)),
}

# --- The command --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch):
    """One remedy, and posts that train for a few steps."""
    monkeypatch.setattr(plan, 'REMEDIES', tuple(one for one in plan.REMEDIES if one.name == 'average'))
    trial = contract.Trial({'num_steps': 20, 'pretrain_steps': 0}, tried=3, strengths={'average': (0.5, 0.9)})
    monkeypatch.setattr(contract, 'trial_of', lambda post: trial)


@pytest.mark.statistical
def test_the_command_measures_what_is_not_done_yet(small, tmp_path, capsys):
    words = ['remedies', '--only=aylien', '--runs=60', f'--output_dir={tmp_path}']
    assert cli.call(command.main, words) == 0
    assert 'aylien: average of G' in capsys.readouterr().out
    rows = list(csv.DictReader((tmp_path / 'remedies.csv').read_text('utf-8').splitlines()))
    assert [(row['remedy'], row['runs']) for row in rows] == [('published', '60'), ('average', '60')]
    done = files.read_npz(tmp_path / 'aylien' / 'average.npz')
    assert done['run/seed'].tolist() == list(range(plan.FRESH_SEED, plan.FRESH_SEED + 60))
    assert done['tried/average'].tolist() == [0.5, 0.9] and str(done['strength']) in ('0.5', '0.9')
    alone = outcomes.train_many(
        aylien, aylien_settings.make_settings(pretrain_steps=0), plan.FRESH_SEED, 60, 20, every=10
    ).table
    published = files.read_npz(tmp_path / 'aylien' / 'published.npz')
    np.testing.assert_array_equal(published['run/wasserstein'], alone['wasserstein'])
    assert (tmp_path / 'remedies.png').exists() and '| average of G | `--average=0.' in (tmp_path / 'remedies.md').read_text(
        'utf-8'
    )
    (tmp_path / 'aylien' / 'average.npz').unlink()
    before = (tmp_path / 'remedies.csv').read_text('utf-8')
    assert cli.call(command.main, words) == 0
    assert capsys.readouterr().out.count('aylien: ') == 0  # the table has it
    assert (tmp_path / 'remedies.csv').read_text('utf-8') == before
    (tmp_path / 'remedies.csv').write_text(before.replace('aylien,average', 'aylien,unknown'), 'utf-8')
    assert cli.call(command.main, words) == 0
    out = capsys.readouterr().out
    assert 'aylien: average of G' in out and 'as published' not in out
    assert (tmp_path / 'remedies.csv').read_text('utf-8') == before
    (tmp_path / 'aylien' / 'published.npz').unlink()
    (tmp_path / 'aylien' / 'average.npz').unlink()
    (tmp_path / 'remedies.csv').write_text('\n'.join(before.splitlines()[:2]) + '\n', 'utf-8')
    assert cli.call(command.main, words) == 0
    assert 'as published' in capsys.readouterr().out  # which the other is compared with
    assert (tmp_path / 'remedies.csv').read_text('utf-8') == before


@pytest.mark.statistical
def test_more_runs_go_on_from_those_that_are_done(small, tmp_path, capsys):
    words = ['remedies', '--only=aylien', f'--output_dir={tmp_path}']
    assert cli.call(command.main, [*words, '--runs=60']) == 0
    table = (tmp_path / 'remedies.csv').read_bytes()
    some = files.read_npz(tmp_path / 'aylien' / 'average.npz')
    assert cli.call(command.main, [*words, '--runs=64']) == 0
    more, published = (files.read_npz(tmp_path / 'aylien' / f'{name}.npz') for name in ('average', 'published'))
    for name, values in some.items():
        np.testing.assert_array_equal(more[name][:60] if name.startswith('run/') else more[name], values)
    alone = outcomes.train_many(
        aylien, aylien_settings.make_settings(pretrain_steps=0), plan.FRESH_SEED, 64, 20, every=10
    ).table
    np.testing.assert_array_equal(published['run/seed'], alone['seed'])
    np.testing.assert_array_equal(published['run/wasserstein'], alone['wasserstein'])
    capsys.readouterr()
    assert cli.call(command.main, [*words, '--runs=60']) == 0  # the first of them
    assert 'aylien: ' not in capsys.readouterr().out and (tmp_path / 'remedies.csv').read_bytes() == table


@pytest.mark.statistical
def test_an_interruption_loses_only_the_part_that_was_being_trained(small, tmp_path, monkeypatch, capsys):
    """Not the choice of a strength before it; and no number depends on the parts."""
    words = ['remedies', '--only=aylien', '--runs=60', f'--output_dir={tmp_path}']
    monkeypatch.setattr(measurement, 'PART', 30)
    train, calls = measurement.execution.sweep, []

    def stopped(post, vary, runs, given):
        calls.append(runs)
        outcome = train(post, vary, runs, given)
        return outcome._replace(stop={4: 15, 6: 2}.get(len(calls), 0))

    monkeypatch.setattr(measurement.execution, 'sweep', stopped)
    assert cli.call(command.main, words) == 143  # SIGTERM
    assert 'what is done is kept' in capsys.readouterr().err and calls == [30, 30, 3, 30]
    assert cli.call(command.main, words) == 130 and calls[4:] == [30, 30]
    assert len(files.read_npz(tmp_path / 'aylien' / 'average.npz')['run/seed']) == 30
    assert cli.call(command.main, words) == 0 and calls[6:] == [30]
    alone = outcomes.train_many(
        aylien, aylien_settings.make_settings(pretrain_steps=0), plan.FRESH_SEED, 60, 20, every=10
    ).table
    average, published = (files.read_npz(tmp_path / 'aylien' / f'{name}.npz') for name in ('average', 'published'))
    np.testing.assert_array_equal(average['run/seed'], alone['seed'])
    assert {name for name in published if name.startswith('run/')} == {f'run/{name}' for name in measurement.kept('aylien')}
    for name in ('seed', 'success', 'finite', 'wasserstein'):
        np.testing.assert_array_equal(published[f'run/{name}'], alone[name])


def test_a_wrong_post_is_refused(capsys, tmp_path):
    assert cli.call(command.main, ['remedies', '--only=nag', f'--output_dir={tmp_path / "no"}']) == 2
    assert '--only=nag is not a post; the posts are aylien' in capsys.readouterr().err and not (tmp_path / 'no').exists()


def test_the_best_strength_has_most_successes_then_the_smallest_distance():
    cells = {'success': np.array([0.5, 0.7, 0.7]), 'wasserstein_median': np.array([0.1, 0.4, 0.3])}
    assert measurement.better(cells, 'wasserstein') == 2
    cells = {'success': np.zeros(3), 'frechet_median': np.array([np.nan, 4.0, 3.0])}
    assert measurement.better(cells, 'frechet') == 2


def drawn(success, distance):
    rng = np.random.default_rng(0)
    found = {'success': (rng.uniform(size=400) < success).astype(int), 'finite': np.ones(400, int)}
    return {f'run/{name}': values for name, values in (found | {'wasserstein': distance * rng.uniform(size=400)}).items()}


def test_differences_are_found_and_corrected_for_their_number():
    found = {
        'published': drawn(0.2, 1.0) | {'strength': np.array('1')},
        'average': drawn(0.5, 1.0) | {'strength': np.array('0.9')},
        'dragan': drawn(0.21, 0.5) | {'strength': np.array('10')},
    }
    rows = measurement.corrected(measurement.rows_of('aylien', found))
    marks = {row['remedy']: (row['success_differs'], row['distance_differs']) for row in rows}
    assert marks == {'published': (0, 0), 'dragan': (0, 1), 'average': (1, 0)}
    text = results.as_markdown(rows)
    assert '### aylien, 400 held-out seeds' in text and text.count('**') == 4
    by_name = {row['remedy']: row for row in rows}
    assert by_name['average']['success'] == found['average']['run/success'].mean()
    assert by_name['average']['success_low'] < by_name['average']['success'] < by_name['average']['success_high']


def test_runs_that_are_not_finite_count_as_infinitely_far():
    found = measurement.infinite(np.array([0.5, 0.1, np.nan]), np.array([True, False, True]))
    assert found.tolist() == [0.5, np.inf, np.inf]


def test_the_seeds_of_the_trial_are_used_nowhere_else():
    assert plan.CHOICE_SEED + 10_000 < plan.FRESH_SEED
    for name in contract.NAMES:
        (first, *others) = plan.remedies_of(name)
        assert first == plan.PUBLISHED and len({one.name for one in others}) == len(others) >= 11
        kinds = {flag.name for flag in contract.post(name).flags}
        assert {one.flag for one in others} <= kinds
        rates = next(one.strengths for one in others if one.flag == 'd_learning_rate')
        published = contract.part(name, 'settings').make_settings().learning_rate
        np.testing.assert_allclose(np.array(rates, float) / published, [0.25, 0.5, 2, 4, 8, 16], rtol=1e-5)
    assert training.NO_PRETRAINING.loss is None and 'minibatch' not in {one.name for one in plan.remedies_of('devnag')}


def test_the_table_is_complete_and_follows_from_the_committed_outcomes():
    table, compared = results.read(FIGURES, plan.RUNS), 0
    assert set(table) == {(post, one.name) for post in contract.NAMES for one in plan.remedies_of(post)}
    for directory in (path for path in FIGURES.iterdir() if path.is_dir()):
        found = measurement.measured(FIGURES, directory.name, plan.RUNS)
        assert set(found) == {path.stem for path in directory.iterdir()}
        for row in measurement.rows_of(directory.name, found):
            numbers = {name: value for name, value in row.items() if name not in results.TEXTS and not np.isnan(value)}
            written = table[directory.name, row['remedy']]
            np.testing.assert_allclose([written[name] for name in numbers], list(numbers.values()), rtol=1e-6)
            seeds = found[row['remedy']]['run/seed']
            np.testing.assert_array_equal(seeds, plan.FRESH_SEED + np.arange(len(seeds)))
            compared += len(numbers)
    assert compared > 100
