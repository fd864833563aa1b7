"""A directory of results: locked by one command at a time, cleared of what an earlier one left, read with whose it is."""

import json
import os
import subprocess
import sys

import pytest

from common.storage import directories, files

HOLDER = """
import pathlib, sys
from common.storage import directories
with directories.held(pathlib.Path(sys.argv[1]), 'training'):
    print('locked', flush=True)
    sys.stdin.read()
"""


def run(path, *written, kind='training', identity=(), goes_on=False):
    """What a command does that writes these files."""
    with directories.held(path, kind) as held:
        for name in written:
            (path / name).parent.mkdir(exist_ok=True)
            files.write_text(path / name, f'{name} of {len(held.before)}')
        directories.settle(held, dict(identity), goes_on)


def names(path):
    return {each.name for each in path.iterdir()} - {directories.LISTING, directories.LOCK}


# --- Locks --------------------------------------------------------------------------------------------------------------------


def test_a_second_process_is_refused_until_the_first_is_killed(tmp_path):
    command = [sys.executable, '-c', HOLDER, tmp_path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == 'locked\n'
        with pytest.raises(directories.Taken):
            run(tmp_path)
        process.kill()
    run(tmp_path, 'results.csv')
    assert names(tmp_path) == {'results.csv'}


def test_a_second_command_of_the_same_process_is_refused_while_the_first_runs(tmp_path):
    for _ in range(2):
        with directories.held(tmp_path, 'training'), pytest.raises(directories.Taken):
            run(tmp_path)
    with pytest.raises(KeyboardInterrupt), directories.held(tmp_path, 'training'):
        raise KeyboardInterrupt
    run(tmp_path, 'results.csv')
    assert names(tmp_path) == {'results.csv'}


def test_a_directory_may_be_removed_while_it_is_locked(tmp_path):
    with directories.held(tmp_path / 'run', 'training'):
        (tmp_path / 'run' / directories.LOCK).unlink()
        (tmp_path / 'run').rmdir()
    assert not list(tmp_path.iterdir())


def test_what_a_killed_command_was_writing_is_removed(tmp_path):
    for folder in (tmp_path, tmp_path / directories.CHECKPOINTS):
        folder.mkdir(exist_ok=True)
        (folder / f'{files.PARTIAL}results-0a.csv').write_text('half', encoding='utf-8')
    run(tmp_path)
    assert names(tmp_path) == {directories.CHECKPOINTS} and not list((tmp_path / directories.CHECKPOINTS).iterdir())


# --- What an earlier command left ---------------------------------------------------------------------------------------------


def test_what_is_not_written_again_is_removed(tmp_path):
    run(tmp_path, 'results.csv', 'ensemble.png', 'checkpoint/state-000000.npz', 'checkpoint/damaged-state-000003.npz')
    run(tmp_path, 'results.csv', 'figure.png')
    assert names(tmp_path) == {'results.csv', 'figure.png', 'checkpoint'}
    assert [path.name for path in (tmp_path / 'checkpoint').iterdir()] == ['damaged-state-000003.npz']
    run(tmp_path, 'results.csv')
    assert names(tmp_path) == {'results.csv', 'checkpoint'}


def test_a_command_that_writes_nothing_removes_nothing(tmp_path):
    run(tmp_path, 'results.csv')
    with directories.held(tmp_path, 'sweep'):
        pass
    assert names(tmp_path) == {'results.csv'} and directories.read(tmp_path).kind == 'training'


def test_a_resumed_run_keeps_its_own_and_the_next_fresh_one_removes_them(tmp_path):
    run(tmp_path, 'results.csv', 'animation.gif')
    run(tmp_path, 'results.csv', 'figure.png', goes_on=True)
    assert names(tmp_path) == {'results.csv', 'animation.gif', 'figure.png'}
    run(tmp_path, 'sweep.csv', kind='sweep', goes_on=True)  # with what is of another kind nothing goes on
    assert names(tmp_path) == {'sweep.csv'}


@pytest.mark.parametrize('listing', ['kept', 'lost', 'not JSON', '[]', '{"kind": "training", "identity": 1, "files": {}}'])
def test_what_is_the_users_stays(listing, tmp_path):
    run(tmp_path / 'out', 'results.csv', 'ensemble.png', 'runs.png')
    (tmp_path / 'out' / 'notes.txt').write_text('mine', encoding='utf-8')
    (tmp_path / 'out' / 'runs.png').write_text('retouched', encoding='utf-8')
    (tmp_path / 'elsewhere').write_text('', encoding='utf-8')
    (tmp_path / 'out' / 'link').symlink_to(tmp_path / 'elsewhere')
    if listing == 'lost':
        (tmp_path / 'out' / directories.LISTING).unlink()
    elif listing != 'kept':
        (tmp_path / 'out' / directories.LISTING).write_text(listing, encoding='utf-8')
    run(tmp_path / 'out', 'results.csv')
    left = {'results.csv', 'notes.txt', 'runs.png', 'link'} | (set() if listing == 'kept' else {'ensemble.png'})
    assert names(tmp_path / 'out') == left


def test_a_copied_directory_is_cleared_like_the_original(tmp_path):
    run(tmp_path / 'out', 'results.csv', 'ensemble.png')
    (tmp_path / 'copy').mkdir()
    for path in (tmp_path / 'out').iterdir():
        (tmp_path / 'copy' / path.name).write_bytes(path.read_bytes())
    run(tmp_path / 'copy', 'results.csv')
    assert names(tmp_path / 'copy') == {'results.csv'}


def test_a_file_that_cannot_be_removed_is_named(tmp_path, monkeypatch):
    run(tmp_path, 'ensemble.png')
    monkeypatch.setattr(os, 'unlink', lambda *args, **kwargs: (_ for _ in ()).throw(PermissionError(13, 'Permission denied')))
    with pytest.raises(files.CannotWrite, match=r'ensemble\.png cannot be written \(Permission denied\)'):
        run(tmp_path)


# --- Whose it is --------------------------------------------------------------------------------------------------------------


def test_the_list_says_whose_the_files_are(tmp_path):
    run(tmp_path, 'results.csv', 'checkpoint/state-000000.npz', identity={'post': 'aylien', 'seed': 7})
    contents = directories.read(tmp_path)
    assert contents[:2] == ('training', {'post': 'aylien', 'seed': 7})
    assert directories.names(tmp_path) == sorted(contents.files) == ['checkpoint/state-000000.npz', 'results.csv']
    assert directories.read(tmp_path / 'nowhere') == ('', {}, {})


def test_a_file_that_was_changed_or_is_another_commands_is_refused(tmp_path):
    run(tmp_path, 'results.csv')
    assert directories.file(tmp_path, 'results.csv') == tmp_path / 'results.csv'
    (tmp_path / 'history.npz').write_text('of a command that was killed', encoding='utf-8')
    with pytest.raises(ValueError, match=r'history\.npz is not as the training in this directory wrote it'):
        directories.file(tmp_path, 'history.npz')
    (tmp_path / 'results.csv').write_text('edited', encoding='utf-8')
    with pytest.raises(ValueError, match=r'results\.csv is not as the training'):
        directories.file(tmp_path, 'results.csv')
    (tmp_path / directories.LISTING).write_text(
        json.dumps({'results.csv': [6, 0, 0]}), encoding='utf-8'
    )  # an earlier version's
    assert directories.file(tmp_path, 'results.csv') == tmp_path / 'results.csv'


def test_a_file_that_is_added_goes_with_the_others(tmp_path):
    (tmp_path / 'explore.html').write_text('', encoding='utf-8')
    directories.add(tmp_path, 'explore.html')
    assert directories.names(tmp_path) == ['explore.html'] and not directories.read(tmp_path).kind
    run(tmp_path, 'results.csv')
    directories.add(tmp_path, 'explore.html')
    run(tmp_path, 'results.csv', goes_on=True)  # what goes on has more to show
    assert names(tmp_path) == {'results.csv'}
