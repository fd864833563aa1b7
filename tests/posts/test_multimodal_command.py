"""The multi-modal post: the command line."""

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
from reproductions.multimodal import __main__ as multimodal_main

OWN_COLUMNS = [
    'modes_covered', 'mode_mass_error', 'between_mass', 'mode_width', 'peak_height', 'first_step_below', 'convergence_step',
]  # fmt: skip


def test_a_single_run_writes_its_files(tmp_path, capsys):
    assert call(multimodal_main, '--num_steps=60', '--pretrain_steps=20', f'--output_dir={tmp_path}') == 0
    out = capsys.readouterr().out
    assert '     0: loss_d' in out and '    50: loss_d' in out and 'seed 4:' in out and 'modes_covered' in out
    (row,) = rows_of(tmp_path)
    assert list(row) == COLUMNS + OWN_COLUMNS and row['seed'] == '4' and row['finite'] == '1'
    flags = json.loads((tmp_path / 'config.json').read_text(encoding='utf-8'))['flags']
    assert set(flags_of(multimodal_main)) <= set(flags)
    assert (flags['modes'], flags['means'], flags['hidden_sizes'], flags['batch_size']) == (3, [-4, 0, 4], [12, 12, 12], 60)
    history = files.read_npz(tmp_path / 'history.npz')
    assert history['step'].tolist() == [*range(0, 60, 5), 59]
    figure = files.read_npz(tmp_path / 'figure.npz')
    assert figure['generated'].shape == figure['real'].shape == (99,)
    assert not list(tmp_path.glob('.partial-*'))


@pytest.mark.statistical
def test_ensemble_reports_when_its_runs_converge(tmp_path, capsys):
    arguments = ['--modes=2', '--runs=30', '--seed=0', '--num_steps=120', '--pretrain_steps=0']
    assert call(multimodal_main, *arguments, f'--output_dir={tmp_path}') == 0
    out = capsys.readouterr().out
    table = {name: np.array([float(row[name]) for row in rows_of(tmp_path)]) for name in rows_of(tmp_path)[0]}
    history = files.read_npz(tmp_path / 'history.npz')
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
def test_the_guessed_variant(tmp_path):
    arguments = ['--variant=guessed', '--modes=1', '--num_steps=5', '--pretrain_steps=0', f'--output_dir={tmp_path}']
    assert call(multimodal_main, *arguments) == 0
    flags = json.loads((tmp_path / 'config.json').read_text(encoding='utf-8'))['flags']
    assert (flags['variant'], flags['means'], flags['batch_size'], flags['learning_rate']) == ('guessed', [0], 12, 0.03)


@pytest.mark.statistical
def test_own_modes_minibatch_and_widths(tmp_path):
    arguments = ['--means=4,-5,1', '--deviations=0.7,0.5,0.2', '--hidden_sizes=9,3', '--minibatch', '--batch_size=7']
    assert call(multimodal_main, *arguments, '--runs=3', '--num_steps=5', '--pretrain_steps=0', f'--output_dir={tmp_path}') == 0
    flags = json.loads((tmp_path / 'config.json').read_text(encoding='utf-8'))['flags']
    assert (flags['means'], flags['deviations'], flags['modes']) == ([-5, 1, 4], [0.5, 0.2, 0.7], 3)
    assert (flags['hidden_sizes'], flags['minibatch'], flags['learning_rate']) == ([9, 3], True, 0.005)
    assert len(rows_of(tmp_path)) == 3


def test_replay_command(tmp_path, capsys):
    assert call(multimodal_main, f'--replay={DATA / "aylien_2016-12_minibatch_seed1.npz"}', f'--output_dir={tmp_path}') == 0
    assert 'agrees' in capsys.readouterr().out
    with open(tmp_path / 'replay.csv', encoding='utf-8') as file:
        assert {row['quantity'] for row in csv.DictReader(file)} == {'pre_loss', 'loss_d', 'loss_g'}
    other = DATA / 'aylien_2016-08_plain_seed42.npz'
    assert call(multimodal_main, f'--replay={other}', f'--output_dir={tmp_path}') == 2
    assert 'another version of the program' in capsys.readouterr().err


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


@pytest.mark.statistical
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
