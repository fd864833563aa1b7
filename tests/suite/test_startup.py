"""Help, the list of posts and wrong input are answered at once: without importing TensorFlow."""

import json
import os
import resource
import subprocess
import sys

import pytest
from helpers.paths import ROOT

from reproductions import contract

ANSWER = """
import json
import sys

from common.program import cli
from reproductions import __main__ as suite

answers = []
for words in json.loads(sys.argv[1]):
    try:
        status = cli.call(suite.main, ['reproductions', *words])
    except SystemExit as ended:
        status = ended.code
    answers.append([' '.join(words), status, 'tensorflow' in sys.modules])
print(json.dumps(answers))
"""
GROUPS = {  # {group: (exit status, command lines)}
    'help': (0, [[], ['--help'], ['report', '--help'], *([name, '--help'] for name in contract.NAMES)]),
    'list': (0, [['list']]),
    'unknown flag': (2, [['nope'], ['list', '--all'], *([name, '--no_such_flag'] for name in ('report', *contract.NAMES))]),
    'impossible value': (
        2,
        [
            ['report', '--runs=99'],
            ['aylien', '--sigma=-1'],
            ['aylien', '--minibatch', '--batch_size=1'],
            ['jang', '--claims', '--runs=3'],
            ['devnag', '--batch_size=1'],
            ['multimodal', '--means=0,2'],
            ['mnist', '--beta1=1'],
            *([name, '--runs=1000000000'] for name in contract.NAMES),  # which no memory holds
        ],
    ),
}


@pytest.mark.parametrize('group', GROUPS)
def test_answers_need_no_tensorflow(group, tmp_path):
    status, lines = GROUPS[group]
    command = [sys.executable, '-c', ANSWER, json.dumps(lines)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=os.environ | {'PYTHONPATH': str(ROOT)})
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == [[' '.join(words), status, False] for words in lines]
    assert len(done.stderr.splitlines()) == (len(lines) if status else 0)  # one line for each error
    assert not list(tmp_path.iterdir())


def test_help_takes_little_cpu_time():
    """CPU time and not elapsed time, so that a busy machine does not make the test flaky."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, '-m', 'reproductions.aylien', '--help'], capture_output=True, check=True, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.5
