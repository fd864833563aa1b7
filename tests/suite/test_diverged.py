"""Commands whose runs all diverge end normally."""

import numpy as np
import pytest
import tensorflow as tf
from helpers.post_checks import call, rows_of

from common import training
from common.storage import files
from reproductions.aylien import __main__ as aylien_main
from reproductions.devnag import __main__ as devnag_main
from reproductions.jang import __main__ as jang_main
from reproductions.multimodal import __main__ as multimodal_main


@pytest.fixture
def diverged(monkeypatch):
    """NaN in every weight from the start."""
    start = training.start

    def not_a_number(*args):
        return tf.nest.map_structure(lambda v: v * np.nan if v.dtype == tf.float32 else v, start(*args))

    monkeypatch.setattr(training, 'start', not_a_number)


@pytest.mark.statistical
def test_all_runs_diverged(diverged, tmp_path, capsys):
    """Results, figures and summary are written, and say so."""
    flags = ['--num_steps=40', '--pretrain_steps=20', '--log_every=10', '--runs=2']
    assert call(aylien_main, *flags, f'--output_dir={tmp_path}') == 0
    captured = capsys.readouterr()
    assert 'every run diverged' in captured.out and not captured.err
    rows = rows_of(tmp_path)
    assert [(row['finite'], row['success'], row['mean'], row['loss_d']) for row in rows] == [('0', '0', 'nan', 'nan')] * 2
    assert (tmp_path / 'figure.png').stat().st_size > 5000 and (tmp_path / 'ensemble.png').stat().st_size > 5000
    assert np.isnan(files.read_npz(tmp_path / 'history.npz')['loss_d']).all()


@pytest.mark.statistical
@pytest.mark.parametrize('runs', [1, 3])
@pytest.mark.parametrize(
    ('post', 'flags'),
    [
        (jang_main, ['--num_steps=30', '--pretrain_steps=20', '--batch_size=20']),
        (multimodal_main, ['--num_steps=30', '--pretrain_steps=20']),
        (devnag_main, ['--num_steps=5', '--d_steps=2', '--g_steps=2', '--batch_size=20']),
    ],
    ids=lambda value: getattr(value, '__name__', ''),
)
def test_all_runs_of_a_post_diverged(post, flags, runs, diverged, tmp_path, capsys):
    assert call(post, *flags, f'--runs={runs}', '--animation', f'--output_dir={tmp_path}') == 0
    captured = capsys.readouterr()
    assert ('every run diverged' if runs > 1 else 'not finite (NaN or inf)') in captured.out and 'arning' not in captured.err
    assert [(row['finite'], row['success'], row['mean']) for row in rows_of(tmp_path)] == [('0', '0', 'nan')] * runs
    assert (tmp_path / 'figure.png').stat().st_size > 5000 and (tmp_path / 'animation.gif').stat().st_size > 2000
    assert len(list(tmp_path.glob('*.png'))) >= (1 if runs == 1 else 2)
