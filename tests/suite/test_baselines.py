"""The programs that scripts/benchmark.py compares the suite with still run."""

import json
import subprocess
import sys

import pytest
from helpers.paths import ROOT

from reproductions import contract

FIRST_PARTY = 'session_loop.py', 'keras_loop.py'  # the others need frameworks that may not be installed
COMMANDS = sorted({
    command
    for name in contract.NAMES
    for speed in contract.speeds_of(name)
    for command in (speed.baseline, *speed.others)
    if command[0].endswith(FIRST_PARTY)
})  # fmt: skip


@pytest.mark.statistical
@pytest.mark.parametrize('command', COMMANDS, ids=' '.join)
def test_a_baseline_runs_and_prints_its_speed(command):
    script, *flags = command
    done = subprocess.run(
        [sys.executable, ROOT / 'scripts' / script, *flags, '--steps=20'], capture_output=True, text=True, encoding='utf-8'
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert 0 < json.loads(done.stdout.splitlines()[-1])['steps_per_second'] < 1e6
