"""Tables in Markdown."""

from collections.abc import Iterable, Sequence
from typing import Any


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table with a line for each row of texts and numbers; it ends with a newline."""
    lines = [' | '.join(map(str, row)) for row in (head, *rows)]
    return f'| {lines[0]} |\n|{"---|" * len(head)}\n' + ''.join(f'| {line} |\n' for line in lines[1:])
