"""Aylien's post: the command line, interrupting and resuming."""

import csv
import json
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from helpers.paths import DATA, ROOT
from helpers.post_checks import (
    COLUMNS,
    bad_input_is_one_line_and_status_2,
    call,
    flags_of,
    help_names_every_flag,
    resume_is_bit_for_bit,
    rows_of,
)

from common import training
from common.storage import checkpoints, files
from reproductions.aylien import __main__ as aylien_main

# --- Command line -------------------------------------------------------------------------------------------------------------


def test_a_single_run_writes_its_files(tmp_path, capsys):
    assert call(aylien_main, '--num-steps=30', '--pretrain_steps=20', f'--output-dir={tmp_path}') == 0
    out = capsys.readouterr().out
    assert '     0: loss_d' in out and '    20: loss_d' in out and 'seed 42:' in out
    (row,) = rows_of(tmp_path)
    assert list(row) == COLUMNS and row['seed'] == '42' and row['finite'] == '1'
    assert 0 < float(row['loss_d']) < 20 and 0 < float(row['pretrain_mse']) < 1
    config = json.loads((tmp_path / 'config.json').read_text(encoding='utf-8'))
    assert (config['post'], config['variant']) == ('aylien', '2016-08')
    flags = config['flags']
    assert set(flags) == set(flags_of(aylien_main))
    assert (flags['num_steps'], flags['batch_size'], flags['log_every'], flags['learning_rate']) == (30, 12, 10, 0.005)
    assert config['versions']['tensorflow'] == tf.__version__
    history = files.read_npz(tmp_path / 'history.npz')
    assert history['step'].tolist() == [0, 10, 20, 29] and history['loss_d'].shape == (1, 4)
    assert (tmp_path / 'figure.png').read_bytes()[:4] == b'\x89PNG'
    figure = files.read_npz(tmp_path / 'figure.npz')
    assert figure['generated'].shape == (99,) and figure['decision'].shape == (10_000,)
    assert not list(tmp_path.glob('.partial-*'))  # no temporary file is left


def test_ensemble_writes_one_row_per_seed_and_its_panel(tmp_path, capsys):
    assert (
        call(
            aylien_main,
            '--runs=5',
            '--seed=3',
            '--variant=2017-06',
            '--minibatch',
            '--num_steps=20',
            f'--output_dir={tmp_path}',
        )
        == 0
    )
    assert [row['seed'] for row in rows_of(tmp_path)] == ['3', '4', '5', '6', '7']
    assert (tmp_path / 'ensemble.png').exists()
    numbers = files.read_npz(tmp_path / 'ensemble.npz')
    np.testing.assert_allclose(numbers['mean'], [float(row['mean']) for row in rows_of(tmp_path)], rtol=1e-6)
    assert [label.partition(' ')[0] for label in numbers['labels']] == ['best', 'median', 'worst']
    assert 'finite: 5 of 5' in capsys.readouterr().out
    assert all(row['pretrain_mse'] == 'nan' for row in rows_of(tmp_path))


@pytest.mark.statistical
def test_diverged_runs_are_counted_and_drawn(tmp_path, capsys):
    arguments = ['--runs=40', '--seed=0', '--minibatch', '--num_steps=3', '--pretrain_steps=1', f'--output_dir={tmp_path}']
    assert call(aylien_main, *arguments) == 0
    rows = rows_of(tmp_path)
    finite = sum(row['finite'] == '1' for row in rows)
    assert 0 < finite < 40  # the plain log diverges for many seeds at the first step
    assert f'finite: {finite} of 40' in capsys.readouterr().out
    assert all(row['success'] == '0' and row['mean'] == 'nan' for row in rows if row['finite'] == '0')


@pytest.mark.statistical
def test_animation(tmp_path):
    path = tmp_path / 'animation.gif'
    assert (
        call(
            aylien_main,
            '--num_steps=5',
            '--pretrain_steps=0',
            '--anim-every=2',
            f'--anim-path={path}',
            f'--output_dir={tmp_path}',
        )
        == 0
    )
    assert path.read_bytes()[:6] == b'GIF89a'
    numbers = files.read_npz(tmp_path / 'animation.npz')
    assert numbers['step'].tolist() == [0, 2, 4] and numbers['generated'].shape == (3, 99)


def test_replay_command(tmp_path, capsys):
    assert call(aylien_main, f'--replay={DATA / "aylien_2017-06_plain_seed42.npz"}', f'--output_dir={tmp_path}') == 0
    assert 'agrees' in capsys.readouterr().out
    with open(tmp_path / 'replay.csv', encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ['step', 'quantity', 'recorded', 'reproduced', 'relative_error'] and len(rows) == 1000


def test_replay_that_differs_has_status_1(tmp_path, capsys):
    arrays = files.read_npz(DATA / 'aylien_2017-06_plain_seed4.npz')
    arrays['loss_g'][5] *= 1.01
    np.savez(tmp_path / 'changed.npz', **arrays)
    assert call(aylien_main, f'--replay={tmp_path / "changed.npz"}', f'--output_dir={tmp_path}') == 1
    assert 'DIFFERS' in capsys.readouterr().out


def test_help(capsys):
    help_names_every_flag(aylien_main, capsys)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--variant=2015-01'], '--variant=2015-01'),
        (['--runs=0'], '--runs=0'),
        (['--num_steps=0'], '--num_steps=0'),
        (['--num_steps=abc'], '--num_steps=abc'),
        (['--batch_size=-3'], '--batch_size=-3'),
        (['--batch_size=10001'], '--batch_size=10001'),
        (['--minibatch', '--batch_size=1'], '--batch_size=1'),
        (['--hidden_size=0'], '--hidden_size=0'),
        (['--d_hidden_sizes=8,x'], '--d_hidden_sizes=8,x'),
        (['--d_hidden_sizes=8,0'], '--d_hidden_sizes=8,0'),
        (['--learning_rate=0'], '--learning_rate=0'),
        (['--learning_rate=-1'], '--learning_rate=-1'),
        (['--learning_rate=nan'], '--learning_rate=nan'),
        (['--sigma=0'], '--sigma=0'),
        (['--mu=inf'], '--mu=inf'),
        (['--pretrain_steps=-1'], '--pretrain_steps=-1'),
        (['--seed=-1'], '--seed=-1'),
        (['--seed=4294967295', '--runs=2'], '--seed=4294967295'),
        (['--anim_path=video.avi'], '--anim_path=video.avi'),
        (['--anim_path=nowhere/animation.gif'], '--anim_path=nowhere/animation.gif'),
        (['--strategy=tpu'], '--strategy=tpu'),
        (['--logical_devices=4'], 'logical devices'),
        (['--no_such_flag'], 'no_such_flag'),
        (['--minibatch', 'True'], "'True'"),
        (['--replay=none.npz'], '--replay=none.npz'),
        (['--replay=none.npz', '--variant=2016-08'], '--variant'),
        (['--resume'], '--resume'),
        (['--claims', '--runs=10'], '--runs=10'),
    ],
    ids=lambda value: ' '.join(value) if isinstance(value, list) else '',
)
def test_bad_input(arguments, message, tmp_path, capsys, monkeypatch):
    bad_input_is_one_line_and_status_2(aylien_main, arguments, message, tmp_path, capsys, monkeypatch)


def test_an_impossible_output_directory_is_found_before_training(tmp_path, capsys, monkeypatch):
    (tmp_path / 'file').write_text('kept', encoding='utf-8')
    monkeypatch.setattr(training, 'train', lambda *args, **kwargs: pytest.fail('it was trained'))
    for path in (tmp_path / 'file', tmp_path / 'file' / 'below', '/proc/nothing'):
        assert call(aylien_main, f'--output_dir={path}') == 2
        error = capsys.readouterr().err
        assert f'--output_dir={path}' in error and error.count('\n') == 1
    assert (tmp_path / 'file').read_text(encoding='utf-8') == 'kept'


def test_traces_of_other_posts_and_damaged_ones(tmp_path, capsys):
    whole = (DATA / 'aylien_2017-06_plain_seed4.npz').read_bytes()
    arrays = files.read_npz(DATA / 'aylien_2017-06_plain_seed4.npz')
    meta = json.loads(str(arrays['meta']))
    (tmp_path / 'cut.npz').write_bytes(whole[:5000])
    np.savez(tmp_path / 'jang.npz', **arrays | {'meta': json.dumps(meta | {'post': 'jang'})})
    np.savez(tmp_path / 'variant.npz', **arrays | {'meta': json.dumps(meta | {'variant': '1999'})})
    np.savez(tmp_path / 'size.npz', **arrays | {'meta': json.dumps(meta | {'hidden_size': 5})})
    np.savez(tmp_path / 'huge.npz', **arrays | {'meta': json.dumps(meta | {'steps': 10**12})})
    for name in ('cut', 'jang', 'variant', 'size', 'huge'):
        assert call(aylien_main, f'--replay={tmp_path / name}.npz', f'--output_dir={tmp_path / "out"}') == 2, name
        error = capsys.readouterr().err
        assert f'--replay={tmp_path / name}.npz' in error and error.count('\n') == 1
    assert not (tmp_path / 'out').exists()


# --- Interrupting and resuming ------------------------------------------------------------------------------------------------


@pytest.mark.statistical
def test_an_interrupt_keeps_what_was_trained(tmp_path):
    command = [
        sys.executable,
        '-u',
        '-m',
        'reproductions.aylien',
        '--variant=2017-06',
        '--num_steps=3000000',
        '--log_every=5000',
    ]
    process = subprocess.Popen(
        [*command, f'--output_dir={tmp_path / "a"}'],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        while 'loss_d' not in process.stdout.readline():  # until it trains
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        error = process.communicate(timeout=60)[1]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, error
    assert 'Traceback' not in error
    rows = rows_of(tmp_path / 'a')
    assert [row['seed'] for row in rows] == ['42']
    config = json.loads((tmp_path / 'a' / 'config.json').read_text(encoding='utf-8'))
    assert 0 < config['iterations'] < 3_000_000
    checkpoint = files.read_npz(checkpoints.paths(tmp_path / 'a')[-1])
    assert checkpoint['records/step'][-1] == config['iterations'] - 1


def test_resume(tmp_path, capsys, monkeypatch):
    """Interrupted during the pre-training, at its end, and during adversarial training."""
    arguments = ['--runs=3', '--num_steps=300', '--pretrain_steps=40', '--log_every=20']
    resume_is_bit_for_bit(aylien_main, arguments, (1, 2, 4), '--seed=5', 'seed was 42, is 5', tmp_path, capsys, monkeypatch)
