"""Pages say what was measured, and their links lead somewhere."""

import json
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    links = [link for link in re.findall(r'\]\(([^)]+)\)', page.read_text()) if '://' not in link]
    assert links
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_pages_hold_the_tables_that_were_measured():
    measured = ROOT / 'figures' / 'aylien'
    assert (measured / 'claims.md').read_text() in (ROOT / 'docs' / 'aylien.md').read_text()
    for page in ('README.md', 'docs/aylien.md'):
        assert (measured / 'outcomes.md').read_text() in (ROOT / page).read_text()
    claims = json.loads((measured / 'claims.json').read_text())
    assert [claim['claim'] for claim in claims] == ['A1', 'A2', 'A3', 'A4', 'A5']


def test_every_figure_has_its_numbers_beside_it():
    pictures = [path for path in (ROOT / 'figures').rglob('*') if path.suffix in ('.png', '.gif')]
    assert len(pictures) == 7
    assert [path.name for path in pictures if not path.with_suffix('.npz').exists()] == []
