"""Checks a built site: every file that its pages load is its own, and every link within it leads to a file.

python scripts/check_site.py build/site
"""

import html.parser
import pathlib
import sys
import urllib.parse

LOADED = {'script': 'src', 'img': 'src', 'iframe': 'src', 'source': 'src', 'link': 'href'}
NOT_LOADED = {'canonical', 'prev', 'next', 'alternate', 'edit'}  # relations of a <link> that is a mere reference


class Page(html.parser.HTMLParser):
    """Collects the addresses of a page: `loaded` with it, and `linked` from it."""

    def __init__(self):
        super().__init__()
        self.loaded, self.linked = [], []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == 'a':
            self.linked.append(given.get('href') or '')
        elif address := given.get(LOADED.get(tag, '')):
            (self.linked if NOT_LOADED & set((given.get('rel') or '').split()) else self.loaded).append(address)


def faults(site: pathlib.Path) -> list[str]:
    """A line for every file that is loaded from another host and for every link that leads nowhere."""
    found = []
    for path in sorted(site.rglob('*.html')):
        page = Page()
        page.feed(path.read_text(encoding='utf-8'))
        for address in (*page.loaded, *page.linked):
            parts = urllib.parse.urlsplit(address)
            if parts.scheme in ('data', 'mailto', 'javascript') or not (parts.netloc or parts.path):
                continue
            if parts.netloc:
                found += [f'{path}: loads {address}'] * (address in page.loaded)
            elif not ((site if parts.path[0] == '/' else path.parent) / urllib.parse.unquote(parts.path.lstrip('/'))).exists():
                found.append(f'{path}: {address} leads nowhere')
    return found


if __name__ == '__main__':
    lines = faults(pathlib.Path(sys.argv[1]))
    print('\n'.join(lines) or 'every file of the site is its own, and every link in it leads somewhere')
    sys.exit(bool(lines))
