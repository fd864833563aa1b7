"""The suite from Python: the same files and numbers as the command line, its lines as ValueErrors, figures, samples."""

import concurrent.futures
import copy
import doctest
import gc
import json
import multiprocessing
import pickle
import re
import subprocess
import sys
import typing

import numpy as np
import pytest
import tensorflow as tf
from helpers.paths import ROOT
from helpers.post_checks import call
from matplotlib.figure import Figure

import reproductions
from common.program import flags, progress
from common.settings import recorded
from common.storage import files
from reproductions import api, contract, declaration, overview, result
from reproductions import command as posts_command
from reproductions.aylien import __main__ as aylien_main

SHORT = {'num_steps': 20, 'pretrain_steps': 5, 'log_every': 5}


def same(a, b):
    """Whether two tables have the same columns with the same numbers."""
    return list(a) == list(b) and all(np.array_equal(a[name], b[name], equal_nan=a[name].dtype.kind == 'f') for name in a)


@pytest.fixture(scope='module')
def found():
    """Three seeds of Aylien's GAN, of which an average of G's weights is judged."""
    return reproductions.train('aylien', runs=3, seed=7, average=0.9, d_hidden_sizes=[6, 5], **SHORT)


def test_a_training_is_that_of_the_command_line(found, tmp_path):
    words = ['--runs=3', '--seed=7', '--average=0.9', '--d_hidden_sizes=6,5', *(f'--{name}={n}' for name, n in SHORT.items())]
    assert call(aylien_main, *words, f'--output_dir={tmp_path}/command') == 0
    saved = found.save(tmp_path / 'saved')
    names = {path.name for path in (tmp_path / 'command').iterdir()}
    assert names == {path.name for path in saved.iterdir()} >= {'results.csv', 'ensemble.png', 'checkpoint', 'config.json'}
    assert (saved / 'results.csv').read_bytes() == (tmp_path / 'command/results.csv').read_bytes()
    for name, values in files.read_npz(tmp_path / 'command/history.npz').items():
        np.testing.assert_array_equal(found.history[name], values)
    mine, theirs = (json.loads((path / 'config.json').read_text(encoding='utf-8')) for path in (saved, tmp_path / 'command'))
    assert mine['flags'].pop('output_dir') == str(saved) != theirs['flags'].pop('output_dir')
    assert mine == theirs and found.text.count('success: ') == 1


def test_what_is_saved_is_resumed(found, tmp_path):
    saved = found.save(tmp_path / 'saved')
    again = reproductions.train(
        'aylien', runs=3, output_dir=saved, resume=True, seed=7, average=0.9, d_hidden_sizes='6,5', **SHORT
    )
    assert again.directory == saved
    assert {name: values.tolist() for name, values in again.table.items()} == {
        name: values.tolist() for name, values in found.table.items()
    }


@pytest.mark.statistical
def test_samples_are_those_of_the_exported_generator(tmp_path):
    settings = {'average': 0.9, 'num_steps': 20, 'pretrain_steps': 0}
    found = reproductions.train('jang', runs=2, seed=3, export=tmp_path / 'model', export_seed=4, **settings)
    exported = tf.saved_model.load(str(tmp_path / 'model'))
    np.testing.assert_array_equal(found.sample(4, n=7, noise_seed=11), exported.sample(7, tf.constant(11, tf.int64)))
    assert found.sample(n=7, noise_seed=11).tolist() != found.sample(4, n=7, noise_seed=11).tolist()
    for given, message in (
        ({'seed': 9}, 'seed=9 is not one of this training; its seeds are 3 to 4'),
        ({'n': -1}, 'n=-1 must be a whole number, 0 or more'),
        ({'noise_seed': 2**32}, 'noise_seed=4294967296 must be from 0 to 2^32 - 1'),
    ):
        with pytest.raises(ValueError, match=f'^{re.escape(message)}$'):
            found.sample(**given)
    for path in (found.directory / 'checkpoint').iterdir():
        path.unlink()
    with pytest.raises(ValueError, match=r'checkpoint has no intact checkpoint$'):
        found.sample()


@pytest.mark.statistical
def test_a_digit_can_be_asked_for(tmp_path):
    found = reproductions.train('mnist', variant='2018-06', num_steps=1, batch_size=8, export=tmp_path / 'model')
    exported = tf.saved_model.load(str(tmp_path / 'model'))
    theirs = exported.sample(9, tf.constant(0, tf.int64), [5] * 9).numpy()
    np.testing.assert_array_equal(found.sample(n=9, label=5), theirs)
    assert theirs.shape == (9, 784) and np.abs(found.sample(n=9) - theirs).max() > 0.01
    with pytest.raises(ValueError, match=r'^label=12 must be -1, a class, or one class per sample$'):
        found.sample(n=9, label=12)


@pytest.mark.parametrize('post', contract.NAMES)
def test_settings_come_back_from_what_a_command_has_written(post):
    declared = contract.post(post)
    words = ['--learning_rate=0.0123', '--runs=5', '--num_steps=77', '--gradient_penalty=0.5', '--instance_noise=1']
    words += {'aylien': ['--minibatch', '--d_hidden_sizes=5,4'], 'multimodal': ['--means=-1,2.5']}.get(post, [])
    opts = flags.parse(declared.flags, [post, *words], declared.file)
    settings = declaration.settings_of(declared, opts)
    config = json.loads(json.dumps({'flags': opts.flag_values_dict() | recorded(settings)}))
    assert declaration.recorded_settings(declared, config) == settings
    assert declaration.recorded_settings(declared, {'flags': {}}) == declared.settings.make_settings()  # of an older config


@pytest.mark.parametrize(
    ('given', 'line'),
    [
        ({'post': 'nag'}, "'nag' is not a post; the posts are aylien, multimodal, jang, devnag, mnist"),
        ({'no_such': 1}, "Unknown command line flag 'no_such'"),
        ({'learning_rate': -1}, '--learning_rate=-1.0 must be a positive number, from 1e-09 to 1e+30'),
        ({'beta1': 0.5}, '--beta1=0.5 would change nothing: the program of 2016-08 uses gradient descent; leave it out'),
        ({'claims': True}, 'claims trains nothing that could be returned; use the command line with --claims'),
        ({'replay': 'x.npz'}, 'replay trains nothing that could be returned; use reproductions.replay'),
    ],
)
def test_what_the_command_line_refuses_is_a_value_error(given, line):
    with pytest.raises(ValueError, match=re.escape(line)):
        reproductions.train(**{'post': 'aylien'} | given)


def test_trainings_in_threads_are_those_alone(capsys):
    """Their texts are their own, and what the user prints meanwhile is printed."""
    stdout = sys.stdout
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(reproductions.train, 'aylien', seed=seed, **SHORT) for seed in (3, 9)]
        print('mine')
        both = [each.result() for each in waiting]
    assert sys.stdout is stdout and capsys.readouterr().out == 'mine\n'
    for seed, one in zip((3, 9), both, strict=True):
        alone = reproductions.train('aylien', seed=seed, **SHORT)
        assert one.text.splitlines()[:-1] == alone.text.splitlines()[:-1] != [] and same(one.table, alone.table)
        assert one.text.splitlines()[-1] == f'files in {one.directory}/'


@pytest.mark.statistical
def test_copies_and_results_of_other_processes_have_files_of_their_own(found):
    one = reproductions.train('aylien', seed=5, **SHORT)
    expected, copies = one.sample(n=3), [copy.deepcopy(one), pickle.loads(pickle.dumps(one))]
    gone = one.directory
    del one
    gc.collect()
    assert not gone.exists()
    for each in copies:
        np.testing.assert_array_equal(each.sample(n=3), expected)
        assert isinstance(each.plot(), Figure) and each.directory.exists()
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as pool:
        elsewhere = pool.submit(reproductions.train, 'aylien', seed=5, **SHORT).result()
    np.testing.assert_allclose(elsewhere.sample(n=3), expected, rtol=1e-5)


def test_paths(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.chdir(tmp_path)
    home = reproductions.train('aylien', output_dir='~/x', **SHORT)
    assert home.directory == tmp_path / 'x' and home.save('~/y') == tmp_path / 'y'
    relative = reproductions.train('aylien', output_dir='z', **SHORT)
    swept = reproductions.sweep('aylien', {'mu': [2, 4]}, runs=2, output_dir='~/s', num_steps=3, pretrain_steps=0)
    monkeypatch.chdir('/')
    assert isinstance(relative.plot(), Figure) and same(reproductions.load(str(tmp_path / 'z')).table, relative.table)
    assert same(reproductions.load('~/s').cells, swept.cells) and isinstance(reproductions.load('~/s').plot(), Figure)
    assert relative.save(relative.directory) == relative.directory
    for given_to in (reproductions.load, relative.save):
        with pytest.raises(ValueError, match=r'^directory=gs://b/x is an address; name a path on this machine$'):
            given_to('gs://b/x')
    with pytest.raises(ValueError, match=r'^output_dir=gs://b/x is an address'):
        reproductions.train('aylien', output_dir='gs://b/x')
    assert not (tmp_path / '~').exists() and not list(tmp_path.glob('gs*'))


def test_numbers_of_samples(found):
    np.testing.assert_array_equal(found.sample(np.uint32(8), np.int64(5), np.int64(1)), found.sample(8, 5, 1))
    for given, line in (
        ({'n': 2.5}, 'n=2.5 must be a whole number'),
        ({'seed': '8'}, "seed='8' must be a whole number"),
        ({'label': 3}, 'label=3 cannot be given: this generator takes no labels; leave it out'),
    ):
        with pytest.raises(ValueError, match=f'^{re.escape(line)}$'):
            found.sample(**given)


def test_types():
    """Of every public function, as a type checker and an editor read them; nothing else is listed."""
    assert dir(reproductions) == ['load', 'posts', 'replay', 'sweep', 'train']
    found = {name: typing.get_type_hints(getattr(reproductions, name))['return'] for name in dir(reproductions)}
    assert found == {
        'load': result.Result | result.Sweep,
        'posts': dict[str, overview.Post],
        'replay': result.Replay,
        'sweep': result.Sweep,
        'train': result.Result,
    }
    assert all((ROOT / package / 'py.typed').exists() for package in ('common', 'reproductions'))


@pytest.mark.statistical
def test_many_trainings_in_one_process_are_not_warned_of(monkeypatch, caplog):
    """TensorFlow, imported by the user before, would warn of retracing from the fifth on."""
    for seed in range(6):
        reproductions.train('aylien', seed=seed, learning_rate=0.01 + seed / 1000, num_steps=2, pretrain_steps=0)
    assert [record.getMessage() for record in caplog.records if 'retracing' in record.getMessage()] == []


def test_figures(found):
    figure = found.plot()
    assert isinstance(figure, Figure) and figure.get_suptitle().endswith('(2016-08, 3 seeds)')
    assert figure._repr_png_().startswith(b'\x89PNG')
    assert found.plot('figure').axes[0].get_title().endswith('(2016-08, seed 7)')
    with pytest.raises(ValueError, match=r"^'losses' is not a figure of this training; it has ensemble, figure$"):
        found.plot('losses')


def test_tables(found):
    kinds = {name: values.dtype.kind for name, values in found.table.items()}
    assert [name for name, kind in kinds.items() if kind == 'i'] == ['seed', 'finite', 'success'] and set(kinds.values()) == {
        'i',
        'f',
    }
    assert repr(found.table).splitlines()[0] == 'seed          7 8 9'
    table = found.table.to_pandas()
    assert list(table.columns) == list(found.table) and table['seed'].tolist() == [7, 8, 9]
    assert repr(found) == f'<aylien: 3 seeds from 7, {table["success"].sum():.0f} succeed>'


def test_tables_of_a_sweep():
    swept = reproductions.sweep('aylien', {'learning_rate': [0.01, 0.02]}, runs=2, num_steps=3, pretrain_steps=0)
    assert swept.cells.to_pandas()['learning_rate'].tolist() == [0.01, 0.02]
    assert swept.results.to_pandas()['seed'].tolist() == [42, 43, 42, 43]
    assert swept.results['seed'].dtype == swept.results['success'].dtype == swept.cells['runs'].dtype == np.int64
    assert isinstance(swept.plot(), Figure) and swept.plot()._repr_png_().startswith(b'\x89PNG')


def test_progress_is_shown_in_notebooks(monkeypatch):
    """Where there is no terminal; elsewhere it is shown on a terminal alone."""
    assert progress.progress_bar(3, 'training', 'steps').disable
    monkeypatch.setattr(progress.auto, 'notebook_tqdm', object())
    assert not progress.progress_bar(3, 'training', 'steps').disable


def test_a_replay_that_differs(tmp_path):
    trace = dict(files.read_npz(ROOT / 'tests/data/aylien_2016-08_plain_seed42.npz'))
    name = next(name for name in trace if 'loss' in name and trace[name].ndim)
    files.write_npz(tmp_path / 'trace.npz', trace | {name: trace[name] * 1.01})
    found = reproductions.replay('aylien', tmp_path / 'trace.npz')
    assert not found.agrees and found.worst == pytest.approx(0.01 / 1.01, rel=0.1) and 'DIFFERS' in found.text
    assert len(found.table['step']) == len(found.table['quantity'])
    with pytest.raises(ValueError, match=r'is not a trace of jang; name a trace recorded from the jang program$'):
        reproductions.replay('jang', tmp_path / 'trace.npz')


def test_ctrl_c(monkeypatch):
    monkeypatch.setattr(posts_command, 'execute', lambda post, opts: 130)
    with pytest.raises(KeyboardInterrupt):
        reproductions.train('aylien')


def test_what_is_no_finished_training(tmp_path):
    with pytest.raises(ValueError, match='is not the directory of a finished training'):
        reproductions.load(tmp_path)


def test_posts_are_listed_without_tensorflow():
    code = 'import reproductions, sys; found = reproductions.posts(); print("tensorflow" in sys.modules, len(found))'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == 'False 5\n', done.stderr
    aylien = reproductions.posts()['aylien']
    assert aylien.verdicts['A1'] in ('reproduced', 'partly', 'not reproduced') and {'seed', 'runs'} < set(aylien.flags)


@pytest.mark.statistical
@pytest.mark.parametrize(('module', 'examples'), [(api, 11), (overview, 2), (result, 6)])
def test_examples_of_the_docstrings(module, examples, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert doctest.testmod(module) == (0, examples)
