"""A sixth post, in the plane: the skeleton for contributors, entered in a copy of the suite, works with every command."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from helpers.paths import ROOT

from common.storage import files

COMMANDS = [
    ['corners', '--runs=3', '--num_steps=60', '--record_networks=2', '--output_dir=many'],
    ['corners', '--num_steps=60', '--animation', '--output_dir=one'],
    ['explore', 'many'],
    [
        'sweep',
        'corners',
        '--vary=noise_range=0.5,1',
        '--vary=hidden_size=8,16',
        '--runs=2',
        '--num_steps=20',
        '--output_dir=swept',
    ],
    ['explore', 'swept'],
]  # fmt: skip
RUN = """
import json, sys
from common.program import cli
from reproductions import __main__ as suite
print(json.dumps([cli.call(suite.main, ['reproductions', *words]) for words in json.loads(sys.argv[1])]))
"""


@pytest.fixture(scope='module')
def suite(tmp_path_factory):
    """A copy of the suite with the skeleton as a post, in which `COMMANDS` have run."""
    directory = tmp_path_factory.mktemp('suite')
    for folder in ('common', 'reproductions'):
        shutil.copytree(ROOT / folder, directory / folder, ignore=shutil.ignore_patterns('__pycache__', 'mnist10k.npz'))
    shutil.copytree(ROOT / 'tests/skeleton', directory / 'reproductions/corners', ignore=shutil.ignore_patterns('__pycache__'))
    names = directory / 'reproductions/contract.py'
    names.write_text(names.read_text(encoding='utf-8').replace("'mnist')\n", "'mnist', 'corners')\n"), encoding='utf-8')
    command = [sys.executable, '-c', RUN, json.dumps(COMMANDS)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=directory, timeout=500)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == [0] * len(COMMANDS), done.stderr[-2000:]
    return directory, done.stdout


@pytest.mark.statistical
def test_the_skeleton_is_trained_judged_and_drawn(suite):
    directory, printed = suite
    table = files.read_csv(directory / 'many/results.csv')
    assert table['seed'].tolist() == [0, 1, 2] and (table['finite'] == 1).all() and (table['success'] == 0).all()
    assert {'sliced_wasserstein', 'modes_covered', 'between_mass', 'd_mean', 'loss_d', 'loss_g'} <= set(table)
    assert 0.1 < table['sliced_wasserstein'].min() < table['sliced_wasserstein'].max() < 2
    assert (directory / 'many/ensemble.png').exists() and (directory / 'one/figure.png').exists()
    assert files.read_npz(directory / 'one/animation.npz')['samples'].shape[1:] == (1000, 2)
    assert 'over finite runs' in printed and 'modes_covered' in printed and 'seed 0: not converged' in printed


@pytest.mark.statistical
def test_it_is_explored_and_swept(suite):
    directory, _ = suite
    page = (directory / 'many/explore.html').read_text(encoding='utf-8')
    assert page.count('data:image/png;base64,') == 3 and '["modes_covered","sliced_wasserstein"]' in page
    cells = files.read_csv(directory / 'swept/sweep.csv')
    assert cells['runs'].tolist() == [2] * 4 and np.isfinite(cells['sliced_wasserstein_median']).all()
    assert (directory / 'swept/map.png').exists() and (directory / 'swept/explore.html').exists()
