"""What is recorded and printed: the same with an animation as without, and --log_every means one thing in every post."""

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


WITH_FILM = [name for name in posts.NAMES if 'log_every' in flags_of(posts.part(name, '__main__'))]


@pytest.fixture
def undrawn(monkeypatch):
    """No pictures, only their numbers."""
    monkeypatch.setattr(figures, 'save', lambda figure, path: None)


@pytest.mark.parametrize('name', WITH_FILM)
def test_an_animation_only_adds_frames(name, tmp_path, capsys, undrawn):
    alone = lines(name, tmp_path / 'alone', capsys)
    filmed = lines(name, tmp_path / 'filmed', capsys, '--animation')
    assert alone[0] == filmed[0] != [] and alone[1].keys() == filmed[1].keys()
    for key, values in alone[1].items():
        np.testing.assert_array_equal(filmed[1][key], values)
    assert (tmp_path / 'filmed' / 'results.csv').read_bytes() == (tmp_path / 'alone' / 'results.csv').read_bytes()
    film = np.load(tmp_path / 'filmed' / 'animation.npz')
    assert film['step'][0] == 0 and film['step'][-1] == 19 and (tmp_path / 'filmed' / 'animation.gif').exists()


@pytest.mark.parametrize('name', WITH_FILM)
def test_log_every_is_a_record_and_a_line(name, tmp_path, capsys, undrawn):
    printed, history = lines(name, tmp_path, capsys, '--log_every=8')
    assert {0, 8, 16, 19} <= set(history['step'].tolist())
    assert [int(line.partition(':')[0]) for line in printed] == [step for step in history['step'].tolist() if step % 8 == 0]


def test_a_resumed_run_has_its_whole_animation(tmp_path, capsys, undrawn):
    """Also a finished one that had none: the frames are the numbers of a run that was animated from the start."""
    lines('aylien', tmp_path / 'filmed', capsys, '--animation')
    lines('aylien', tmp_path / 'finished', capsys)
    lines('aylien', tmp_path / 'finished', capsys, '--resume', '--animation')
    wanted, found = (np.load(tmp_path / name / 'animation.npz') for name in ('filmed', 'finished'))
    for key in wanted:
        np.testing.assert_array_equal(found[key], wanted[key])
