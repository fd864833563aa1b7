"""What is recorded and printed: the same with and without an animation, and --log_every means the same in every post."""

import numpy as np
import pytest
from helpers.post_checks import call, flags_of

from common.plotting import figures
from reproductions import posts

LENGTHS = ['--num_steps=20', '--pretrain_steps=10']


def lines(name, directory, capsys, *more):
    """The printed lines of losses of a short training, and its history."""
    main = posts.part(name, '__main__')
    words = [word for word in LENGTHS if word.partition('=')[0].removeprefix('--') in flags_of(main)]
    assert call(main, *words, f'--output_dir={directory}', *more) == 0
    printed = [line for line in capsys.readouterr().out.splitlines() if ': loss_d' in line]
    return printed, dict(np.load(directory / 'history.npz'))


WITH_LOG_EVERY = [name for name in posts.NAMES if 'log_every' in flags_of(posts.part(name, '__main__'))]


@pytest.fixture
def undrawn(monkeypatch):
    """Writes no pictures, only their numbers."""
    monkeypatch.setattr(figures, 'save', lambda figure, path: None)


@pytest.mark.parametrize('name', WITH_LOG_EVERY)
def test_an_animation_only_adds_frames(name, tmp_path, capsys, undrawn):
    alone = lines(name, tmp_path / 'alone', capsys)
    animated = lines(name, tmp_path / 'animated', capsys, '--animation')
    assert alone[0] == animated[0] != [] and alone[1].keys() == animated[1].keys()
    for key, values in alone[1].items():
        np.testing.assert_array_equal(animated[1][key], values)
    assert (tmp_path / 'animated' / 'results.csv').read_bytes() == (tmp_path / 'alone' / 'results.csv').read_bytes()
    frames = np.load(tmp_path / 'animated' / 'animation.npz')
    assert frames['step'][0] == 0 and frames['step'][-1] == 19 and (tmp_path / 'animated' / 'animation.gif').exists()


@pytest.mark.parametrize('name', WITH_LOG_EVERY)
def test_log_every_sets_records_and_printed_lines(name, tmp_path, capsys, undrawn):
    printed, history = lines(name, tmp_path, capsys, '--log_every=8')
    assert {0, 8, 16, 19} <= set(history['step'].tolist())
    assert [int(line.partition(':')[0]) for line in printed] == [step for step in history['step'].tolist() if step % 8 == 0]


def test_a_resumed_run_has_its_whole_animation(tmp_path, capsys, undrawn):
    """Even a finished run without one: its frames equal those of a run that was animated from the start."""
    lines('aylien', tmp_path / 'animated', capsys, '--animation')
    lines('aylien', tmp_path / 'finished', capsys)
    lines('aylien', tmp_path / 'finished', capsys, '--resume', '--animation')
    wanted, found = (np.load(tmp_path / name / 'animation.npz') for name in ('animated', 'finished'))
    for key in wanted:
        np.testing.assert_array_equal(found[key], wanted[key])
