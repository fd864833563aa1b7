"""Any command line either runs or ends with one line and status 2: random command lines of each post's own flags."""

import collections
import contextlib
import io
import os
import resource
import shutil
import tracemalloc

import numpy as np
import pytest
from helpers.paths import trace_of
from helpers.post_checks import call, flags_of
from hypothesis import example, given, settings
from hypothesis import strategies as st

from common import data_parallel, training
from common.program import checks, cli, flags
from common.storage import files
from reproductions import contract, declaration
from reproductions.devnag import replay as devnag_replay
from reproductions.mnist import dataset
from reproductions.mnist import gan as mnist

# --- Command lines ------------------------------------------------------------------------------------------------------------

EDGES = {
    'integer': [-1, 0, 1, 2, 3, 99, 100, 10_000, 10_001, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63, 10**30, 10**5000],
    'float': ['0', '-0.0', '-1', 'nan', 'inf', '-inf', '1e400', '1e-400', '1e308', '1e-308', '5e-324', '3.5e38', '1e38',
              '1e-38', '1e-46', '1e16', '0.9999999999999999', '1', '0.5', '4'],
    'path': ['.', 'out', 'out/below', './', '~', 'a b', 'ü', '模式', 'x.gif', 'x.mp4', 'none/x.gif', 'file', 'file/below',
             'dir.gif', '/dev/null', '/dev/null/x', '/dev/zero', '/proc/nothing', '/dev/full', 'fifo', 'x' * 300,
             'out/' + 'x' * 300, 'none/' + 'x' * 300, 'x' * 250 + '.gif', 'x/' * 3000, 'auto', 'bundled', 'bundled',
             'none.npz', 'a\nb', 'trace', 'run'],
}  # fmt: skip
TEXT = st.text(max_size=12) | st.text('0123456789+-._e,=x \n', max_size=8) | st.sampled_from(['\0', 'a\0b', '\udc80', '٣'])


def as_text(number):
    """A number of any length as a word of a command line."""
    return str(number) if abs(number) < 10**4000 else '1' + '0' * 5000


INTEGERS = st.integers(1, 12) | st.integers(1, 3000) | st.sampled_from(EDGES['integer'])
FLOATS = st.floats(0.01, 8).map(str) | st.floats(0.01, 0.9).map(str) | st.sampled_from(EDGES['float']) | st.floats().map(str)
PATHS = st.sampled_from(EDGES['path']) | TEXT.map(lambda text: text.replace('/', '_')).filter(lambda text: text != '..')


def plausible(flag):
    """Values of a flag's own type, as text, edge cases included."""
    kind = type(flag.parser).__name__
    if kind == 'EnumParser':
        return st.sampled_from([value for value in flag.parser.enum_values if value != 'multiworker'])
    if kind == 'ListParser':
        return st.lists(INTEGERS.map(as_text) | FLOATS, max_size=4).map(','.join) | st.just(','.join(['1'] * 5000))
    if kind == 'BooleanParser':
        return st.sampled_from(['true', 'false', '1', '0', 'True'])
    return {'IntegerParser': INTEGERS.map(as_text), 'FloatParser': FLOATS, 'ArgumentParser': PATHS}[kind]


def used(post, opts):
    """Names of the flags that the post's default variant uses; it refuses the others, whatever their value."""
    found = []
    for name in opts:
        value = 'true' if opts[name].boolean else 1 if opts[name].value is None else opts[name].value
        try:
            declaration.settings_of(post.POST, flags.parse(post.POST.flags, ['', f'--{name}={value}'], post.__file__))
        except cli.UserError as error:
            if 'would change nothing' in str(error) or 'is not defined here' in str(error):
                continue
        found.append(name)
    return found


@st.composite
def arguments(draw, opts, usual):
    """One flag as it is spelled on a command line, mostly one of the usual ones with a value of its own type."""
    name = draw(st.sampled_from(usual if draw(st.integers(0, 2)) else sorted(opts)))
    value = draw(plausible(opts[name]) if draw(st.integers(0, 9)) else TEXT)
    dashed = name.replace('_', '-')
    spellings = [[f'--{name}={value}']] * 6 + [[f'--{name}', value], [f'-{name}={value}'], [f'--{dashed}={value}']]
    if opts[name].boolean:
        spellings += [[f'--{name}'], [f'--no{name}']] * 3 + [[f'--no{name}={value}']]
    return draw(st.sampled_from(spellings))


STRAY = st.sampled_from(
    ['--', '-', '--=', '--no', '---', '--flagfile=file', '--flagfile=none', '--flagfile=fifo', '--undefok=x', '--undefok',
     '--runs', '--flagfile', '--data', '-v', '--run=1', '--helpx', '--help', '']
) | TEXT.map('--'.__add__) | TEXT  # fmt: skip


@st.composite
def command_lines(draw, opts, usual):
    """Up to five flags, some of them repeated, and sometimes a word that is not a flag."""
    words = [word for flag in draw(st.lists(arguments(opts, usual), max_size=5)) for word in flag]
    return words if draw(st.integers(0, 9)) else [*words, draw(STRAY)]


# --- What must happen ---------------------------------------------------------------------------------------------------------


class Started(Exception):
    """Everything was accepted, and training would start."""


def start(experiment, strategy, seeds, num_steps, every, *args, **kwargs):
    """Replaces `training.train`: does what it does before its first step, except the weights."""
    training.record_steps(experiment.pretrain_steps, every)
    training.record_steps(num_steps, every, experiment.early)
    raise Started


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A directory to work in, with files of all kinds; training raises Started; no classifier and no network is used."""
    (tmp_path / 'file').write_bytes(b'\xff\0 no flags')
    (tmp_path / 'dir.gif').mkdir()
    (tmp_path / 'run' / 'checkpoint').mkdir(parents=True)
    (tmp_path / 'run' / 'checkpoint' / 'state-000000.npz').write_bytes(b'PK\x03\x04 no checkpoint')
    os.mkfifo(tmp_path / 'fifo')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(training, 'train', start)
    monkeypatch.setattr(data_parallel, 'train', start)
    monkeypatch.setattr(checks, 'machine_memory', lambda: 2**28)
    monkeypatch.setattr(devnag_replay, 'retrain', lambda *args: start(*[None] * 5))
    bundle = dataset.bundled()
    monkeypatch.setattr(dataset, 'bundled', lambda: bundle)
    monkeypatch.setattr(dataset, '_keras_file', lambda: ('mnist.npz', 'no network'))
    monkeypatch.setattr(mnist, 'judge', lambda *args: None)
    return tmp_path


def outcome(post, words, message=''):
    """'started', 'finished', 'helped' or 'refused'; fails if it is none of these, or if the output is not as it should be."""
    out, error = (io.TextIOWrapper(io.BytesIO(), 'utf-8') for _ in range(2))  # as strict as a terminal
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            status = cli.call(post.main, [post.__name__, *words])
    except Started:
        return 'started'
    except SystemExit as ended:
        assert ended.code == 0
        return 'helped'
    error.flush()
    lines = error.buffer.getvalue().decode().splitlines()
    lines = [line for line in lines if not line.startswith('note: ')]  # about digits that are not as published
    if status == 0:
        assert not lines
        return 'finished'
    assert status == 2 and len(lines) == 1 and lines[0].startswith('error: '), (status, lines)
    assert message in lines[0] and len(lines[0]) < 1100
    return 'refused'


@pytest.mark.parametrize(
    'name', [contract.NAMES[0], *(pytest.param(name, marks=pytest.mark.statistical) for name in contract.NAMES[1:])]
)
def test_any_command_line_runs_or_ends_with_one_line(name, workspace):
    post, seen, named = contract.part(name, '__main__'), collections.Counter(), set()
    opts = flags_of(post)
    usual = used(post, opts)
    (workspace / 'trace').write_bytes(trace_of(name).read_bytes())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    @given(command_lines(opts, usual))
    def check(words):
        seen[outcome(post, words)] += 1
        named.update(name for name in opts for word in words if word.partition('=')[0].lstrip('-') in (name, f'no{name}'))

    for flag in usual:  # which flags the random ones have depends on what else the process has imported
        check = example([f'--{flag}=1'])(check)
    check()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**20  # KiB
    assert seen.total() >= 500 and min(seen['started'], seen['refused']) > seen.total() / 10, seen
    assert set(usual) <= named and len(usual) > 25


@pytest.mark.parametrize(
    ('post', 'words', 'line'),
    [
        ('aylien', ['--replay=x.npz', '--runs=3'], '--runs would change nothing beside --replay; leave it out'),
        ('jang', ['--replay=x.npz', '--animation'], '--animation would change nothing beside --replay; leave it out'),
        ('devnag', ['--replay=x.npz', '--record_networks=3'], '--record_networks would change nothing beside --replay'),
        ('mnist', ['--replay=x.npz', '--resume'], '--resume would change nothing beside --replay; leave it out'),
        ('multimodal', ['--replay=x.npz', '--seed=3'], '--seed would change nothing beside --replay; leave it out'),
        ('aylien', ['--replay=x.npz', '--num_steps=3'], '--num_steps cannot be given beside --replay: the trace says how'),
        ('aylien', ['--claims', '--minibatch'], '--minibatch would change nothing beside --claims; leave it out'),
        ('devnag', ['--claims', '--animation'], '--animation would change nothing beside --claims; leave it out'),
        ('jang', ['--claims', '--resume'], '--resume would change nothing beside --claims; leave it out'),
    ],
)
def test_what_would_change_nothing_is_refused(post, words, line, tmp_path, capsys):
    assert call(contract.part(post, '__main__'), *words, f'--output_dir={tmp_path}') == 2
    assert f'error: {line}' in capsys.readouterr().err and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('name', 'words', 'message'),
    [
        ('aylien', ['--noanimation=true'], 'does not take an argument'),
        ('aylien', ['--flagfile=file'], 'is not a flag'),
        ('aylien', ['--undefok=x', '--x=1'], 'is not a flag'),
        ('aylien', ['--output_dir=a\0b'], 'is not text'),
        ('aylien', ['--output_dir=\ud800'], 'is not text'),
        ('aylien', ['--output_dir='], 'without a value'),
        ('aylien', ['--replay='], 'without a value'),
        ('aylien', ['--output_dir=none\nthere', '--resume'], r'no directory none\nthere; run'),
        ('aylien', ['--resume', f'--output_dir={"x" * 300}'], 'cannot be written to (File name too long)'),
        ('aylien', [f'--export=none/{"x" * 300}'], 'cannot be written (File name too long)'),
        ('aylien', ['--export=/proc/nothing'], 'cannot be written'),
        ('aylien', [f'--anim_path={"x" * 250}.gif'], 'cannot be written (File name too long)'),
        ('aylien', ['--anim_path=dir.gif'], 'is a directory'),
        ('aylien', ['--anim_path=/proc/x.gif'], 'cannot be written'),
        ('aylien', [f'--d_hidden_sizes={"1" * 5000}'], 'positive whole numbers'),
        ('aylien', [f'--d_hidden_sizes={",".join(["8"] * 21)}'], 'up to 20'),
        ('aylien', ['--minibatch', '--d_hidden_sizes=4'], 'two or more'),
        ('aylien', [f'--log_every=1{"0" * 30}'], '--log_every'),
        ('aylien', ['--pretrain_steps=2147483648'], '--pretrain_steps'),
        ('aylien', ['--logical_devices=1000000000'], '--logical_devices'),
        ('aylien', ['--sigma=1e300'], 'from 1e-09 to 1e+30'),
        ('aylien', ['--mu=1e300'], 'from -1e+30 to 1e+30'),
        ('aylien', ['--mu=-1e9', '--sigma=1'], 'lost in rounding'),
        ('aylien', ['--claims', '--seed=4294967295'], 'seeds end at'),
        ('aylien', ['--claims', '--runs=1000000000'], '100,000 or fewer'),
        ('jang', ['--claims', f'--seed={2**32 - 500}', '--runs=200'], 'seeds end at'),  # J2 uses five times as many
        ('multimodal', ['--means=0', '--deviations=1e-9'], '--deviations=1e-09'),
        ('multimodal', [f'--means={",".join(str(i / 20 - 3) for i in range(101))}', '--deviations=0.001'], '100 or fewer'),
        ('multimodal', ['--noise_range=1e300'], '--noise_range'),
        ('devnag', ['--d_steps=1000000000000'], '--d_steps'),
        ('devnag', ['--d_steps=10000', '--num_steps=1000000'], 'can be counted'),
        ('mnist', [f'--data={"x" * 300}'], 'File name too long'),
        ('mnist', ['--data=few.npz'], 'too few digits'),
        ('mnist', ['--data=fifo'], 'is no file'),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_earlier_findings(name, words, message, workspace):
    images = np.full((2, 28, 28), 255, np.uint8)
    np.savez('few.npz', x_train=images, y_train=[0, 1], x_test=images[:1], y_test=[0])
    assert outcome(contract.part(name, '__main__'), words, message) == 'refused'


# --- Settings that need too much memory ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('name', 'words'),
    [
        *((name, ['--runs=1000000000']) for name in contract.NAMES),
        ('aylien', ['--hidden_size=1000000000']),
        ('aylien', ['--d_hidden_sizes=8,999999999,8']),
        ('aylien', ['--minibatch', '--batch_size=10000', '--runs=100']),
        ('aylien', ['--num_steps=2147483647', '--log_every=1']),
        ('aylien', ['--pretrain_steps=2147483647', '--log_every=1']),
        ('multimodal', ['--runs=1000000', '--hidden_sizes=1000,1000']),
        ('multimodal', ['--minibatch', '--batch_size=10000', '--runs=100']),
        ('jang', ['--hidden_sizes=100000,100000']),
        ('jang', ['--hidden_sizes=100000', '--runs=500']),  # its surfaces over the grid
        ('jang', ['--batch_size=1000000000']),
        ('jang', ['--num_steps=2147483647']),
        ('devnag', ['--num_steps=100000000', '--runs=100']),
    ],
)
def test_what_needs_too_much_memory_is_refused(name, words, workspace, monkeypatch, capsys):
    """With one line that names flag, value and remedy, and before a thousandth of it is allocated."""
    monkeypatch.setattr(checks, 'machine_memory', lambda: 2**34)
    tracemalloc.start()
    try:
        assert cli.call(contract.part(name, '__main__').main, [name, *words]) == 2
        assert tracemalloc.get_traced_memory()[1] < 2**26
    finally:
        tracemalloc.stop()
    error = capsys.readouterr().err.removeprefix('note: no MNIST at mnist.npz and none from the network (no network): using '
                                                 'the bundled 10,000 digits\n')  # fmt: skip
    assert error.startswith('error: --') and error.count('\n') == 1
    assert all(word in error for word in words if word != '--minibatch') and 'GiB of memory' in error and 'smaller' in error


@pytest.mark.parametrize(
    ('name', 'words'),
    [
        *((name, ['--runs=10000']) for name in contract.NAMES if name != 'mnist'),
        ('mnist', ['--runs=64']),
        ('jang', ['--variant=2015-12', '--runs=2000']),
        ('aylien', ['--num_steps=10000000']),
    ],
)
def test_large_ensembles_are_not_refused(name, words, workspace, monkeypatch):
    """On a machine with 8 GiB: the check refuses only what could not run."""
    monkeypatch.setattr(checks, 'machine_memory', lambda: 2**33)
    assert outcome(contract.part(name, '__main__'), words) == 'started'


def test_this_machine_has_memory():
    assert 2**28 < checks.machine_memory() < 2**50


# --- Actual training ----------------------------------------------------------------------------------------------------------

SMALL = {
    'IntegerParser': st.integers(1, 6).map(str),
    'FloatParser': st.sampled_from(['0.5', '0.5', '0.01', '4', '1e-9', '1e30', '1e-6', '1e6', '0']),
    'BooleanParser': st.sampled_from(['true', 'false']),
    'ListParser': st.lists(st.integers(1, 6), min_size=1, max_size=3, unique=True).map(lambda s: ','.join(map(str, s))),
}


@st.composite
def small_command_lines(draw, opts):
    """Training of a few steps for one or two small runs, with edge cases of the other flags."""
    words = [f'--num_steps={draw(st.integers(1, 3))}', f'--runs={draw(st.integers(1, 2))}']
    words += ['--output_dir=out', '--strategy=cpu']
    left_out = {'claims', 'replay', 'resume', 'logical_devices', 'export_seed', 'data', 'pretrain_steps'}
    left_out |= {word.partition('=')[0].removeprefix('--') for word in words}
    words += ['--pretrain_steps=2'] if 'pretrain_steps' in opts else []
    for name in draw(st.sets(st.sampled_from(sorted(set(opts) - left_out)), min_size=3, max_size=8)):
        flag, kind = opts[name], type(opts[name].parser).__name__
        values = st.sampled_from(flag.parser.enum_values) if kind == 'EnumParser' else SMALL.get(kind, st.just(f'{name}.gif'))
        words.append(f'--{name}={draw(values)}')
    return words


@pytest.mark.statistical
@pytest.mark.parametrize('name', contract.NAMES)
def test_any_small_training_succeeds(name, tmp_path, monkeypatch):
    """What is accepted can be trained, measured and drawn to the end: two command lines per post, with nothing replaced."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    post, statuses = contract.part(name, '__main__'), collections.Counter()
    rng = np.random.default_rng(0)
    digits = {f'{axis}_{part}': values for part, count in (('train', 60), ('test', 20)) for axis, values in (
        ('x', rng.integers(0, 256, (count, 28, 28), np.uint8)), ('y', np.arange(count) % 10))}  # fmt: skip
    np.savez('digits.npz', **digits)

    @settings(max_examples=2)
    @given(small_command_lines(flags_of(post)))
    def check(words):
        for path in ('out', 'export.gif'):
            shutil.rmtree(path, ignore_errors=True)
        status = outcome(post, words + ['--data=digits.npz'] * (name == 'mnist'))
        statuses[status] += 1
        if status == 'finished':
            table = files.read_csv('out/results.csv')
            assert len(table['seed']) == int(words[1].removeprefix('--runs=')) and set(table['finite']) <= {0, 1}

    check()
    assert statuses['finished'] >= 1, statuses
