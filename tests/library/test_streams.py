"""Closed, abandoned, full and narrow streams: nothing raises, and nothing is written to another file."""

import os
import subprocess
import sys

import pytest
from helpers.paths import ROOT

from common.program import streams

PROGRAM = """
import os, sys
from common.program import streams
stdout = streams.secure()
for i in range(20_000):
    print('a line, and a character that ASCII does not have: \\u2713')
print('to stderr', file=sys.stderr)
open(sys.argv[1], 'w', encoding='utf-8').write('done')
sys.exit(streams.status(stdout, int(sys.argv[2])))
"""


def run(tmp_path, redirection, wanted=0, **environment):
    """(status, stderr) of `PROGRAM` in a shell with a redirection; it must reach its end."""
    command = f'"{sys.executable}" -c "$PROGRAM" "{tmp_path / "end"}" {wanted} {redirection}; exit $?'
    variables = os.environ | {'PROGRAM': PROGRAM} | environment
    done = subprocess.run(['bash', '-c', command], cwd=ROOT, env=variables, capture_output=True, timeout=60)
    assert (tmp_path / 'end').read_text(encoding='utf-8') == 'done'
    return done.returncode, done.stderr.decode()


def test_a_reader_that_has_left_is_no_error(tmp_path):
    assert run(tmp_path, '| head -2; exit ${PIPESTATUS[0]}') == (0, 'to stderr\n')


def test_a_full_device_is_reported_in_one_line_with_status_1(tmp_path):
    status, error = run(tmp_path, '> /dev/full')
    assert status == 1
    assert error == 'to stderr\nerror: not all output could be written (No space left on device); the files are complete\n'
    assert run(tmp_path, '> /dev/full', wanted=2) == (2, 'to stderr\n')


@pytest.mark.parametrize('redirection', ['>&-', '2>&-', '>&- 2>&-', '<&- >&- 2>&-', '2>/dev/full'])
def test_closed_streams_are_replaced_by_the_null_device(redirection, tmp_path):
    """The file that the program opens must not become its stdout or stderr, whose text would be written into it."""
    status, error = run(tmp_path, redirection)
    assert status == 0 and error in ('', 'to stderr\n')


def test_a_character_that_the_stream_cannot_show_is_escaped(tmp_path):
    status, _ = run(tmp_path, f'> "{tmp_path / "out"}"', LC_ALL='C', PYTHONIOENCODING='ascii', PYTHONUTF8='0')
    assert status == 0
    lines = (tmp_path / 'out').read_text(encoding='ascii').splitlines()
    assert len(lines) == 20_000 and set(lines) == {'a line, and a character that ASCII does not have: \\u2713'}


def test_a_pipe_that_does_not_wait_loses_nothing():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    raw, sent = streams.Raw(writer), b'x' * 2**20
    process = subprocess.Popen(['wc', '-c'], stdin=reader, stdout=subprocess.PIPE)
    os.close(reader)
    while sent:
        sent = sent[raw.write(sent) :]
    os.close(writer)
    assert int(process.communicate(timeout=60)[0]) == 2**20 and raw.error is None
