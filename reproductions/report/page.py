"""The report as one self-contained HTML file with embedded figures."""

import base64
import importlib.resources
import mimetypes
import pathlib
from typing import Any

import jinja2
import markdown_it
import markupsafe

from common.storage import files

SYMBOLS = {'reproduced': '✓', 'partly': '◐', 'not reproduced': '✗', 'cannot be tested': '–'}  # never by color alone


def number(value: float | None) -> str:
    """A number to three digits, thousands as whole numbers with commas; 'none' for None."""
    if value is None:
        return 'none'
    return f'{value:,.0f}' if 1000 <= abs(value) < 1e6 else f'{value:.3g}'


def estimate(found: dict[str, float]) -> str:
    """A number of claims.json with its interval."""
    return f'{number(found["value"])} [{number(found["low"])}, {number(found["high"])}]'


def summary(found: dict[str, float] | None) -> str:
    """A share, or median and quartiles, from `contents.compared`; '' for None."""
    if found is None:
        return ''
    if 'share' in found:
        return f'{found["share"]:.1%}'
    return f'{number(found["median"])} ({number(found["low"])} to {number(found["high"])})'


def markdown(text: str) -> str:
    """Markdown as HTML; any HTML in it is escaped."""
    return markupsafe.Markup(markdown_it.MarkdownIt('commonmark', {'html': False}).render(text))


def data_uri(path: pathlib.Path) -> str:
    """A picture as a data URI."""
    kind, _ = mimetypes.guess_type(path.name)
    return f'data:{kind};base64,{base64.b64encode(path.read_bytes()).decode("ascii")}'


def render(directory: pathlib.Path, report: dict[str, Any]) -> str:
    """Renders the page as HTML.

    Args:
      directory: the report's directory, which contains the figures.
      report: the result of `contents.collect`, with `runs`.
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        'number': number, 'estimate': estimate, 'summary': summary, 'markdown': markdown,
        'data_uri': lambda file: data_uri(directory / file),
    }  # fmt: skip
    source = (importlib.resources.files('reproductions.report') / 'page.html').read_text(encoding='utf-8')
    claims = [claim | {'post': post['post']} for post in report['posts'] for claim in post['claims']]
    counts = {verdict: sum(claim['verdict'] == verdict for claim in claims) for verdict in SYMBOLS}
    return environment.from_string(source).render(report=report, claims=claims, counts=counts, symbols=SYMBOLS)


def write(directory: pathlib.Path, report: dict[str, Any]) -> None:
    """Writes directory/index.html."""
    files.write_text(directory / 'index.html', render(directory, report))
