"""Whole commands in an environment of the user's: foreign packages, streams that end, settings of matplotlib, locales."""

import fcntl
import json
import os
import subprocess
import sys
import termios
import time

import numpy as np
import pytest
from helpers.paths import ROOT
from PIL import Image

A = ('-m', 'reproductions.aylien', '--num_steps=30', '--pretrain_steps=0')
FILES = ['.lock', 'config.json', 'figure.npz', 'figure.png', 'files.json', 'history.npz', 'results.csv']


def run(command, cwd=ROOT, flags=(), **environment):
    """(status, stdout, stderr) of a Python command; a variable that is None is unset."""
    variables = os.environ | {'PYTHONPATH': str(ROOT)} | environment
    variables = {name: str(value) for name, value in variables.items() if value is not None}
    done = subprocess.run([sys.executable, *flags, *command], cwd=cwd, env=variables, capture_output=True, timeout=300)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def written(directory):
    return sorted(path.name for path in directory.iterdir() if path.is_file())


# --- A foreign `common` -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('kind', ['package', 'module'])
def test_a_foreign_common_is_named_in_one_line(kind, tmp_path):
    if kind == 'package':
        (tmp_path / 'common').mkdir()
    path = tmp_path / ('common/__init__.py' if kind == 'package' else 'common.py')
    path.write_text('', encoding='utf-8')
    status, out, error = run(('-m', 'reproductions.aylien', '--help'), tmp_path)  # -m looks in the working directory first
    assert (status, out, error.count('\n')) == (2, '', 1)
    assert error.startswith(f'error: {path} is found instead of') and 'run from another directory' in error
    status, _, error = run(('-c', 'import reproductions'), tmp_path)
    assert status == 1 and error.splitlines()[-1].startswith(f'ImportError: {path} is found instead of')


def test_a_directory_called_common_without_a_package_does_no_harm(tmp_path):
    (tmp_path / 'common').mkdir()
    status, out, _ = run(('-m', 'reproductions', 'list'), tmp_path)
    assert status == 0 and 'aylien' in out


# --- Streams ------------------------------------------------------------------------------------------------------------------


@pytest.mark.statistical
@pytest.mark.parametrize(
    ('redirection', 'status'),
    [('| head -1; exit ${PIPESTATUS[0]}', 0), ('> /dev/full', 1), ('<&- >&- 2>&-', 0)],
    ids=['a reader that leaves', 'a full device', 'closed'],
)
def test_a_training_survives_its_streams(redirection, status, tmp_path):
    command = f'"{sys.executable}" {" ".join(A)} --log_every=1 --output_dir="{tmp_path / "out"}" {redirection}'
    done = subprocess.run(['bash', '-c', command], cwd=ROOT, capture_output=True, timeout=300)
    assert done.returncode == status and b'Traceback' not in done.stderr
    assert written(tmp_path / 'out') == FILES


@pytest.mark.statistical
def test_a_closed_terminal_saves_the_training(tmp_path):
    controller, terminal = os.openpty()
    command = [
        sys.executable,
        '-m',
        'reproductions.aylien',
        '--num_steps=2000000000',
        '--log_every=100000',
        '--pretrain_steps=0',
    ]
    process = subprocess.Popen(
        [*command, '--checkpoint_every=0', f'--output_dir={tmp_path}'], cwd=ROOT, stdin=terminal, stdout=terminal,
        stderr=terminal, start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(terminal)
    try:
        for _ in range(600):
            if list(tmp_path.glob('checkpoint/state-*.npz')):
                break
            time.sleep(0.1)
        os.close(controller)  # the window is closed: the kernel sends SIGHUP, and writing fails from now on
        assert process.wait(60) == 129
    finally:
        process.kill()
        process.wait()
    assert written(tmp_path) == FILES


def test_help_into_a_reader_that_leaves():
    command = f'"{sys.executable}" -m reproductions.aylien --help | head -1; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(['bash', '-c', command], cwd=ROOT, capture_output=True, timeout=60)
    assert done.returncode == 0 and done.stdout.startswith(b'Aylien') and done.stderr == b''


# --- Settings -----------------------------------------------------------------------------------------------------------------

HOSTILE = """
text.usetex: True
savefig.transparent: True
savefig.bbox: tight
savefig.facecolor: black
axes.facecolor: black
axes.prop_cycle: cycler('color', ['white'])
font.family: cursive
font.size: 30
figure.dpi: 20
lines.linestyle: :
image.cmap: hot
"""
DRAW = """
import pathlib, numpy as np, sys
from common.plotting import figures
x = np.linspace(-1, 1, 9)
arrays = {'title': 'The data', 'real': 1 - x * x, 'places': x}
figures.write(pathlib.Path(sys.argv[1]) / 'data.png', figures.data, arrays)
import matplotlib
print(matplotlib.rcParams['font.size'])
"""


def pixels(path):
    with Image.open(path) as image:
        return np.stack([np.asarray(image.convert('RGBA').resize(image.size)) for _ in frames(image)])


def frames(image):
    for number in range(getattr(image, 'n_frames', 1)):
        image.seek(number)
        yield number


def test_pictures_do_not_depend_on_the_settings_of_matplotlib(tmp_path):
    """And the settings of a program that uses the suite as a library stay as they were."""
    for name in ('plain', 'hostile'):
        (tmp_path / name).mkdir()
    (tmp_path / 'matplotlibrc').write_text(HOSTILE, encoding='utf-8')
    assert run(('-c', DRAW, tmp_path / 'plain'))[:2] == (0, '10.0\n')
    assert run(('-c', DRAW, tmp_path / 'hostile'), MATPLOTLIBRC=tmp_path / 'matplotlibrc')[:2] == (0, '30.0\n')
    np.testing.assert_array_equal(*(pixels(tmp_path / name / 'data.png') for name in ('plain', 'hostile')))


@pytest.mark.statistical
def test_a_command_gives_the_same_files_in_a_hostile_environment(tmp_path):
    """Other settings of matplotlib, a notebook's back end, a locale of ASCII, no home: the same numbers and pictures."""
    (tmp_path / 'matplotlibrc').write_text(HOSTILE, encoding='utf-8')
    hostile = {
        'MATPLOTLIBRC': tmp_path / 'matplotlibrc', 'MPLBACKEND': 'nbagg2', 'LC_ALL': 'C', 'PYTHONUTF8': 0,
        'PYTHONCOERCECLOCALE': 0, 'HOME': '/nonexistent',
    }  # fmt: skip
    flags = ('-X', 'warn_default_encoding', '-W', 'error::EncodingWarning:common', '-W', 'error::EncodingWarning:reproductions')
    for name, environment in (('plain', {}), ('hostile', hostile)):
        command = (*A, '--animation', f'--output_dir={tmp_path / name}')
        assert run(command, flags=flags, **environment)[0] == 0
    for name in ('results.csv', 'history.npz'):
        assert (tmp_path / 'plain' / name).read_bytes() == (tmp_path / 'hostile' / name).read_bytes()
    for name in ('figure.png', 'animation.gif'):
        np.testing.assert_array_equal(*(pixels(tmp_path / each / name) for each in ('plain', 'hostile')))


# --- Paths and options of Python ----------------------------------------------------------------------------------------------


@pytest.mark.statistical
def test_a_directory_whose_name_the_locale_cannot_show(tmp_path):
    name = tmp_path / 'zażółć'
    ascii_alone = {'LC_ALL': 'C', 'PYTHONUTF8': 0, 'PYTHONCOERCECLOCALE': 0}
    assert run((*A, f'--output_dir={name}'), **ascii_alone)[0] == 0
    assert written(name) == FILES
    assert run(('-m', 'reproductions', 'explore', name), **ascii_alone)[0] == 0 and (name / 'explore.html').exists()


@pytest.mark.statistical
def test_the_home_directory_is_expanded_in_every_path_flag(tmp_path):
    (tmp_path / 'home').mkdir()
    for flag in ('--output_dir=~/no/file', '--export=~/no/file', '--anim_path=~/no/file.gif'):
        (tmp_path / 'home' / 'no').write_text('', encoding='utf-8')
        status, _, error = run((*A, flag), tmp_path, HOME=tmp_path / 'home')
        assert status == 2 and str(tmp_path / 'home' / 'no') in error and error.count('\n') == 1
    assert [path.name for path in tmp_path.iterdir()] == ['home']


@pytest.mark.parametrize('name', ['output_dir', 'export', 'replay', 'anim_path'])
def test_addresses_and_unknown_homes_are_refused(name, tmp_path):
    for value, message in (
        ('gs://b/m', 'is an address; name a path on this machine'),
        ('file:///tmp/a', 'is an address; name a path on this machine'),
        ('~nobody-here/a', '~nobody-here has no home directory; name a path without ~'),
    ):
        status, _, error = run((*A, f'--{name}={value}'), tmp_path)
        assert (status, error.count('\n')) == (2, 1) and error.startswith(f'error: --{name}={value}') and message in error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('words', [('aylien', '--help'), ('report', '--help'), ('--help',), ('list',)])
def test_without_docstrings_the_help_is_the_same(words):
    plain, stripped = (run(('-m', 'reproductions', *words), flags=flags) for flags in ((), ('-OO',)))
    assert plain == stripped and plain[0] == 0 and len(plain[1]) > 200


@pytest.mark.statistical
def test_a_run_without_docstrings_and_assertions(tmp_path):
    assert run((*A, f'--output_dir={tmp_path}'), flags=('-OO',))[0] == 0
    assert written(tmp_path) == FILES


# --- Keras and the home directory ---------------------------------------------------------------------------------------------

M = ('-m', 'reproductions.mnist', '--num_steps=20', '--eval_every=20')


@pytest.mark.statistical
def test_settings_of_keras_and_a_missing_home_change_no_number(few, tmp_path):
    """One note, before the classifier is trained, says that it cannot be kept; none of the commands writes a keras.json."""
    (tmp_path / 'keras').mkdir()
    broken = {'floatx': 'float16', 'epsilon': 0.1, 'image_data_format': 'channels_first', 'backend': 'jax'}
    environments = {
        'plain': {'HOME': tmp_path / 'home'},
        'keras.json': {
            'HOME': tmp_path / 'home',
            'KERAS_HOME': tmp_path / 'keras',
            'TF_USE_LEGACY_KERAS': 1,
            'KERAS_MAX_EPOCHS': 1,
        },
        'no home': {'HOME': '/proc/none', 'KERAS_BACKEND': 'jax'},
    }
    (tmp_path / 'keras' / 'keras.json').write_text(json.dumps(broken), encoding='utf-8')
    (tmp_path / 'home').mkdir()
    for name, environment in environments.items():
        command = (*M, f'--data={few}', f'--output_dir={tmp_path / name}')
        status, _, error = run(command, XDG_CACHE_HOME=None, MPLCONFIGDIR=tmp_path, **environment)
        assert status == 0 and 'Traceback' not in error
        assert error.count('trained now and in every run') == (name == 'no home')
        assert error.count('the classifier recognizes only') == 1
        if name != 'no home':
            (tmp_path / 'home' / '.cache' / 'gan-tutorials').rename(tmp_path / f'cache {name}')
    for name in ('results.csv', 'history.npz'):
        contents = {(tmp_path / each / name).read_bytes() for each in environments}
        assert len(contents) == 1
    assert not (tmp_path / 'home' / '.keras').exists()


@pytest.mark.statistical
def test_a_broken_keras_json_or_another_back_end_stops_no_post(tmp_path):
    (tmp_path / 'keras.json').write_text('[]', encoding='utf-8')
    for number, environment in enumerate(({'KERAS_HOME': tmp_path}, {'KERAS_BACKEND': 'nonsense'})):
        status, _, error = run((*A, f'--output_dir={tmp_path / str(number)}'), **environment)
        assert (status, error) == (0, '')
