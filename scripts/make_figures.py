"""Regenerates the figures and tables of the posts, with the numbers behind each, in figures/ and in the pages that show them.

python scripts/make_figures.py                               everything
python scripts/make_figures.py --post=aylien --runs=200      one post, with smaller ensembles
python scripts/make_figures.py --post=aylien --only=claims   one part of it
python scripts/make_figures.py --redraw                      redraws every picture from the numbers beside it, without training

figures/README.md and figures/manifest.json list which file reproduces which figure, and what makes it.
"""

import argparse
import sys
from collections.abc import Iterator

from checkout import ROOT
from PIL import Image
from tqdm import tqdm

from common import markdown
from common.storage import files
from reproductions import contract
from reproductions.remedies import gallery as remedies

POSTS = {name: contract.part(name, 'gallery') for name in contract.NAMES} | {'remedies': remedies}
FIGURES = ROOT / 'figures'


def fill_in(post, out):
    """Puts the tables of a directory between their markers in docs/results.md and the page of the same name."""
    for page in (ROOT / 'docs' / 'results.md', ROOT / 'docs' / f'{post}.md'):
        text = page.read_text(encoding='utf-8')
        for table in sorted(out.glob('*.md')):
            start, end = f'<!-- {post}/{table.stem} -->\n', f'<!-- /{post}/{table.stem} -->'
            if start in text:
                before, after = text.split(start)[0], text.split(end)[1]
                text = before + start + table.read_text(encoding='utf-8') + end + after
        files.write_text(page, text)


def manifest():
    """One row per picture in figures/, as plain text and lists: what it shows, what makes it and what it is drawn from."""
    return [
        {
            'post': post,
            'file': f'{post}/{name}',
            'shows': picture.shows,
            'in_the_post': picture.in_post,
            'command': f'python scripts/make_figures.py --post={post} --only={picture.part}',
            'data': [f'{post}/{name.rpartition(".")[0]}.npz'],
        }
        for post, module in POSTS.items()
        for name, picture in module.PICTURES.items()
    ]


def drawn_with():
    """The versions of matplotlib named in the committed PNGs, sorted."""
    named = set()
    for path in FIGURES.glob('*/*.png'):
        with Image.open(path) as image:
            named.add(image.info.get('Software', 'unknown').partition(',')[0].removeprefix('Matplotlib version'))
    return sorted(named)


def write_manifest():
    """figures/manifest.json, and the same as a table in figures/README.md."""
    rows = manifest()
    files.write_json(FIGURES / 'manifest.json', {'matplotlib': drawn_with(), 'pictures': rows})
    lines = [
        '# The figures',
        '',
        'Written by `scripts/make_figures.py`, as is [manifest.json](manifest.json). Each picture is drawn from the numbers',
        'beside it and from nothing else, so `python scripts/make_figures.py --redraw` draws them all again without training.',
    ]
    for post in POSTS:
        lines += ['', f'## [{post}](../docs/{post}.md)', '']
        pictures = []
        for row in rows:
            if row['post'] == post:
                shows = row['shows'] if row['in_the_post'] else f'(not in the post) {row["shows"]}'
                links = [f'[{name.partition("/")[2]}]({name})' for name in (row['file'], *row['data'])]
                pictures.append([shows, links[0], f'`{row["command"]}`', ', '.join(links[1:])])
        lines.append(markdown.table(['figure of the post', 'file', 'command', 'drawn from'], pictures).removesuffix('\n'))
    files.write_text(FIGURES / 'README.md', '\n'.join(lines) + '\n')


def redraw(names, only, figures=FIGURES):
    """Redraws the pictures of some posts, or of one part of them, from the numbers beside them in `figures`."""
    chosen = [
        (figures / post / name, picture.draw)
        for post in names
        for name, picture in POSTS[post].PICTURES.items()
        if only in (None, picture.part)
    ]
    with tqdm(chosen, unit=' pictures', file=sys.stderr) as bar:
        for path, draw in bar:
            bar.set_description(f'drawing {path.parent.name}/{path.name}')
            drawn = draw(path)
            for _ in drawn if isinstance(drawn, Iterator) else ():  # an animation yields its frames
                pass


def main():
    parts = '; '.join(f'{post}: {", ".join(module.PARTS)}' for post, module in POSTS.items())
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--post', choices=POSTS, help='make only this post')
    parser.add_argument('--runs', type=int, default=1000, help='seeds per ensemble (default 1000)')
    parser.add_argument('--only', help=f'make only this part ({parts})')
    parser.add_argument('--redraw', action='store_true', help='only redraw the pictures, from the numbers beside them')
    arguments = parser.parse_args()
    names = [arguments.post] if arguments.post else list(POSTS)
    for post in names:
        if arguments.only and arguments.only not in POSTS[post].PARTS:
            parser.error(f'--only={arguments.only} is not a part of {post}; parts are {parts}')
    if arguments.redraw:
        redraw(names, arguments.only)
        write_manifest()
        return
    for post in names:
        out = FIGURES / post
        out.mkdir(parents=True, exist_ok=True)
        for name in [arguments.only] if arguments.only else POSTS[post].PARTS:
            POSTS[post].PARTS[name].run(out, arguments.runs)
        fill_in(post, out)
    write_manifest()


if __name__ == '__main__':
    main()
