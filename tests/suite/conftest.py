"""Fixtures of several modules: of bad files, and of the explorer."""

import pytest
from helpers.damage import UNPACKED
from helpers.post_checks import call

from common.storage import files
from reproductions.aylien import __main__ as aylien_main

SHORT = ('--num_steps=40', '--pretrain_steps=0', '--log_every=5', '--runs=6', '--seed=30')  # of `recorded`


@pytest.fixture
def small_archives(monkeypatch):
    assert files.MOST_BYTES == 2**30
    monkeypatch.setattr(files, 'MOST_BYTES', UNPACKED)


@pytest.fixture(scope='module')
def recorded(tmp_path_factory):
    """The directory of six seeds whose networks are kept at four moments."""
    directory = tmp_path_factory.mktemp('recorded')
    assert call(aylien_main, *SHORT, '--record_networks=4', f'--output_dir={directory}') == 0
    return directory
