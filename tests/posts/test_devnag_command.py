"""Dev Nag's post: the command line."""

import csv
import json

import numpy as np
import pytest
from helpers.paths import DATA
from helpers.post_checks import (
    COLUMNS,
    bad_input_is_one_line_and_status_2,
    call,
    flags_of,
    help_names_every_flag,
    resume_is_bit_for_bit,
    rows_of,
)

from common.storage import files
from reproductions.devnag import __main__ as devnag_main
from reproductions.devnag import replay as devnag_replay

SMALL = ['--batch_size=20', '--d_steps=2', '--g_steps=3', '--num_steps=30']


def test_a_single_run_writes_its_files_and_animation(tmp_path, capsys):
    assert call(devnag_main, *SMALL, '--animation', '--anim_every=10', f'--output-dir={tmp_path}') == 0
    out = capsys.readouterr().out
    assert '     0: loss_d' in out and '    20: loss_d' not in out and 'seed 0:' in out
    (row,) = rows_of(tmp_path)
    assert list(row) == COLUMNS[:-1] and row['seed'] == '0' and row['finite'] == '1'
    assert 0 < float(row['loss_d']) < 20 and 0 < float(row['d_min']) <= float(row['d_mean']) <= float(row['d_max']) < 1
    config = json.loads((tmp_path / 'config.json').read_text(encoding='utf-8'))
    assert (config['post'], config['variant'], config['iterations']) == ('devnag', '2018-11', 30)
    flags = config['flags']
    assert set(flags) <= set(flags_of(devnag_main))  # each setting is a flag
    assert (flags['num_steps'], flags['preprocess'], flags['d_steps'], flags['learning_rate']) == (30, 'moments', 2, 0.001)
    history = files.read_npz(tmp_path / 'history.npz')
    assert history['step'].tolist() == list(range(30))
    assert {name: history[name].shape for name in history if name != 'step'} == dict.fromkeys(
        ('loss_d', 'loss_g', 'mean', 'std'), (1, 30)
    )
    assert (tmp_path / 'figure.png').read_bytes()[:4] == b'\x89PNG'
    assert files.read_npz(tmp_path / 'figure.npz')['samples'].shape == (20,)
    assert (tmp_path / 'animation.gif').read_bytes()[:6] == b'GIF89a'
    frames = files.read_npz(tmp_path / 'animation.npz')
    assert frames['step'].tolist() == [0, 10, 20, 29] and frames['density'].shape == (4, 120)
    np.testing.assert_allclose((frames['density'] * np.diff(frames['edges'])).sum(axis=1), 1, rtol=1e-6)
    assert not list(tmp_path.glob('.partial-*')) and not (tmp_path / 'ensemble.png').exists()


@pytest.mark.statistical
@pytest.mark.parametrize(('runs', 'curves'), [(3, 3), (12, 5)], ids=['one curve per run', 'bands'])
def test_ensemble_draws_the_grid_and_the_trajectory(tmp_path, capsys, runs, curves):
    assert call(devnag_main, *SMALL, f'--runs={runs}', '--seed=3', f'--output_dir={tmp_path}') == 0
    assert [row['seed'] for row in rows_of(tmp_path)] == [str(seed) for seed in range(3, 3 + runs)]
    assert f'finite: {runs} of {runs}' in capsys.readouterr().out
    grid, trajectory = files.read_npz(tmp_path / 'runs.npz'), files.read_npz(tmp_path / 'ensemble.npz')
    assert grid['samples'].shape == (min(runs, 10), 20) and trajectory['mean'].shape == (curves, 30)
    history = files.read_npz(tmp_path / 'history.npz')['mean']
    expected = history if runs == 3 else np.quantile(history, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
    np.testing.assert_allclose(trajectory['mean'], expected, rtol=1e-6)
    np.testing.assert_allclose(trajectory['final_mean'], [float(row['mean']) for row in rows_of(tmp_path)], rtol=1e-6)
    assert trajectory['truth'].tolist() == [4, 1.25] and f'{runs} seeds' in str(trajectory['title'])
    assert (tmp_path / 'runs.png').exists() and (tmp_path / 'ensemble.png').exists()


@pytest.mark.statistical
def test_diverged_runs_are_counted_and_drawn(tmp_path, capsys):
    """The square of the data overflows: D and then G are NaN from the first update."""
    assert call(devnag_main, *SMALL, '--sigma=1e20', '--runs=12', f'--output_dir={tmp_path}') == 0
    assert 'finite: 0 of 12' in capsys.readouterr().out
    assert all(
        (row['finite'], row['success'], row['mean'], row['loss_d']) == ('0', '0', 'nan', 'nan') for row in rows_of(tmp_path)
    )
    assert (tmp_path / 'runs.png').exists() and (tmp_path / 'ensemble.png').exists()


def test_replay_command(tmp_path, capsys):
    assert call(devnag_main, f'--replay={DATA / "devnag_2018_raw_data_seed0.npz"}', f'--output_dir={tmp_path}') == 0
    assert 'agrees' in capsys.readouterr().out
    with open(tmp_path / 'replay.csv', encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ['step', 'quantity', 'recorded', 'reproduced', 'relative_error'] and len(rows) == 360
    assert {row['quantity'] for row in rows} == set(devnag_replay.LOSSES)


@pytest.mark.statistical
def test_replay_that_differs_has_status_1(tmp_path, capsys):
    arrays = files.read_npz(DATA / 'devnag_2018_raw_data_seed0.npz')
    arrays['loss_g'][5] *= 1.01
    np.savez(tmp_path / 'changed.npz', **arrays)
    assert call(devnag_main, f'--replay={tmp_path / "changed.npz"}', f'--output_dir={tmp_path}') == 1
    assert 'DIFFERS' in capsys.readouterr().out


def test_traces_of_other_posts_and_damaged_ones(tmp_path, capsys):
    path = DATA / 'devnag_2018_raw_data_seed0.npz'
    arrays = files.read_npz(path)
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
        (['--anim_path=video.avi'], '--anim_path=video.avi'),
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


@pytest.mark.statistical
def test_resume(tmp_path, capsys, monkeypatch):
    arguments = [*SMALL, '--runs=3']
    resume_is_bit_for_bit(devnag_main, arguments, (0, 17), '--seed=5', 'seed was 0, is 5', tmp_path, capsys, monkeypatch)
