"""The figure of the remedies: posts by remedies, success against the published setting."""

import pathlib
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from common.plotting import figures
from reproductions import contract
from reproductions.remedies.plan import PUBLISHED, REMEDIES

BETTER, WORSE, SAME = '#1a7f5a', '#b3492d', '0.45'  # the markers of the first two point to where a remedy moves the post


def arrays_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The numbers of the figure: the columns of remedies.csv, and the titles of posts and remedies."""
    return {name: np.array([row[name] for row in rows]) for name in rows[0]} | {
        'columns': list(rows[0]),
        'posts': [post for post in contract.NAMES if post in {row['post'] for row in rows}],
        'names': [remedy.name for remedy in (PUBLISHED, *REMEDIES)],
        'titles': [remedy.title for remedy in (PUBLISHED, *REMEDIES)],
    }


def draw(path: pathlib.Path) -> Figure:
    """Draws remedies.png from the remedies.npz beside it."""
    n = figures.numbers(path)
    named = list(n['posts'])
    with figures.style():
        figure = Figure(figsize=(max(1.75 * len(named) + 1.8, 6.5), 5.2), layout='constrained')
        axes = figure.subplots(1, len(named), sharey=True, squeeze=False)[0]
        for one, post in zip(axes, named, strict=True):
            rows = n['post'] == post
            draw_post(one, post, {name: n[name][rows] for name in n['columns']}, list(n['names']))
        axes[0].set_yticks(range(len(n['titles'])), n['titles'])
        axes[0].invert_yaxis()
        figure.suptitle('What each remedy does to each post, at its best strength (95 % intervals)', fontsize=11)
        return figures.save(figure, path)


def draw_post(axes: Any, post: str, rows: dict[str, np.ndarray], names: list[str]) -> None:
    """One panel: the share of successes, or where no seed succeeds anywhere, the median distance."""
    shares = rows['success'].any()
    name, differs = ('success', 'success_differs') if shares else ('distance', 'distance_differs')
    scale = 100 if shares else 1
    value, low, high = (scale * rows[column] for column in (name, f'{name}_low', f'{name}_high'))
    first = list(rows['remedy']).index(PUBLISHED.name)
    axes.axvspan(low[first], high[first], color='0.9', lw=0)
    axes.axvline(value[first], color='0.6', lw=1)
    for row, remedy in enumerate(rows['remedy']):
        more = value[row] > value[first]
        color, marker = (BETTER if more == shares else WORSE, '>' if more else '<') if rows[differs][row] else (SAME, 'o')
        y = names.index(str(remedy))
        axes.plot([low[row], high[row]], [y, y], color=color, lw=2)
        axes.plot(value[row], y, marker, color=color, ms=6)
    axes.set_title(f'{post}\n{rows["runs"][0]:,} seeds', fontsize=10)
    axes.set_xlabel('seeds that succeed (%)' if shares else 'median Fréchet distance', fontsize=9)
    axes.tick_params(labelsize=9)
    axes.grid(axis='y', color='0.93')
    if shares:
        axes.set_xlim(-3, 103)
        axes.set_xticks([0, 25, 50, 75, 100])
