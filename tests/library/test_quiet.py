"""What is held back while TensorFlow is imported, and that nothing else is lost, even if TensorFlow ends the process."""

import io
import os
import signal
import subprocess
import sys

import pytest
from helpers.paths import ROOT

from common import quiet

CHATTER = 'I0000 00:00:1.2 port.cc:153] oneDNN custom operations are on. You may see slightly different results'
IMPORT = 'from common import quiet; quiet.import_tensorflow()'
FAKE = 'config = types.SimpleNamespace(list_physical_devices=lambda: None); keras = types.SimpleNamespace(layers=None)'


def stderr_of(tmp_path, source, program=IMPORT):
    """(status, stderr) of a program for which `source` is TensorFlow."""
    (tmp_path / 'tensorflow.py').write_text(f'import os, sys, types\n{source}\n', encoding='utf-8')
    done = subprocess.run(
        [sys.executable, '-c', program], cwd=tmp_path, env=os.environ | {'PYTHONPATH': f'{tmp_path}:{ROOT}'},
        capture_output=True, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stderr.decode()


def test_chatter_is_dropped_line_by_line():
    out = io.BytesIO()
    quiet.pass_on([CHATTER.encode() + b'\n', b'W0000 a warning\n', b'the end, without a newline'], out)
    assert out.getvalue() == b'W0000 a warning\nthe end, without a newline'


def test_warnings_arrive_in_their_order(tmp_path):
    source = f'os.write(2, b"{CHATTER}\\nfirst\\n"); {FAKE}'
    status, error = stderr_of(tmp_path, source, f'{IMPORT}; import sys; print("second", file=sys.stderr)')
    assert (status, error) == (0, 'first\nsecond\n')


@pytest.mark.parametrize(
    ('end', 'status'),
    [('os.abort()', -signal.SIGABRT), ('os.kill(os.getpid(), 4)', -signal.SIGILL), ('os._exit(3)', 3)],
    ids=['abort', 'illegal instruction', 'exit'],
)
def test_what_a_library_says_before_it_ends_the_process_arrives(end, status, tmp_path):
    said = 'F0000 This TensorFlow library was compiled to use AVX instructions, but these are not available on your machine.'
    found = stderr_of(tmp_path, f'os.write(2, b"{CHATTER}\\n{said}\\n"); {end}')
    assert found == (status, f'{said}\n')


def test_an_exception_of_the_import_is_raised(tmp_path):
    status, error = stderr_of(tmp_path, 'raise ImportError("no such library")')
    assert status == 1 and error.endswith('ImportError: no such library\n')


def test_without_a_process_nothing_is_filtered(tmp_path):
    source = f'os.write(2, b"{CHATTER}\\n"); {FAKE}'
    refuse = 'import subprocess; subprocess.Popen = lambda *a, **k: (_ for _ in ()).throw(OSError())'
    assert stderr_of(tmp_path, source, f'{refuse}; {IMPORT}') == (0, f'{CHATTER}\n')
