"""Every post keeps `reproductions.contract`; nothing else lists the posts; a toy post shows what a sixth takes."""

import ast
import inspect
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from helpers.completeness import incomplete
from helpers.paths import ROOT

from common.evaluation import outcomes
from common.nn.random import Stream
from common.program import flags
from reproductions import contract, declaration

SIGNATURES = {
    'generator': ['settings', 'g', 'z'],
    'discriminator': ['settings', 'd', 'x'],
    'noise': ['settings', 'seeds', 'stream', 'step'],
    'make_experiment': ['settings'],
    'judge': ['settings'],
}


def required(function):
    """Names of the parameters without a default."""
    return [p.name for p in inspect.signature(function).parameters.values() if p.default is p.empty]


def names_of(folder):
    """The posts of a checkout: folders with a `gan.py`."""
    return sorted(path.parent.name for path in (folder / 'reproductions').glob('*/gan.py'))


def test_the_names_are_the_folders():
    assert sorted(contract.NAMES) == names_of(ROOT)


@pytest.mark.parametrize('name', contract.NAMES)
def test_a_post_keeps_the_contract(name):
    post, parts = contract.post(name), {which: contract.part(name, which) for which in contract.PARTS}
    assert {function: required(getattr(parts['gan'], function)) for function in SIGNATURES} == SIGNATURES
    assert required(parts['figures'].draw) == ['run'] and required(parts['figures'].seen) == ['settings', 'seeds', 'd', 'g']
    assert required(post.settings.checked) == ['settings', 'given'] and post.name == name
    settings = post.settings.make_settings()
    assert settings.variant == next(iter(post.settings.VARIANTS))  # the first is the default, and the post's
    assert post.settings.VARIANTS[settings.variant] == {}
    assert {'batch_size', 'd_steps', 'g_steps', 'learning_rate', 'remedies'} <= set(settings._fields)
    assert settings.default_steps > 0
    assert all(isinstance(flag, flags.Flag) and flag.text.endswith('.') for flag in post.flags)
    opts = flags.define((*post.flags, *flags.COMMON))
    assert opts['variant'].default == settings.variant and opts['seed'].default is not None
    assert declaration.settings_of(post, flags.given((*post.flags, *flags.COMMON), {})) == settings
    comparison, gallery = parts['comparison'], parts['gallery']
    assert comparison.CASES and all(isinstance(case, contract.Case) and case.post == name for case in comparison.CASES)
    assert all(isinstance(case, contract.Speed) and case.post == name for case in contract.speeds_of(name))
    jobs = comparison.jobs(100, 'bundled')
    assert 'claims' in [job.name for job in jobs] and {job.post for job in jobs} == {name}
    assert gallery.PICTURES and {picture.part for picture in gallery.PICTURES.values()} <= set(gallery.PARTS)
    assert required(parts['replay'].replay_trace) == ['path'] and parts['claims'].__doc__


@pytest.mark.parametrize('name', contract.NAMES)
def test_a_post_is_complete(name):
    assert incomplete(name, ROOT) == []


def test_what_a_post_lacks_is_listed(tmp_path, monkeypatch):
    """Of a post that is entered and has a folder, but nothing else."""
    for path in ('setup.cfg', 'README.md', 'mkdocs.yml', 'reproductions/reference/suite/claims.json', 'figures/manifest.json'):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / path).read_text(encoding='utf-8')
        (tmp_path / path).write_text(text.replace('aylien', 'another'), encoding='utf-8')
    assert len(incomplete('aylien', tmp_path)) == 9
    monkeypatch.setattr(contract, 'post', lambda name: contract.part(name, '__main__').POST._replace(no_trace='lost'))
    assert len(incomplete('aylien', tmp_path)) == 8


@pytest.mark.parametrize('name', contract.NAMES)
def test_networks_accept_noise_and_data(name):
    """G takes the noise, D takes G's output, and runs come first in both: [2, features, batch]."""
    gan = contract.part(name, 'gan')
    settings, seeds = contract.post(name).settings.make_settings(), tf.constant([3, 4], tf.uint32)
    d, g = inspect.unwrap(gan.make_experiment)(settings).init(seeds)
    z = gan.noise(settings, seeds, Stream.NOISE_D, 0)
    made = gan.generator(settings, g, z)
    decided = gan.discriminator(settings, d, made)
    assert z.shape[0] == made.shape[0] == decided.shape[0] == 2 and z.shape[2] == made.shape[2] == settings.batch_size
    assert decided.shape[1] == 1 and 0 <= float(tf.reduce_min(decided)) <= float(tf.reduce_max(decided)) <= 1


QUICK = {'batch_size': 6, 'pretrain_steps': 0, 'd_steps': 1, 'g_steps': 1, 'hidden_sizes': (3,)}  # as far as a post has them


@pytest.mark.parametrize('name', [name for name in contract.NAMES if name != 'mnist'])  # whose evaluation trains a classifier
def test_train_many_returns_an_ensemble(name):
    gan = contract.part(name, 'gan')
    make_settings = contract.post(name).settings.make_settings
    fields = make_settings()._fields
    settings = make_settings(**{field: value for field, value in QUICK.items() if field in fields})
    found = outcomes.train_many(gan, settings, 5, 2, num_steps=3, every=1)
    assert isinstance(found, outcomes.Ensemble) and found.table['seed'].tolist() == [5, 6]
    assert {'finite', 'success', contract.post(name).columns.distance, 'loss_d', 'loss_g'} <= set(found.table)
    assert found.history['step'].tolist()[:3] == [0, 1, 2] and int(found.train_state.step) == 3


def test_settings_and_flags_need_no_tensorflow():
    """So that --help, list and wrong flags answer at once."""
    code = 'import importlib, sys\n' + '\n'.join(
        f"importlib.import_module('reproductions.{name}.{which}')"
        for name in contract.NAMES
        for which in ('settings', '__main__')
    )
    code += '\nimport reproductions.__main__, reproductions.report.command'
    code += "\nprint({'tensorflow', 'scipy', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == 'set()'


# --- A sixth post -------------------------------------------------------------------------------------------------------------

EDITED = {  # existing files that a sixth post changes, besides its own folder, page, test, data and figures
    'reproductions/contract.py': "'mnist')\n",  # its name
    'setup.cfg': 'reproductions.mnist\n',  # its package
    'README.md': None,  # its row
    'docs/results.md': None,  # its table of outcomes
    'reproductions/reference/suite/claims.json': None,  # the accepted verdicts
    'figures/manifest.json': None,  # both written by make_figures.py
    'figures/README.md': None,
}


def lists_of_posts(path):
    """The lists, tuples, sets and dictionaries of a Python file that name three or more posts, as sets of names."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        items = node.keys if isinstance(node, ast.Dict) else getattr(node, 'elts', [])
        named = {item.value for item in items if isinstance(item, ast.Constant)} & set(contract.NAMES)
        found += [named] if len(named) > 2 else []
    return found


def imports_of_posts(path):
    """The posts whose modules a Python file imports."""
    nodes = ast.walk(ast.parse(path.read_text(encoding='utf-8')))
    modules = [node.module or '' for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name for name in contract.NAMES for module in modules if module.startswith(f'reproductions.{name}')}


def test_nothing_but_the_contract_lists_the_posts():
    paths = [path for folder in ('common', 'reproductions', 'scripts', 'tests') for path in (ROOT / folder).rglob('*.py')]
    listed = {path.name: lists_of_posts(path) for path in paths if path.parent.name != 'baselines'}  # a program per post
    assert {name: found for name, found in listed.items() if found} == {'contract.py': [set(contract.NAMES)]}
    of_a_post = [ROOT / 'reproductions' / name for name in contract.NAMES]
    shared = [path for path in paths if path.is_relative_to(ROOT / 'common') or path.is_relative_to(ROOT / 'reproductions')]
    shared = [path for path in shared if not any(path.is_relative_to(folder) for folder in of_a_post)]
    assert len(shared) > 70 and [path.name for path in shared if imports_of_posts(path)] == []


TOY = """
import json
from common.program import cli
from reproductions import __main__ as suite
from reproductions import contract, declaration

status = [cli.call(suite.main, ['reproductions', 'list'])]
status.append(cli.call(suite.main, ['reproductions', 'toy', '--num_steps=30', '--pretrain_steps=5']))

from reproductions import accepted_numbers
from reproductions.report import jobs

counts = len(accepted_numbers.of('toy')), sum(job.post == 'toy' for job in jobs.make_jobs(100, 'auto'))
print(json.dumps({'status': status, 'last': contract.NAMES[-1], 'counts': counts}))
"""


def copy_aylien_as_toy(directory):
    """Copies the suite to a directory, with Aylien's folder once more as a post named toy, entered in contract.py."""
    for folder in ('common', 'reproductions', 'docs'):
        shutil.copytree(ROOT / folder, directory / folder, ignore=shutil.ignore_patterns('__pycache__', 'mnist10k.npz'))
    shutil.copytree(directory / 'reproductions/aylien', directory / 'reproductions/toy')
    for path in (directory / 'reproductions/toy').glob('*.py'):
        text = path.read_text(encoding='utf-8')
        text = text.replace('reproductions.aylien', 'reproductions.toy').replace("'aylien'", "'toy'")
        path.write_text(text, encoding='utf-8')
    shutil.copy(ROOT / 'docs/aylien.md', directory / 'docs/toy.md')
    names = directory / 'reproductions/contract.py'
    text = names.read_text(encoding='utf-8')
    assert text.count(EDITED['reproductions/contract.py']) == 1
    names.write_text(text.replace("'mnist')\n", "'mnist', 'toy')\n"), encoding='utf-8')
    claims = directory / 'reproductions/reference/suite/claims.json'
    recorded = json.loads(claims.read_text(encoding='utf-8'))
    claims.write_text(json.dumps(recorded | {'toy': recorded['aylien']}), encoding='utf-8')


@pytest.mark.statistical
def test_a_toy_post_is_one_folder_and_two_edited_modules(tmp_path):
    """A copy of Aylien's folder under another name, entered in contract.py and setup.cfg, is a post like the others."""
    assert len(EDITED) <= 7 and all((ROOT / name).exists() for name in EDITED)
    copy_aylien_as_toy(tmp_path)
    done = subprocess.run([sys.executable, '-c', TOY], capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert 'toy         2016-08, 2016-12, 2017-06            3 reproduced, 2 partly' in done.stdout
    assert 'files in output/toy/' in done.stdout
    table = np.genfromtxt(tmp_path / 'output/toy/results.csv', delimiter=',', names=True)
    assert table['seed'] == 42 and table['finite'] == 1
    assert json.loads(done.stdout.splitlines()[-1]) == {'status': [0, 0], 'last': 'toy', 'counts': [6, 4]}
