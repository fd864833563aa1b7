"""What is recorded and printed: the same with and without an animation, and --log_every means the same in every post."""

import numpy as np
import pytest
from helpers.post_checks import call, flags_of

from common.plotting import figures
from common.storage import files
from reproductions import contract

LENGTHS = ['--num_steps=20', '--pretrain_steps=10', '--log_every=8']
WITH_LOG_EVERY = [name for name in contract.NAMES if 'log_every' in flags_of(contract.part(name, '__main__'))]


def train(name, directory, capsys, *more):
    """The printed lines of losses of a short training."""
    main = contract.part(name, '__main__')
    words = [word for word in LENGTHS if word.partition('=')[0].removeprefix('--') in flags_of(main)]
    assert call(main, *words, f'--output_dir={directory}', *more) == 0
    return [line for line in capsys.readouterr().out.splitlines() if ': loss_d' in line]


@pytest.mark.statistical
@pytest.mark.parametrize('name', WITH_LOG_EVERY)
def test_an_animation_only_adds_frames(name, tmp_path, capsys, monkeypatch):
    """Even to a finished run: resumed, it gets the frames of a run that was animated from the start."""
    monkeypatch.setattr(figures, 'save', lambda figure, path: None)
    alone, animated = tmp_path / 'alone', tmp_path / 'animated'
    printed = train(name, alone, capsys)
    history, results = files.read_npz(alone / 'history.npz'), (alone / 'results.csv').read_bytes()
    assert {0, 8, 16, 19} <= set(history['step'].tolist())
    assert [int(line.partition(':')[0]) for line in printed] == [step for step in history['step'].tolist() if step % 8 == 0]

    assert train(name, animated, capsys, '--animation') == printed
    np.testing.assert_equal(files.read_npz(animated / 'history.npz'), history)
    assert (animated / 'results.csv').read_bytes() == results
    frames = files.read_npz(animated / 'animation.npz')
    assert frames['step'][0] == 0 and frames['step'][-1] == 19 and set(frames['step']) <= set(range(20))
    assert name != 'multimodal' or frames['step'].tolist() == history['step'].tolist()  # which has no other flag for frames
    assert (animated / 'animation.gif').read_bytes()[:6] == b'GIF89a'

    train(name, alone, capsys, '--resume', '--animation')
    np.testing.assert_equal(files.read_npz(alone / 'animation.npz'), frames)
    np.testing.assert_equal(files.read_npz(alone / 'history.npz'), history)
    assert (alone / 'results.csv').read_bytes() == results
