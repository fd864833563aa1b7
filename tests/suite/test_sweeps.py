"""Sweeps: what --vary means, that a run of a cell is the run alone, the files, stopping and resuming, and the map."""

import csv
import inspect
import itertools
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from helpers.paths import ROOT

import reproductions
from common import training, varied
from common.devices import distribution
from common.evaluation import claims
from common.program import cli, session
from common.settings import EVALUATED, Kind, Remedies, changed, fields, flat
from common.settings import numbers as per_run
from common.storage import files
from reproductions import contract
from reproductions.aylien import __main__ as aylien_main
from reproductions.sweeps import command, figures, plan, results

TABLE = aylien_main.POST.flags
REMEDY_NUMBERS = per_run(Remedies)


# --- What --vary means --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('words', 'named'),
    [
        ([], '--vary is given not at all; give it one to 3 times'),
        (['--vary=learning_rate'], 'must be NAME=VALUES'),
        (['--vary=color=1,2'], "'color' cannot vary; these can: variant, minibatch"),
        (['--vary=seed=1,2'], "'seed' cannot vary"),
        (['--vary=learning_rate=1..2'], 'a range is a..b:n'),
        (['--vary=learning_rate=0.1..0.01:3'], 'is an empty range; put the smaller number first'),
        (['--vary=learning_rate=0..1:3'], 'geometric steps need positive numbers; add :linear'),
        (['--vary=learning_rate=1..2:100000'], 'asks for 100,000 values; use 100 or fewer'),
        (['--vary=learning_rate=,1'], 'has an empty value'),
        (['--vary=batch_size=4,five'], "'five' is not a whole number"),
        (['--vary=minibatch=maybe'], "'maybe' is neither true nor false"),
        (['--vary=d_hidden_sizes=4x4,8;8'], "'8;8' must be widths joined by x"),
        (['--vary=variant=2016-08,2018'], "'2018' is none of 2016-08, 2016-12, 2017-06"),
        (['--vary=batch_size=4', '--vary=batch_size=8'], 'batch_size is varied twice'),
        (['--vary=batch_size=4,8', '--batch_size=3'], '--batch_size is varied; leave out --batch_size=3'),
        (['--vary=batch_size=4,0'], '--batch_size=0'),
        (['--vary=learning_rate=0.1,-1'], '--learning_rate=-1.0 must be a positive number'),
        (['--vary=beta1=0.5,0.9'], '--beta1=0.5 would change nothing: the program of 2016-08 uses gradient descent'),
        (['--vary=sigma=1e-9,1'], '--sigma=1e-09 is lost in rounding beside --mu=4.0'),
        (['--vary=batch_size=4,8', '--log_every=3'], "Unknown command line flag 'log_every'"),
        (['--vary=batch_size=12,9000', '--runs=100000', '--minibatch'], 'GiB of memory or more'),
        (['--vary=batch_size=4,8', '--resume', '--output_dir=nowhere'], '--resume: there is no directory nowhere'),
    ],
)
def test_what_cannot_be_swept_is_refused_in_one_line(words, named, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.call(command.main, ['aylien', *words]) == 2
    out, err = capsys.readouterr()
    assert named in err and err.startswith('error: ') and err.count('\n') == 1 and not out
    assert list(tmp_path.iterdir()) == []


def test_help_and_a_wrong_post(capsys):
    assert cli.call(command.main, ['nag', '--vary=a=1']) == 2
    assert "'nag' is not a post" in capsys.readouterr().err
    assert command.main([]) == 0
    assert '--vary=NAME=VALUES' in capsys.readouterr().out


# --- A run of a cell is the run alone -----------------------------------------------------------------------------------------

OTHER = {  # a value of each number that no post has, and that trains
    'learning_rate': 0.0021, 'd_learning_rate': 0.0031, 'g_learning_rate': 0.0017, 'momentum': 0.55, 'decay': 0.83,
    'beta1': 0.71, 'beta2': 0.993, 'epsilon': 3e-5, 'init_scale': 0.77, 'noise_range': 3.3, 'output_scale': 4.1, 'clamp': 0.03,
    'mu': 2.7, 'sigma': 0.9, 'label_smoothing': 0.13, 'instance_noise': 0.21, 'gradient_penalty': 0.17, 'dragan': 0.11,
    'historical_averaging': 0.002, 'average': 0.95,
}  # fmt: skip
REMEDIES = dict(zip(REMEDY_NUMBERS, (0.05, 0.4, 0.09, 0.19, 0.004, 0.9), strict=True)) | {'noise_steps': 100}  # all on
SHORT = {'pretrain_steps': 20, 'num_steps': 400}  # pre-training of a thousand steps would magnify the last bit
SETTINGS = [
    ('aylien', {}), ('aylien', {'variant': '2017-06', 'minibatch': True}), ('jang', {'batch_size': 40}),
    ('jang', {'batch_size': 40, 'stratify': False}), ('multimodal', {}), ('devnag', {'d_steps': 2, 'g_steps': 2}),
    ('devnag', {'variant': '2017-02'}), ('mnist', {'variant': '2018-06'}), ('mnist', {'variant': 'post'}),
]  # fmt: skip
SEEDS = np.array([5, 6, 7], np.uint32)


def first_iterations(experiment, seeds):
    """(initial networks and the batches of update 3 [runs, ...], losses of 20 iterations {name: [runs, 20]})."""
    strategy = distribution.make_strategy('cpu', 3)
    start = training.initial_state(experiment, strategy, seeds).train_state
    records = training.join_records([records for _, records in training.train(experiment, strategy, seeds, 20, 1)])
    return tf.nest.flatten((start.d, start.g)), {name: value for name, value in records.items() if 'step' not in name}


def batches(train_step, seeds):
    """What both networks are given in update 3, a list of [runs, ...]."""
    given = [train_step.draw_d(seeds, 3), train_step.draw_g(seeds, 3) if train_step.draw_g else ()]
    return [value.numpy() for value in tf.nest.flatten(given)]


@pytest.mark.statistical
@pytest.mark.parametrize(('post', 'changes'), SETTINGS, ids=[f'{post} {changes}' for post, changes in SETTINGS])
def test_a_run_with_its_own_numbers_is_the_run_alone(post, changes):
    """The middle run of three has other numbers; the same seed is trained alone with them.

    The first settings of each post have every remedy on, the others none.
    """
    gan, settings = contract.part(post, 'gan'), contract.part(post, 'settings')
    precision = per_run(settings.Settings)
    on = REMEDIES if (post, changes) == next(one for one in SETTINGS if one[0] == post) else {}
    names = [name for name in precision if on or name not in REMEDY_NUMBERS]
    short = {name: value for name, value in SHORT.items() if name in settings.Settings._fields}
    base = settings.make_settings(**short | changes | on)
    alone = changed(base, {name: OTHER[name] for name in names})
    usual = {name: base.learning_rate if flat(base)[name] is None else flat(base)[name] for name in names}
    runs = varied.Runs(SEEDS, {name: np.array([usual[name], OTHER[name], usual[name]]) for name in names})
    networks, records = first_iterations(varied.make_experiment(gan.make_experiment, base, precision), runs)
    networks_alone, records_alone = first_iterations(gan.make_experiment(alone), SEEDS[1:2])
    for ours, theirs in zip(networks, networks_alone, strict=True):
        np.testing.assert_array_equal(ours[1:2], theirs)
    numbers = {name: tf.cast(value, precision[name])[:, None, None] for name, value in runs.numbers.items()}
    make = inspect.unwrap(gan.make_experiment)
    ours = batches(make(changed(base, numbers)).train_step, tf.constant(SEEDS))
    theirs = batches(make(alone).train_step, tf.constant(SEEDS[1:2]))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a[1:2], b)
    for name in ('loss_d', 'loss_g'):
        np.testing.assert_allclose(records[name][1], records_alone[name][0], rtol=1e-5, atol=1e-6)
    plain = training.initial_state(gan.make_experiment(base), distribution.make_strategy('cpu', 1), SEEDS[1:2]).train_state
    assert any((a[0] != b[1]).any() for a, b in zip(tf.nest.flatten((plain.d, plain.g)), networks, strict=True))  # they do act


@pytest.mark.parametrize('name', contract.NAMES)
def test_every_number_is_a_field_and_a_flag(name):
    settings, declared = contract.post(name).settings, fields(contract.post(name).settings.Settings)
    numbers, kinds = per_run(settings.Settings), {flag.name: flag.kind for flag in contract.post(name).flags}
    assert set(numbers) <= set(flat(settings.make_settings())) and len(numbers) >= 6
    assert {name for name, field in declared.items() if EVALUATED in field.marks} <= set(numbers)
    assert {kinds[number] for number in numbers} <= {float, Kind.POSITIVE, Kind.FRACTION}
    assert set(numbers.values()) <= {'float32', 'float64'} and settings.make_settings().default_steps > 0


@pytest.mark.statistical
def test_numbers_are_cut_into_groups_with_their_runs():
    """Five runs with five learning rates, advanced two at a time, lose what they lose all at once."""
    gan = contract.part('aylien', 'gan')
    settings, seeds = contract.post('aylien').settings.make_settings(pretrain_steps=0), np.arange(5, dtype=np.uint32)
    runs = varied.Runs(seeds, {'learning_rate': np.array([0.001, 0.3, 0.01, 0.1, 0.03])})

    def losses(group):
        def make(settings):
            return inspect.unwrap(gan.make_experiment)(settings)._replace(group=group)

        experiment = varied.make_experiment(make, settings, {'learning_rate': 'float32'})
        return first_iterations(experiment, runs)[1]['loss_d']

    np.testing.assert_array_equal(losses(2), losses(1024))
    assert len(np.unique(losses(2)[:, -1])) == 5


# --- The command --------------------------------------------------------------------------------------------------------------

QUICK = ['aylien', '--num_steps=12', '--pretrain_steps=3', '--runs=3', '--seed=7', '--vary=mu=2,4', '--vary=batch_size=4,6']


def rows_of(path):
    with open(path, newline='', encoding='utf-8') as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope='module')
def swept(tmp_path_factory):
    """The directory of a finished sweep of four cells."""
    directory = tmp_path_factory.mktemp('sweep')
    assert command.main([*QUICK, f'--output_dir={directory}']) == 0
    return directory


def test_files(swept):
    names = {'config.json', 'map.png', 'results.csv', 'sweep.csv', 'sweep.npz'}
    assert names <= {path.name for path in swept.iterdir()}
    cells, runs = rows_of(swept / 'sweep.csv'), rows_of(swept / 'results.csv')
    assert [(row['mu'], row['batch_size']) for row in cells] == [('2', '4'), ('2', '6'), ('4', '4'), ('4', '6')]
    assert list(cells[0])[2:7] == ['runs', 'finite', 'success', 'success_low', 'success_high']
    assert list(cells[0])[7:10] == ['wasserstein_q25', 'wasserstein_median', 'wasserstein_q75'] and len(cells[0]) == 16
    assert list(runs[0])[:4] == ['seed', 'mu', 'batch_size', 'finite'] and [row['seed'] for row in runs] == ['7', '8', '9'] * 4
    for i, row in enumerate(cells):
        found = [float(each['wasserstein']) for each in runs[3 * i : 3 * i + 3]]
        assert float(row['wasserstein_median']) == pytest.approx(sorted(found)[1])


def test_a_row_equals_that_of_the_command_of_its_cell(swept, tmp_path):
    """Seed 8 with mean 2, which differs from run to run, and a batch of 6, which is compiled: as alone, in every column."""
    flags_of_cell = ['--num_steps=12', '--pretrain_steps=3', '--seed=8', '--mu=2', '--batch_size=6']
    assert aylien_main.main(['aylien', *flags_of_cell, f'--output_dir={tmp_path}']) == 0
    (alone,) = rows_of(tmp_path / 'results.csv')
    row = rows_of(swept / 'results.csv')[4]
    assert row['seed'] == alone['seed'] == '8'
    for name, value in alone.items():
        assert float(row[name]) == pytest.approx(float(value), rel=2e-5, abs=1e-6), name


def test_stopped_and_resumed(swept, tmp_path, monkeypatch, capsys):
    """Ctrl-C during the second program keeps the first one's cells; --resume trains the others; the tables are the same."""
    asked = itertools.count()
    agree = session.agree
    monkeypatch.setattr(session, 'agree', lambda *args: (signal.SIGINT if next(asked) >= 3 else 0, False))
    assert command.main([*QUICK, f'--output_dir={tmp_path}']) == 130
    out = capsys.readouterr().out
    assert '2 of 4 cells done, 3 seeds each\nno seed succeeds in any of them' in out and '--resume goes on' in out
    assert len(rows_of(tmp_path / 'sweep.csv')) == 2
    monkeypatch.setattr(session, 'agree', agree)
    assert cli.call(command.main, [*QUICK, f'--output_dir={tmp_path}', '--resume', '--sigma=2']) == 2
    assert 'holds a sweep with another flags; give the same flags as before' in capsys.readouterr().err
    assert command.main([*QUICK, f'--output_dir={tmp_path}', '--resume']) == 0
    for name in ('results.csv', 'sweep.csv'):
        assert (tmp_path / name).read_bytes() == (swept / name).read_bytes()


def test_a_full_disk_never_joins_a_sweep_with_the_numbers_of_another(swept, tmp_path, monkeypatch, capsys):
    """Another sweep stops before its numbers are written: --resume refuses those that are there, which are not its own."""
    for name in ('config.json', 'sweep.npz'):
        (tmp_path / name).write_bytes((swept / name).read_bytes())
    other = [word.replace('mu=2,4', 'mu=1,3') for word in QUICK]
    write_npz = files.write_npz

    def full(path, arrays, durable=False):
        raise files.CannotWrite(f'{path} cannot be written (No space left on device)')

    monkeypatch.setattr(files, 'write_npz', full)
    assert cli.call(command.main, [*other, f'--output_dir={tmp_path}']) == 1
    monkeypatch.setattr(files, 'write_npz', write_npz)
    assert cli.call(command.main, [*other, f'--output_dir={tmp_path}', '--resume']) == 2
    assert 'holds a sweep with another vary; give the same flags as before' in capsys.readouterr().err
    assert command.main([*QUICK, f'--output_dir={tmp_path}', '--resume']) == 0  # whose they are
    assert (tmp_path / 'results.csv').read_bytes() == (swept / 'results.csv').read_bytes()


def test_from_python_the_tables_are_the_same(swept):
    given = {'num_steps': 12, 'pretrain_steps': 3, 'seed': 7}
    found = reproductions.sweep('aylien', {'mu': [2, 4], 'batch_size': '4,6'}, runs=3, **given)
    for name, table in (('sweep.csv', found.cells), ('results.csv', found.results)):
        expected = files.read_csv(swept / name)
        assert list(expected) == list(table)
        for column, values in expected.items():
            np.testing.assert_allclose(table[column], values, rtol=1e-6, atol=1e-12)
    with pytest.raises(ValueError, match=r"^--vary=x=1: 'x' cannot vary; these can"):
        reproductions.sweep('aylien', {'x': [1]})
    with pytest.raises(ValueError, match=r"^'nag' is not a post"):
        reproductions.sweep('nag', {'x': [1]})


@pytest.mark.statistical
def test_other_variants_have_other_columns():
    found = reproductions.sweep('multimodal', {'modes': [1, 2]}, runs=2, num_steps=3, pretrain_steps=0)
    assert found.cells['modes'].tolist() == [1, 2] and np.isinf(found.results['convergence_step']).all()


def test_the_numbers_of_a_cell():
    table = {
        'seed': np.arange(4), 'finite': np.array([1, 1, 1, 0]), 'success': np.array([1, 0, 0, 0]),
        'wasserstein': np.array([1.0, 2.0, 4.0, np.nan]), 'mean': np.array([0.0, 0.0, 1.0, np.nan]),
    }  # fmt: skip
    found = results.summary(table, ('wasserstein', 'mean', 'std'))
    wilson = claims.proportion(np.array([True, False, False, False]))
    assert (found['runs'], found['finite'], found['success']) == (4, 0.75, 0.25)
    assert (found['success_low'], found['success_high']) == (wilson.low, wilson.high)
    assert [found[f'wasserstein_{name}'] for name in ('q25', 'median', 'q75')] == [1.5, 2.0, 3.0] and 'std_median' not in found


def test_programs_hold_cells_that_differ_in_numbers_alone():
    """Of 3 learning rates x 2 batches x 2 variants, those of a batch and a variant are one program, of at most 4,096 runs."""
    words = ['--vary=variant=2016-08,2016-12', '--vary=learning_rate=0.001..0.1:3', '--vary=batch_size=4,8', '--runs=2000']
    made = plan.parse('aylien', words)
    found = list(plan.programs(made, done={0}))
    assert [program.cells for program in found] == [[2, 4], [1, 3], [5], [6, 8], [10], [7, 9], [11]]
    assert all(program.varied == ('learning_rate',) for program in found)
    assert made.published == ('2016-08', 0.005, 12) and figures.frame(made) == 'the post'
    assert [cell.every for cell in made.cells] == [12] * 12


@pytest.mark.statistical
def test_a_sweep_on_two_devices_is_that_on_one(swept, tmp_path):
    """In a process of its own, since devices are split before TensorFlow's first op."""
    words = [*QUICK, '--strategy=mirrored', '--logical_devices=2', f'--output_dir={tmp_path}']
    subprocess.run([sys.executable, '-m', 'reproductions', 'sweep', *words], check=True, cwd=ROOT, capture_output=True)
    ours, theirs = (files.read_csv(directory / 'results.csv') for directory in (tmp_path, swept))
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=2e-5, atol=1e-6, err_msg=name)


def test_where_the_post_stands():
    digits = plan.parse('mnist', ['--vary=hidden_sizes=128,500x200', '--vary=d_learning_rate=0.1,0.2', '--data=bundled'])
    assert digits.published == ((500, 200), 0.001) and figures.frame(digits) == 'the post'
    modes = plan.parse('multimodal', ['--vary=modes=1,3', '--num_steps=300'])
    assert modes.published == (3,) and figures.frame(modes) == 'our default'
    jang = plan.parse('jang', ['--vary=stratify=true,false', '--vary=num_steps=10,10000', '--momentum=0.3'])
    assert jang.published == (True, 10_000) and figures.frame(jang) == 'unchanged'


# --- The map ------------------------------------------------------------------------------------------------------------------


def arrays(names, values, published, geometric, success):
    found = {
        'title': 'a title',
        'names': names,
        'geometric': geometric,
        'published': published,
        'distance': 'distance',
        'own': 'the post',
    }
    found |= {f'values_{k}': np.array(each) for k, each in enumerate(values)}
    return found | {f'cell_{name}': success for name in ('success', 'low', 'high', 'distance', 'distance_low', 'distance_high')}


@pytest.mark.parametrize(('count', 'most'), [(1, 1), (2, 1), (2, 0), (3, 1)])
def test_maps_of_one_to_three_names(count, most, tmp_path):
    """With `most` 0 no seed succeeds, and the map shows the distance."""
    values = [['0.01', '0.1', '1'], ['4x4', '8x8x8'], ['false', 'true']][:count]
    success = most * np.linspace(0, 1, np.prod([len(each) for each in values])).reshape([len(each) for each in values])
    success.flat[0] = np.nan  # a cell that is not done
    given = arrays(['learning_rate', 'd_hidden_sizes', 'minibatch'][:count], values, ['0.03', '8x8x8', 'false'][:count],
                   [True, False, False][:count], success)  # fmt: skip
    files.write_npz(tmp_path / 'sweep.npz', given)
    figures.draw(tmp_path / 'map.png', tmp_path / 'sweep.npz')
    assert (tmp_path / 'map.png').stat().st_size > 10_000


def test_the_post_stands_between_two_cells_of_a_logarithmic_axis():
    n = arrays(['learning_rate', 'variant'], [['0.01', '0.1', '1'], ['a', 'b']], ['0.0316228', 'c'], [True, False], np.zeros(3))
    assert figures.position(n, 0) == pytest.approx(0.5, abs=1e-4) and figures.position(n, 1) is None
    assert (
        figures.position(n | {'published': ['0.1', 'b']}, 0) == 1 and figures.position(n | {'published': ['2', 'b']}, 0) is None
    )
    assert figures.position(n | {'published': ['2', 'b']}, 1) == 1
    assert figures.short(np.array(['0.0316228', '12'])) == ['0.0316', '12'] and figures.label('d_steps') == 'D steps'
