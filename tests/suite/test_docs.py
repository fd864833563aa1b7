"""Pages say what was measured, and their links lead to files."""

import json
import re

import pytest
from helpers.paths import ROOT

PAGES = [ROOT / 'README.md', ROOT / 'figures' / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page):
    links = [link for link in re.findall(r'\]\(([^)]+)\)', page.read_text(encoding='utf-8')) if '://' not in link]
    assert links
    for link in links:
        path, _, anchor = link.partition('#')
        target = page.parent / path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding='utf-8')), link


def anchors(text):
    """The anchors of a page's headings, as GitHub makes them."""
    return {
        re.sub(r'[^a-z0-9 -]', '', line.lstrip('# ').lower()).replace(' ', '-') for line in text.splitlines() if line[:1] == '#'
    }


@pytest.mark.parametrize(
    ('post', 'letter', 'count'),
    [('aylien', 'A', 5), ('jang', 'J', 7), ('devnag', 'N', 6), ('multimodal', 'M', 6), ('mnist', 'D', 3)],
)
def test_pages_hold_the_tables_that_were_measured(post, letter, count):
    measured, page = ROOT / 'figures' / post, (ROOT / 'docs' / f'{post}.md').read_text(encoding='utf-8')
    for table in measured.glob('*.md'):
        assert f'<!-- {post}/{table.stem} -->\n{table.read_text(encoding="utf-8")}<!-- /' in page
    results = (ROOT / 'docs' / 'results.md').read_text(encoding='utf-8')
    assert (measured / 'outcomes.md').read_text(encoding='utf-8') in results
    claims = json.loads((measured / 'claims.json').read_text(encoding='utf-8'))
    assert [claim['claim'] for claim in claims] == [f'{letter}{i + 1}' for i in range(count)]


@pytest.mark.parametrize(('post', 'count'), [('aylien', 13), ('jang', 14), ('devnag', 9), ('multimodal', 17), ('mnist', 43)])
def test_every_figure_has_its_numbers_beside_it(post, count):
    pictures = [path for path in (ROOT / 'figures' / post).iterdir() if path.suffix in ('.png', '.gif')]
    assert len(pictures) == count
    assert [path.name for path in pictures if not path.with_suffix('.npz').exists()] == []
