"""Fixtures of the tests of bad files."""

import pytest
from helpers.damage import UNPACKED

from common.storage import files


@pytest.fixture
def small_archives(monkeypatch):
    assert files.MOST_BYTES == 2**30
    monkeypatch.setattr(files, 'MOST_BYTES', UNPACKED)
