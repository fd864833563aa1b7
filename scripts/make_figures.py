"""Regenerates the figures and tables of the posts, with the numbers behind each, into figures/ and the pages that show them.

python scripts/make_figures.py                               everything
python scripts/make_figures.py --post=aylien --runs=200      one post, with smaller ensembles
python scripts/make_figures.py --post=aylien --only=claims   one part of it
"""

import argparse

import aylien_figures
import devnag_figures
import jang_figures
import mnist_figures
import multimodal_figures
from parts import ROOT

from common import results

POSTS = {
    'aylien': aylien_figures.PARTS,
    'multimodal': multimodal_figures.PARTS,
    'jang': jang_figures.PARTS,
    'devnag': devnag_figures.PARTS,
    'mnist': mnist_figures.PARTS,
}


def fill_in(post, out):
    """Puts the tables of a post's directory between their marks in the README and the post's page."""
    for page in (ROOT / 'README.md', ROOT / 'docs' / f'{post}.md'):
        text = page.read_text()
        for table in sorted(out.glob('*.md')):
            start, end = f'<!-- {post}/{table.stem} -->\n', f'<!-- /{post}/{table.stem} -->'
            if start in text:
                before, after = text.split(start)[0], text.split(end)[1]
                text = before + start + table.read_text() + end + after
        results.write_text(page, text)


def main():
    parts = '; '.join(f'{post}: {", ".join(names)}' for post, names in POSTS.items())
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--post', choices=POSTS, help='make only this post')
    parser.add_argument('--runs', type=int, default=1000, help='seeds of an ensemble (default 1000)')
    parser.add_argument('--only', help=f'make only this part ({parts})')
    arguments = parser.parse_args()
    for post in [arguments.post] if arguments.post else POSTS:
        if arguments.only and arguments.only not in POSTS[post]:
            parser.error(f'--only={arguments.only} is no part of {post}; parts are {parts}')
        out = ROOT / 'figures' / post
        out.mkdir(parents=True, exist_ok=True)
        for name in [arguments.only] if arguments.only else POSTS[post]:
            POSTS[post][name](arguments.runs, out)
        fill_in(post, out)


if __name__ == '__main__':
    main()
