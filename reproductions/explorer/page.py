"""The explorer as one self-contained HTML file: template, style, script, D3 and the numbers."""

import importlib.resources
import json
import pathlib
from typing import Any

import jinja2

from common.storage import directories, files

NAME = 'explore.html'


def write(path: pathlib.Path, found: dict[str, Any]) -> pathlib.Path:
    """Writes the page of what `contents.of` has found; returns its path. Raises files.CannotWrite."""
    files.write_text(path, render(found))
    return path


def write_into(directory: pathlib.Path, found: dict[str, Any]) -> pathlib.Path:
    """Writes the page into the directory that it is about, whose next command removes it; returns its path."""
    path = write(directory / NAME, found)
    directories.add(directory, NAME)
    return path


def render(found: dict[str, Any]) -> str:
    """The page as HTML."""
    folder = importlib.resources.files('reproductions.explorer')
    parts = {name: (folder / name).read_text(encoding='utf-8') for name in ('page.css', 'page.js', 'd3.min.js', 'D3-LICENSE')}
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(
        (folder / 'page.html').read_text(encoding='utf-8')
    )
    numbers = json.dumps(files.finite(found), separators=(',', ':'), allow_nan=False).replace('<', '\\u003c')  # no tag ends it
    return template.render(
        title=found['title'], numbers=numbers, style=parts['page.css'], script=parts['page.js'], d3=parts['d3.min.js'],
        licence=parts['D3-LICENSE'].replace('*/', '* /'),
    )  # fmt: skip
