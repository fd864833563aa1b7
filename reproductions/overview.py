"""What is installed about the posts: their pages and the recorded verdicts on their claims."""

import importlib.resources
import json
import pathlib
import re
from typing import NamedTuple

from common.program.flags import COMMON
from reproductions import contract


def page(name: str) -> str:
    """The text of docs/<name>.md, in Markdown, from a checkout or from the installed package."""
    checkout = pathlib.Path(__file__).parent.parent / 'docs' / f'{name}.md'
    if checkout.exists():
        return checkout.read_text(encoding='utf-8')
    return (importlib.resources.files('reproductions.pages') / f'{name}.md').read_text(encoding='utf-8')


def page_parts(name: str) -> dict[str, str]:
    """{'title', 'paragraph', 'departures'} of a post's page: its heading, the first paragraph and the numbered
    list, as Markdown without links, which only work in a checkout."""
    text = without_links(page(name))
    title, paragraph, *_ = text.split('\n\n')
    section = text.split('\n## Departures\n')[1].split('\n## ')[0]
    return {'title': title.removeprefix('# '), 'paragraph': paragraph, 'departures': section[section.index('\n1. ') :].strip()}


def without_links(text: str) -> str:
    """Markdown without the links that only work in a checkout."""
    return re.sub(r'!?\[([^]]*)\]\([^)]*\)', r'\1', text)


def recorded_claims() -> dict[str, list[dict]]:
    """The accepted measurement of every claim of every post: {post: list as in claims.json}."""
    path = importlib.resources.files('reproductions.reference.suite') / 'claims.json'
    return json.loads(path.read_text(encoding='utf-8'))


class Post(NamedTuple):
    """A post in `reproductions.posts`."""

    name: str
    title: str
    variants: tuple[str, ...]  # the first is the default
    flags: tuple[str, ...]  # keyword arguments of `reproductions.train`
    verdicts: dict[str, str]  # {claim: recorded verdict}


def posts() -> dict[str, Post]:
    """The posts, {name: `Post`}: title, variants, flags and recorded verdicts, without TensorFlow.

    Examples:
      >>> import reproductions
      >>> list(reproductions.posts()), reproductions.posts()['aylien'].variants
      (['aylien', 'multimodal', 'jang', 'devnag', 'mnist'], ('2016-08', '2016-12', '2017-06'))
    """
    found = {}
    for name, claims in recorded_claims().items():
        names = tuple(flag.name for flag in (*contract.post(name).flags, *COMMON))
        verdicts = {claim['claim']: claim['verdict'] for claim in claims}
        found[name] = Post(name, page_parts(name)['title'], tuple(contract.part(name, 'settings').VARIANTS), names, verdicts)
    return found
