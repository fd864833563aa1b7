"""What is recorded about the software behind the numbers: versions, and the revision of the suite."""

import subprocess

import tensorflow as tf

import common
from common.storage import versions


def test_versions_name_what_numbers_depend_on():
    found = versions.versions()
    assert found['tensorflow'].startswith('2.') and found['python'].startswith('3.')
    assert found['keras'] == tf.keras.__version__


def test_the_revision_is_the_suites_own(tmp_path):
    """A checkout around an installed package is not the suite's."""
    git = ['git', '-c', 'user.name=a', '-c', 'user.email=a@b', '-C', str(tmp_path)]
    for command in (['init', '-q'], ['commit', '-q', '--allow-empty', '-m', 'x']):
        subprocess.run([*git, *command], check=True)
    (tmp_path / 'site-packages').mkdir()
    assert len(versions.git_revision(tmp_path)) >= 7
    assert versions.git_revision(tmp_path / 'site-packages') is None


def test_the_revision_is_that_of_the_folder_that_holds_the_packages(monkeypatch):
    """Wherever in the tree the function is: one folder too low, the revision would silently be None."""
    monkeypatch.setattr(versions, 'git_revision', lambda root: root)
    assert (versions.versions()['git_revision'] / 'common' / '__init__.py').samefile(common.__file__)
