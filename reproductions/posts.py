"""The five posts: their names, their pages in words, and the verdicts that were accepted for their claims."""

import importlib
import importlib.resources
import json
import pathlib
import re

NAMES = ('aylien', 'multimodal', 'jang', 'devnag', 'mnist')


def part(name, which):
    """A part of a post, imported: reproductions.<name>.<which>, of which 'gan', '__main__', 'figures', 'claims', 'replay' and
    'gallery' are there for every post."""
    return importlib.import_module(f'reproductions.{name}.{which}')


def page(name):
    """The text of docs/<name>.md, in Markdown, from a checkout or from the installed package."""
    checkout = pathlib.Path(__file__).parent.parent / 'docs' / f'{name}.md'
    if checkout.exists():
        return checkout.read_text()
    return (importlib.resources.files('reproductions.pages') / f'{name}.md').read_text()


def page_parts(name):
    """{'title', 'paragraph', 'departures'} of a post's page: its heading, what stands below it, and the numbered list; Markdown
    but for the links, which lead into a checkout."""
    text = re.sub(r'!?\[([^]]*)\]\([^)]*\)', r'\1', page(name))
    title, paragraph, *_ = text.split('\n\n')
    section = text.split('\n## Departures\n')[1].split('\n## ')[0]
    return {'title': title.removeprefix('# '), 'paragraph': paragraph, 'departures': section[section.index('\n1. ') :].strip()}


def recorded_claims():
    """The accepted measurement of every claim of every post: {post: list as in claims.json}."""
    path = importlib.resources.files('reproductions.reference.suite') / 'claims.json'
    return json.loads(path.read_text())
