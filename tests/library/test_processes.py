"""Work spread over processes."""

import os
import pathlib
import subprocess
import sys
import time

import pytest
from helpers.paths import ROOT

from common.storage import files

WAITING = """
import os, pathlib, sys, time
from common.devices import processes

def wait(directory):
    pathlib.Path(directory, str(os.getpid())).touch()
    time.sleep(600)

if __name__ == '__main__':
    processes.on_all_cores(wait, [(sys.argv[1],)], 'waiting', '')
"""


@pytest.mark.statistical
def test_processes_end_with_the_one_that_started_them(tmp_path):
    (tmp_path / 'pids').mkdir()
    files.write_text(tmp_path / 'waiting.py', WAITING)
    command = [sys.executable, str(tmp_path / 'waiting.py'), str(tmp_path / 'pids')]
    parent = subprocess.Popen(command, env=os.environ | {'PYTHONPATH': str(ROOT)}, stderr=subprocess.DEVNULL)
    seen(lambda: list((tmp_path / 'pids').iterdir()), 120)
    parent.kill()
    parent.wait()
    (child,) = (tmp_path / 'pids').iterdir()
    seen(lambda: not alive(int(child.name)), 30)
    assert not alive(int(child.name))


def alive(pid):
    """Whether a process runs: one that has ended may wait for its end to be noticed."""
    try:
        return pathlib.Path(f'/proc/{pid}/stat').read_text(encoding='utf-8').rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


def seen(condition, seconds):
    """Waits for a condition, so long at most."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.2)
