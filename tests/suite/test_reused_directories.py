"""Commands of several kinds, one after the other in one directory: nothing of one is read or kept as if it were another's."""

import shutil

import numpy as np
import pytest
from helpers.post_checks import call

import reproductions
from common.program import cli
from common.storage import checkpoints, directories, files
from reproductions.aylien import __main__ as aylien_main
from reproductions.explorer import command as explorer
from reproductions.mnist import __main__ as mnist_main
from reproductions.mnist import dataset
from reproductions.remedies import command as remedies
from reproductions.sweeps import command as sweeps

SHORT = {'num_steps': 20, 'pretrain_steps': 0}
LATER = 'checkpoint/state-000001.npz'
FLAGS = tuple(f'--{name}={value}' for name, value in SHORT.items())


def names(path):
    return {each.name for each in path.iterdir()} - {directories.LISTING, directories.LOCK}


@pytest.fixture(scope='module')
def trained():
    """Two trainings: three seeds with two checkpoints, and one seed with one."""
    many, one = (reproductions.train('aylien', runs=runs, seed=seed, **SHORT) for runs, seed in ((3, 42), (1, 9)))
    shutil.copy(many.directory / 'checkpoint/state-000000.npz', many.directory / LATER)
    directories.add(many.directory, LATER)
    return many, one


def test_a_training_saved_over_another_is_itself_alone(trained, tmp_path):
    many, one = trained
    many.save(tmp_path)
    (tmp_path / 'notes.txt').write_text('mine', encoding='utf-8')
    one.save(tmp_path)
    found = reproductions.load(tmp_path)
    assert found.seeds.tolist() == [9]
    np.testing.assert_array_equal(found.sample(9, n=7), one.sample(9, n=7))
    assert names(tmp_path) == names(one.directory) | {'notes.txt'}
    with pytest.raises(ValueError, match=r"'ensemble' is not a figure of this training; it has figure"):
        found.plot('ensemble')
    assert one.save(one.directory) == one.directory


def test_what_is_another_trainings_is_refused(trained, tmp_path):
    """As a copy by hand would leave it: no checkpoint, figure or table of one is taken for the other's."""
    many, one = trained
    saved = one.save(tmp_path / 'one')
    for name in ('ensemble.npz', LATER):
        shutil.copy(many.directory / name, saved / name)
    with pytest.raises(ValueError, match=r'checkpoint in .* is of another training'):
        reproductions.load(saved).sample(9)
    with pytest.raises(ValueError, match=r'ensemble\.npz is not as the training in this directory wrote it'):
        reproductions.load(saved).plot('ensemble')
    shutil.copy(many.directory / 'results.csv', saved)
    with pytest.raises(ValueError, match=r'results\.csv is not as the training in this directory wrote it'):
        reproductions.load(saved)


def test_a_sweep_in_a_trainings_directory_and_a_training_in_a_sweeps(tmp_path, capsys):
    training, sweep = [*FLAGS, '--runs=2', f'--output_dir={tmp_path}'], ['aylien', '--vary=mu=2,4', *FLAGS, '--runs=2']
    assert call(aylien_main, *training) == 0
    trained = names(tmp_path)
    assert cli.call(explorer.main, [str(tmp_path)]) == 0
    assert cli.call(sweeps.main, [*sweep, f'--output_dir={tmp_path}']) == 0
    assert names(tmp_path) == {'config.json', 'map.png', 'results.csv', 'sweep.csv', 'sweep.npz', 'checkpoint'}
    assert not checkpoints.exists(tmp_path)
    loaded = reproductions.load(tmp_path)
    expected = reproductions.sweep('aylien', {'mu': [2, 4]}, runs=2, **SHORT)
    for ours, theirs in ((loaded.cells, expected.cells), (loaded.results, expected.results)):
        assert list(ours) == list(theirs)
        for name, values in theirs.items():
            np.testing.assert_array_equal(ours[name], values)
    assert call(aylien_main, *training, '--seed=5') == 0
    assert names(tmp_path) == trained and reproductions.load(tmp_path).seeds.tolist() == [5, 6]
    capsys.readouterr()
    assert cli.call(explorer.main, [str(tmp_path)]) == 0 and 'explore.html' in capsys.readouterr().out


def test_a_sweep_that_is_killed_in_a_trainings_directory_is_not_joined_with_it(tmp_path, monkeypatch):
    """Its first numbers are there, and the directory is not yet its own."""
    assert call(aylien_main, *FLAGS, f'--output_dir={tmp_path}') == 0
    monkeypatch.setattr(directories, 'settle', lambda *args, **kwargs: (_ for _ in ()).throw(files.CannotWrite('killed here')))
    assert cli.call(sweeps.main, ['aylien', '--vary=mu=2,4', *FLAGS, '--runs=2', f'--output_dir={tmp_path}']) == 1
    with pytest.raises(ValueError, match=r'config\.json is not as the training in this directory wrote it'):
        reproductions.load(tmp_path)


@pytest.mark.statistical
def test_other_digits_are_never_joined_with_those_before(few, tmp_path, capsys):
    """A sweep that is resumed after the file behind --data changed, and remedies continued with other digits."""
    data = tmp_path / 'digits.npz'
    shutil.copy(few, data)
    sweep = ['mnist', '--vary=learning_rate=0.001,0.002', '--num_steps=2', '--runs=1', '--batch_size=8', f'--data={data}']
    assert cli.call(sweeps.main, [*sweep, f'--output_dir={tmp_path / "sweep"}']) == 0
    plan = ['--only=mnist', f'--output_dir={tmp_path / "remedies"}']
    (tmp_path / 'remedies').mkdir()
    with directories.held(tmp_path / 'remedies', 'remedies') as held:
        remedies.settle(held, {'mnist': remedies.flags_of('mnist', str(data))})
    digits = files.read_npz(data)
    digits['x_train'] = 255 - digits['x_train']
    files.write_npz(data, digits)
    capsys.readouterr()
    assert cli.call(sweeps.main, [*sweep, f'--output_dir={tmp_path / "sweep"}', '--resume']) == 2
    assert 'holds a sweep with another data_sha256' in capsys.readouterr().err
    assert cli.call(remedies.main, [*plan, f'--data={data}']) == 2
    assert 'holds outcomes of mnist with another data set' in capsys.readouterr().err
    assert dataset.load(str(data))[0].sha256 != dataset.load(str(few))[0].sha256


@pytest.mark.statistical
def test_an_ensemble_and_a_film_do_not_stay_beside_a_single_run(tmp_path):
    quick = ('--num_steps=3', '--pretrain_steps=0', f'--output_dir={tmp_path}')
    assert call(aylien_main, *quick, '--runs=3', '--animation') == 0
    assert {'ensemble.png', 'animation.gif'} < names(tmp_path)
    (tmp_path / 'notes.txt').write_text('mine', encoding='utf-8')
    assert call(aylien_main, *quick) == 0
    single = {'config.json', 'results.csv', 'history.npz', 'figure.png', 'figure.npz', 'checkpoint', 'notes.txt'}
    assert names(tmp_path) == single
    assert call(aylien_main, *quick, '--resume', '--animation') == 0
    assert names(tmp_path) == single | {'animation.gif', 'animation.npz'}
    assert call(mnist_main, '--data=bundled', '--num_steps=2', f'--output_dir={tmp_path}') == 0
    assert not names(tmp_path) & {'animation.gif', 'animation.npz'} and 'notes.txt' in names(tmp_path)
