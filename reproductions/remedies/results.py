"""The files of the remedies: table, figure, and the table as text."""

import csv
import math
import pathlib
from typing import Any

import numpy as np

from common import markdown
from common.storage import files
from reproductions import contract
from reproductions.remedies import figures
from reproductions.remedies.plan import PUBLISHED, REMEDIES, remedies_of, seeds_of

TEXTS = ('post', 'remedy', 'strength')  # columns of remedies.csv; the others are numbers
TITLES = {remedy.name: (remedy.title, remedy.flag) for remedy in (PUBLISHED, *REMEDIES)}


def write(directory: pathlib.Path, rows: list[dict[str, Any]]) -> None:
    """Writes remedies.csv, .npz, .png and .md. Raises files.CannotWrite."""
    files.write_csv(directory / 'remedies.csv', {name: [row[name] for row in rows] for name in rows[0]})
    files.write_npz(directory / 'remedies.npz', figures.arrays_of(rows))
    figures.draw(directory / 'remedies.png')
    files.write_text(directory / 'remedies.md', as_markdown(rows))


def read(directory: pathlib.Path, runs: int) -> dict[tuple[str, str], dict[str, Any]]:
    """{(post, remedy): row} of the remedies.csv that is there, without rows of other numbers of seeds than for --runs."""
    path, found = directory / 'remedies.csv', {}
    if not path.exists():
        return found
    with open(path, newline='', encoding='utf-8') as file:
        for row in csv.DictReader(file):
            row |= {name: float(value) for name, value in row.items() if name not in TEXTS} | {'runs': int(row['runs'])}
            if row['runs'] == seeds_of(row['post'], runs):
                found[row['post'], row['remedy']] = row
    return found


def in_order(table: dict[tuple[str, str], dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of {(post, remedy): row}, in the order of the table."""
    names = [(post, remedy.name) for post in contract.NAMES for remedy in remedies_of(post)]
    return [table[name] for name in names if name in table]


def as_markdown(rows: list[dict[str, Any]]) -> str:
    """The table as Markdown, one part per post; bold where Holm's procedure finds a difference from the published setting."""
    parts = []
    for post in dict.fromkeys(row['post'] for row in rows):
        own = [row for row in rows if row['post'] == post]
        covered = any(not math.isnan(row['covered']) for row in own)
        head = ['', 'flag', 'success', 'finite', 'median distance', *['modes covered'] * covered]
        parts.append(
            f'### {post}, {own[0]["runs"]:,} held-out seeds\n\n' + markdown.table(head, [cells_of(row, covered) for row in own])
        )
    return '\n'.join(parts)


def cells_of(row: dict[str, Any], covered: bool) -> list[str]:
    """A row of the table of a post."""
    title, flag = TITLES[row['remedy']]
    given = '' if not row['strength'] else f'`--{flag}`' if row['strength'] == 'true' else f'`--{flag}={row["strength"]}`'
    cells = [title, given, bold(percent(row, 'success'), row['success_differs']), percent(row, 'finite')]
    distance = '{:.3g} [{:.3g}, {:.3g}]'.format(*(row[name] for name in ('distance', 'distance_low', 'distance_high')))
    cells.append(bold(distance.replace('inf', '∞'), row['distance_differs']))
    return cells + [f'{row["covered"]:.2f}'] * covered


def percent(row: dict[str, Any], name: str) -> str:
    """A share with its interval, in percent."""
    return '{:.1f} % [{:.1f}, {:.1f}]'.format(*(100 * np.array([row[name], row[f'{name}_low'], row[f'{name}_high']])))


def bold(text: str, differs: int) -> str:
    """The text, in bold if it differs from the published setting."""
    return f'**{text}**' if differs else text
