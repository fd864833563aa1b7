"""The checker of a built site, which CI runs: what it finds on a page that loads a file from elsewhere, or links to nothing."""

import sys

from helpers.paths import ROOT

sys.path.insert(0, str(ROOT / 'scripts'))

import check_site


def test_what_is_wrong_with_a_site(tmp_path):
    (tmp_path / 'posts').mkdir()
    (tmp_path / 'style.css').write_text('', encoding='utf-8')
    (tmp_path / 'index.html').write_text(
        '<link rel="canonical" href="https://example.org/"><link rel="stylesheet" href="style.css">'
        '<script src="https://unpkg.com/shim"></script><img src="data:,"><a href="https://example.org">there</a>',
        encoding='utf-8',
    )
    (tmp_path / 'posts/jang.html').write_text(
        '<link rel="stylesheet" href="../style.css"><a href="#top"></a><a href="../index.html#a"></a><a href="/style.css"></a>'
        '<a href="map%20a.npz">numbers</a>',
        encoding='utf-8',
    )
    assert check_site.faults(tmp_path) == [
        f'{tmp_path}/index.html: loads https://unpkg.com/shim',
        f'{tmp_path}/posts/jang.html: map%20a.npz leads nowhere',
    ]
    (tmp_path / 'posts/map a.npz').write_text('', encoding='utf-8')
    assert len(check_site.faults(tmp_path)) == 1
