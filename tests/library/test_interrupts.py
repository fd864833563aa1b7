"""Ctrl-C while something is imported, and signals in another thread."""

import os
import signal
import subprocess
import sys
import threading

import pytest
from helpers.paths import ROOT

from common.program import progress

SLOW = 'import time; print("importing", flush=True); time.sleep(60)'


def interrupted(directory, command, name):
    """(status, stderr) of a command that gets Ctrl-C while it imports a module `name`, of which `directory` has a slow one."""
    (directory / f'{name}.py').write_text(SLOW, encoding='utf-8')
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=os.environ | {'PYTHONPATH': str(directory)}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        assert process.stdout.readline() == b'importing\n'
        process.send_signal(signal.SIGINT)
        return process.wait(30), process.stderr.read().decode()


def test_during_the_import_of_tensorflow(tmp_path):
    command = ('-m', 'reproductions.aylien', '--num_steps=30', f'--output_dir={tmp_path / "out"}')
    assert interrupted(tmp_path, command, 'tensorflow') == (130, 'interrupted\n')


def test_during_the_first_imports(tmp_path):
    assert interrupted(tmp_path, ('-m', 'reproductions', 'list'), 'numpy') == (130, '')


def test_in_another_program_an_import_is_interrupted_by_an_exception(tmp_path):
    program = 'from common import quiet\ntry: quiet.import_tensorflow()\nexcept KeyboardInterrupt: print("caught")'
    status, error = interrupted(tmp_path, ('-c', program), 'tensorflow')
    assert (status, error) == (0, '')


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_is_only_noted(number, capsys):
    before = signal.getsignal(number)
    with progress.stop_signals() as received:
        signal.raise_signal(number)
        assert received == [number] and signal.getsignal(number) == before
    assert 'the training so far is kept' in capsys.readouterr().err


def test_a_closed_terminal_is_not_heeded_under_nohup():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with progress.stop_signals() as received:
            signal.raise_signal(signal.SIGHUP)
        assert received == []
    finally:
        signal.signal(signal.SIGHUP, before)


def test_in_another_thread_no_handler_is_set():
    before, found = signal.getsignal(signal.SIGINT), []

    def enter():
        with progress.stop_signals() as received:
            found.append((received, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [([], before)]
