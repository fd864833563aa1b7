"""--tensorboard: what TensorBoard reads back is what history.npz has."""

import importlib.util

import numpy as np
import pytest
from helpers.post_checks import call
from PIL import Image
from tensorboard.backend.event_processing import event_accumulator

from common.plotting import tensorboard
from common.storage import files
from reproductions.aylien import __main__ as aylien_main

SHORT = ('--num_steps=30', '--pretrain_steps=10', '--log_every=5')


def read(folder):
    """The events of a folder as TensorBoard reads them."""
    events = event_accumulator.EventAccumulator(str(folder), {'tensors': 0})
    return events.Reload()


def numbers(events, tag):
    """(iterations, values) of a scalar."""
    found = events.Tensors(tag)
    values = [float(np.frombuffer(event.tensor_proto.tensor_content, np.float32)[0]) if event.tensor_proto.tensor_content
              else event.tensor_proto.float_val[0] for event in found]  # fmt: skip
    return [event.step for event in found], values


@pytest.mark.statistical
def test_quantiles_over_seeds_and_figures(tmp_path):
    logs, out = tmp_path / 'logs', tmp_path / 'out'
    assert call(aylien_main, *SHORT, '--runs=5', f'--output_dir={out}', f'--tensorboard={logs}') == 0
    history = files.read_npz(out / 'history.npz')
    assert sorted(path.name for path in logs.iterdir()) == ['05', '25', '75', '95', 'figures', 'median']
    for name, quantile in (('median', 0.5), ('95', 0.95)):
        events = read(logs / name)
        steps, values = numbers(events, 'wasserstein')
        assert steps == history['step'].tolist()
        np.testing.assert_allclose(values, np.quantile(history['wasserstein'], quantile, axis=0), rtol=1e-5)
        assert numbers(events, 'pretrain_loss')[0] == history['pretrain_step'].tolist()
    (out / 'mine.png').write_bytes(b'\x89PNG, but no more of it')  # of the user, which is no picture of this training
    assert call(aylien_main, *SHORT, '--runs=5', '--resume', f'--output_dir={out}', f'--tensorboard={logs}') == 0
    assert numbers(read(logs / 'median'), 'wasserstein')[0] == history['step'].tolist()  # once each
    assert read(logs / 'figures').Tags()['tensors'] == ['ensemble', 'figure']
    (event,) = read(logs / 'figures').Tensors('ensemble')
    width, height, picture = event.tensor_proto.string_val
    with Image.open(out / 'ensemble.png') as image:
        assert (int(width), int(height)) == image.size and picture.startswith(b'\x89PNG')


@pytest.mark.statistical
def test_a_single_seed_has_its_own_values(tmp_path):
    assert call(aylien_main, *SHORT, f'--output_dir={tmp_path / "out"}', f'--tensorboard={tmp_path / "logs"}') == 0
    history = files.read_npz(tmp_path / 'out' / 'history.npz')
    np.testing.assert_allclose(numbers(read(tmp_path / 'logs' / 'run'), 'loss_d')[1], history['loss_d'][0], rtol=1e-6)


def test_quantiles_leave_out_what_is_not_finite():
    values = np.array([[1.0, np.nan], [3.0, np.inf], [np.nan, np.nan]])
    np.testing.assert_array_equal(tensorboard.over_seeds(values, 0.5), [2.0, np.nan])


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--tensorboard=logs', '--claims'], '--tensorboard=logs cannot be given beside --replay or --claims'),
        (['--tensorboard=file'], '--tensorboard=file is a file; name a directory'),
        (['--tensorboard=/proc/logs'], '--tensorboard=/proc/logs cannot be written'),
    ],
)
def test_what_cannot_be_written_is_refused_in_one_line(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'file').write_text('no directory', 'utf-8')
    assert call(aylien_main, *SHORT, *words) == 2
    out, err = capsys.readouterr()
    assert not out and err.startswith(f'error: {message}') and err.count('\n') == 1


def test_without_tensorboard_one_line_says_how_to_get_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None if name == 'tensorboard' else found(name))
    assert call(aylien_main, '--tensorboard=logs') == 2
    assert capsys.readouterr().err == "error: --tensorboard=logs needs TensorBoard; pip install '.[tensorboard]'\n"
    assert not list(tmp_path.iterdir())
