"""What every command shares, on a post with a handful of steps: resuming, disk faults, locks, kills, export."""

import errno
import io
import pathlib
import shutil
import subprocess
import sys
import types

import numpy as np
import pytest
import tensorflow as tf
from helpers.paths import ROOT
from helpers.post_checks import call, rows_of
from tqdm import tqdm

from common import training
from common.devices import distribution
from common.program import progress, session
from common.storage import checkpoints, directories, files
from reproductions.aylien import __main__ as aylien_main
from reproductions.aylien import figures as aylien_figures
from reproductions.aylien import gan as aylien
from reproductions.aylien import settings as aylien_settings

ARGUMENTS = ['--num_steps=40', '--pretrain_steps=20', '--log_every=10', '--runs=2', '--checkpoint_every=0']
CALLS = 8  # of the compiled loops: after pre-training steps 1, 11, 20 and iterations 1, 11, 21, 31, 40


@pytest.fixture(autouse=True)
def one_record_per_call(monkeypatch):
    monkeypatch.setattr(training, 'MOST_RECORDS', 1)


@pytest.fixture
def undrawn(monkeypatch):
    """Draws no figures, which most of these tests are not about."""
    monkeypatch.setattr(aylien_figures, 'draw', lambda *args: None)


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """The directory of an uninterrupted run."""
    directory = tmp_path_factory.mktemp('whole')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, 'MOST_RECORDS', 1)
        patch.setattr(aylien_figures, 'draw', lambda *args: None)
        assert run(directory) == 0
    return directory


def run(directory, *more):
    return call(aylien_main, *ARGUMENTS, f'--output_dir={directory}', *more)


def same_results(directory, whole):
    return all((directory / name).read_bytes() == (whole / name).read_bytes() for name in ('results.csv', 'history.npz'))


def fails_with_one_line(capsys, *parts):
    """stderr is one line, an error that contains these parts."""
    error = capsys.readouterr().err
    assert error.startswith('error: ') and error.count('\n') == 1
    assert all(str(part) in error for part in parts), error


def before_save(monkeypatch, number, action):
    """Calls `action` before the checkpoint of that number (from 1) is saved; returns the list of all saves so far."""
    save, saves = checkpoints.save, []

    def watched(*args):
        saves.append(args)
        if len(saves) == number:
            action()
        save(*args)

    monkeypatch.setattr(checkpoints, 'save', watched)
    return saves


# --- Resuming -----------------------------------------------------------------------------------------------------------------


def test_a_damaged_newest_checkpoint(whole, undrawn, tmp_path, capsys):
    """It resumes from the one before, says so, ends like the uninterrupted run, and then keeps two intact ones."""
    shutil.copytree(whole, tmp_path / 'run')
    older, newest = checkpoints.paths(tmp_path / 'run')
    newest.write_bytes(newest.read_bytes()[:3000])
    capsys.readouterr()
    assert run(tmp_path / 'run', '--resume') == 0
    error = capsys.readouterr().err
    assert error.startswith(f'warning: {newest} cannot be read') and error.count('\n') == 1
    assert f'resuming from {older.name}' in error
    assert same_results(tmp_path / 'run', whole)
    assert [path.name for path in checkpoints.paths(tmp_path / 'run')] == [older.name, newest.name]
    assert run(tmp_path / 'run', '--resume') == 0 and not capsys.readouterr().err


def test_two_damaged_checkpoints(whole, undrawn, tmp_path, capsys):
    shutil.copytree(whole, tmp_path / 'run')
    for path, damage in zip(checkpoints.paths(tmp_path / 'run'), (b'', b'PK\x03\x04' + bytes(5000)), strict=True):
        path.write_bytes(damage)
    before = {path: path.read_bytes() for path in (tmp_path / 'run').rglob('*') if path.is_file()}
    capsys.readouterr()
    assert run(tmp_path / 'run', '--resume') == 2
    fails_with_one_line(capsys, '--resume', *checkpoints.paths(tmp_path / 'run'), 'run without --resume')
    assert {path: path.read_bytes() for path in (tmp_path / 'run').rglob('*') if path.is_file()} == before


def test_every_setting_that_differs_is_named(whole, undrawn, capsys):
    capsys.readouterr()
    assert run(whole, '--resume', '--sigma=2', '--seed=7', '--runs=3', '--num_steps=50') == 2
    fails_with_one_line(
        capsys, 'sigma was 0.5, is 2.0', 'seed was 42, is 7', 'runs was 2, is 3', 'num_steps was 40, is 50'
    )  # fmt: skip


def test_checkpoints_are_as_frequent_as_requested(undrawn, tmp_path, monkeypatch):
    saves = before_save(monkeypatch, 0, None)
    assert run(tmp_path / 'often') == 0
    assert len(saves) == CALLS
    saves.clear()
    assert run(tmp_path / 'rarely', '--checkpoint_every=1000') == 0
    assert len(saves) == 1


@pytest.mark.parametrize('flag', ['--checkpoint_every=-1', '--checkpoint_every=nan', '--checkpoint_every=x'])
def test_invalid_intervals(flag, tmp_path, capsys):
    assert run(tmp_path, flag) == 2
    fails_with_one_line(capsys, 'checkpoint_every')


# --- Clock and disk -----------------------------------------------------------------------------------------------------------


class Clock(types.SimpleNamespace):
    """A clock that the test sets; `time` goes back an hour at every call."""

    def monotonic(self):
        return self.now

    def time(self):
        self.day -= 3600
        return self.day


def test_a_clock_that_is_set_back_changes_nothing(whole, undrawn, tmp_path, monkeypatch):
    clock = Clock(now=0.0, day=1.7e9)
    for name in ('time.time', 'tqdm.std.time'):
        monkeypatch.setattr(name, clock.time)
    bar = lambda total, label, unit: tqdm(total=total, mininterval=0, file=io.StringIO())  # as on a terminal
    monkeypatch.setattr(progress, 'progress_bar', bar)
    assert run(tmp_path) == 0
    assert same_results(tmp_path, whole) and len(checkpoints.paths(tmp_path)) == 2
    assert clock.day < 1.7e9  # it was read


def test_a_slow_disk_does_not_take_up_all_the_time(undrawn, tmp_path, monkeypatch):
    """A call takes 1 s and a checkpoint 100 s: at --checkpoint_every=3 it trains 3 s after each, and saves at the end."""
    clock, train = Clock(now=0.0, day=0.0), training.train

    def train_for_a_second(*args, **kwargs):
        for result in train(*args, **kwargs):
            clock.now += 1
            yield result

    save, saves = checkpoints.save, []

    def slow_save(*args):
        saves.append(clock.now)
        clock.now += 100
        save(*args)

    monkeypatch.setattr(session, 'time', clock)
    monkeypatch.setattr(training, 'train', train_for_a_second)
    monkeypatch.setattr(checkpoints, 'save', slow_save)
    assert run(tmp_path, '--checkpoint_every=3') == 0
    assert saves == [3, 106, 208]


@pytest.mark.parametrize('number', [1, 2, 5, CALLS])
def test_a_full_disk_at_a_checkpoint(number, whole, undrawn, tmp_path, capsys, monkeypatch):
    """One line names the file and what to do; the checkpoints before it are kept; it resumes once there is room."""

    def fill():
        def savez(path, **arrays):
            pathlib.Path(path).write_bytes(b'PK\x03\x04 the beginning')
            raise OSError(errno.ENOSPC, 'No space left on device')

        monkeypatch.setattr(np, 'savez', savez)

    with monkeypatch.context() as patch:
        patch.setattr(np, 'savez', np.savez)
        before_save(patch, number, fill)
        assert run(tmp_path) == 1
    fails_with_one_line(capsys, f'checkpoint/state-{number - 1:06}.npz cannot be written (No space left on device)', '--resume')
    left = sorted(path.name for path in tmp_path.rglob('*.*') if path.suffix == '.npz' or path.name.startswith(files.PARTIAL))
    assert left == [f'state-{n:06}.npz' for n in range(max(0, number - 3), number - 1)]
    if number > 1:
        assert run(tmp_path, '--resume') == 0
        assert same_results(tmp_path, whole)


@pytest.mark.parametrize('name', ['config.json', 'results.csv', 'history.npz', 'figure.png'])
def test_a_full_disk_at_the_results(name, whole, tmp_path, capsys, monkeypatch):
    """The files of the last run are unchanged."""
    shutil.copytree(whole, tmp_path / 'run')
    (tmp_path / 'run' / 'figure.png').write_text('the last', encoding='utf-8')
    before = {path.name: path.read_bytes() for path in (tmp_path / 'run').iterdir() if path.is_file()}
    replace = files.os.replace

    def full(source, target):
        if pathlib.Path(target).name == name:
            raise OSError(errno.ENOSPC, 'No space left on device')
        replace(source, target)

    monkeypatch.setattr(files.os, 'replace', full)
    assert run(tmp_path / 'run', '--resume') == 1
    fails_with_one_line(capsys, f'{name} cannot be written (No space left on device)')
    assert (tmp_path / 'run' / name).read_bytes() == before[name]
    assert not list((tmp_path / 'run').glob(f'{files.PARTIAL}*'))


def test_a_directory_that_is_removed_during_the_run(undrawn, tmp_path, capsys, monkeypatch):
    before_save(monkeypatch, 3, lambda: shutil.rmtree(tmp_path / 'run'))
    assert run(tmp_path / 'run') == 1
    fails_with_one_line(capsys, tmp_path / 'run' / 'checkpoint', 'No such file or directory')
    assert not (tmp_path / 'run').exists()


def test_a_directory_that_becomes_a_file_during_the_run(whole, undrawn, tmp_path, capsys, monkeypatch):
    """The directory that was moved away is intact and can be resumed."""

    def swap():
        (tmp_path / 'run').rename(tmp_path / 'moved')
        (tmp_path / 'run').write_text('a file', encoding='utf-8')

    with monkeypatch.context() as patch:
        before_save(patch, 3, swap)
        assert run(tmp_path / 'run') == 1
    fails_with_one_line(capsys, tmp_path / 'run' / 'checkpoint', 'Not a directory')
    assert (tmp_path / 'run').read_text(encoding='utf-8') == 'a file'
    assert run(tmp_path / 'moved', '--resume') == 0
    assert same_results(tmp_path / 'moved', whole)


def test_a_directory_that_becomes_read_only_during_the_run(whole, undrawn, tmp_path, capsys, monkeypatch):
    def no_more(path):
        raise OSError(errno.EROFS, 'Read-only file system')

    with monkeypatch.context() as patch:
        before_save(patch, 3, lambda: patch.setattr(files, 'partial', no_more))
        assert run(tmp_path) == 1
    fails_with_one_line(capsys, 'checkpoint/state-000002.npz', 'Read-only file system')
    assert run(tmp_path, '--resume') == 0
    assert same_results(tmp_path, whole)


def test_a_file_that_is_open_elsewhere_keeps_its_contents(whole, undrawn, tmp_path):
    shutil.copytree(whole, tmp_path / 'run')
    before = (whole / 'results.csv').read_text(encoding='utf-8')
    with open(tmp_path / 'run' / 'results.csv', encoding='utf-8') as reader:
        start = reader.read(10)
        assert run(tmp_path / 'run', '--seed=7') == 0
        assert start + reader.read() == before
    assert [row['seed'] for row in rows_of(tmp_path / 'run')] == ['7', '8']


def test_a_second_command_on_the_directory_is_refused(undrawn, tmp_path, capsys):
    with directories.held(tmp_path, 'training'):
        assert run(tmp_path) == 2
        fails_with_one_line(capsys, f'--output_dir={tmp_path} is in use by another command')
        assert [path.name for path in tmp_path.iterdir()] == [directories.LOCK]
    assert run(tmp_path) == 0


# --- Killed -------------------------------------------------------------------------------------------------------------------


@pytest.mark.statistical
@pytest.mark.parametrize('post', ['aylien', 'devnag'])
def test_a_run_killed_at_random_moments_ends_like_the_uninterrupted_one(post):
    """One kill at a random moment, one during a write; results.csv and history.npz match byte for byte."""
    command = [sys.executable, 'scripts/kill_test.py', f'--post={post}', '--kills=2', '--seed=1']
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    cells = finished.stdout.splitlines()[-1].strip('| ').split(' | ')
    assert cells[0] == post and int(cells[2]) > 50 and cells[3] == cells[6] == '2'


# --- Export -------------------------------------------------------------------------------------------------------------------


def test_exporting_a_finished_run_trains_nothing(whole, undrawn, tmp_path, capsys, monkeypatch):
    shutil.copytree(whole, tmp_path / 'run')
    saves = before_save(monkeypatch, 0, None)
    assert run(tmp_path / 'run', '--resume', f'--export={tmp_path / "new" / "model"}', '--export_seed=43') == 0
    assert f'generator of seed 43 in {tmp_path / "new" / "model"}/\n' in capsys.readouterr().out
    assert not saves and same_results(tmp_path / 'run', whole)
    model = tf.saved_model.load(tmp_path / 'new' / 'model')
    samples = model.generate(tf.constant([[-8.0], [8.0]]))[:, 0]
    settings = aylien_settings.make_settings(pretrain_steps=20)
    strategy, seeds = distribution.make_strategy('cpu', 2), np.array([42, 43], np.uint32)
    template = training.initial_state(aylien.make_experiment(settings), strategy, seeds)
    _, arrays = checkpoints._read(checkpoints.paths(tmp_path / 'run')[-1])
    (_, train_state), _ = checkpoints._unpacked(arrays, template)
    g = tf.nest.map_structure(lambda value: tf.constant(value[1:]), train_state.g)
    np.testing.assert_allclose(samples, aylien.generator(settings, g, tf.constant([[[-8.0, 8.0]]]))[0, 0], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        (['--export=/dev/null/model'], '/dev/null is no directory'),
        (['--export=.'], 'is there already'),
        (['--export=m', '--export_seed=44'], 'not among the seeds 42 to 43'),
        (['--export_seed=42'], 'needs --export'),
        (['--export=m', '--claims'], '--claims'),
        (['--export=m', '--replay=x.npz'], '--replay'),
    ],
)
def test_invalid_exports(flags, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(tmp_path / 'run', *flags) == 2
    fails_with_one_line(capsys, message)
    assert not list(tmp_path.iterdir())


def test_an_export_that_cannot_be_written_leaves_nothing(whole, undrawn, tmp_path, capsys, monkeypatch):
    def full(module, path, signatures):
        pathlib.Path(path, 'saved_model.pb').write_bytes(b'the beginning')
        raise tf.errors.ResourceExhaustedError(None, None, 'No space left on device')

    monkeypatch.setattr(tf.saved_model, 'save', full)
    shutil.copytree(whole, tmp_path / 'run')
    capsys.readouterr()
    assert run(tmp_path / 'run', '--resume', f'--export={tmp_path / "model"}') == 1
    fails_with_one_line(capsys, f'{tmp_path / "model"} cannot be written (No space left on device)')
    assert [path.name for path in tmp_path.iterdir()] == ['run']
