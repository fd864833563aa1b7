"""A directory is locked by one command at a time, and a crash leaves no lock."""

import subprocess
import sys

import pytest

from common.storage import locks

HOLDER = """
import fcntl, sys
file = open(sys.argv[1], 'wb')
fcntl.flock(file, fcntl.LOCK_EX)
print('locked', flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the lock of the directory."""
    command = [sys.executable, '-c', HOLDER, tmp_path / '.lock']
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == 'locked\n'
        yield process
        process.kill()


def test_a_second_process_is_refused_until_the_first_is_killed(holder, tmp_path):
    with pytest.raises(locks.Taken), locks.held(tmp_path):
        pass
    holder.kill()
    holder.wait()
    with locks.held(tmp_path):
        assert (tmp_path / '.lock').exists()
    assert not list(tmp_path.iterdir())


def test_a_second_command_of_the_same_process_is_refused_while_the_first_runs(tmp_path):
    for _ in range(2):
        with locks.held(tmp_path), pytest.raises(locks.Taken), locks.held(tmp_path):
            pass
    with pytest.raises(KeyboardInterrupt), locks.held(tmp_path):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_a_lock_on_a_removed_file_does_not_count(tmp_path, monkeypatch):
    """Between opening the file and locking it, the holder removes it: a lock on an unlinked file would protect nothing."""
    flock, calls = locks.fcntl.flock, []

    def removed_first(descriptor, how):
        calls.append(descriptor)
        if len(calls) == 1:
            (tmp_path / '.lock').unlink()
        flock(descriptor, how)

    monkeypatch.setattr(locks.fcntl, 'flock', removed_first)
    with locks.held(tmp_path):
        assert len(calls) == 2 and (tmp_path / '.lock').exists()
    assert not list(tmp_path.iterdir())


def test_a_directory_may_be_removed_while_it_is_locked(tmp_path):
    (tmp_path / 'run').mkdir()
    with locks.held(tmp_path / 'run'):
        (tmp_path / 'run' / '.lock').unlink()
        (tmp_path / 'run').rmdir()
    assert not list(tmp_path.iterdir())
