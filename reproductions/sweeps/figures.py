"""The map of a sweep: how often a post succeeds, setting by setting."""

import pathlib
import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from common.plotting import figures
from reproductions.sweeps import vary
from reproductions.sweeps.plan import Outcome, Plan

COLORS = 'cividis'  # reads alike with and without color vision, and in grey
LARGEST_PANEL = 12  # inches
EXPERIMENT = ('variant', 'minibatch', 'modes', 'seed', 'num_steps', 'data')  # flags that choose among a post's own experiments
PERCENT = PercentFormatter(1)  # shares as in the titles
LETTERS = 11  # of a title in an inch


def arrays_of(plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """What the map shows, for sweep.npz: per --vary its name, values and axis; per cell, in the order of the plan, its numbers.

    Numbers of a cell that is not done are NaN.
    """
    found = {
        'title': f'{plan.post.name}: success of {plan.opts.runs} seeds in each cell',
        'names': [one.name for one in plan.varied],
        'geometric': [one.geometric for one in plan.varied],
        'published': [vary.shown(value) for value in plan.published],
        'own': frame(plan),
    }
    for k, one in enumerate(plan.varied):
        found[f'values_{k}'] = [vary.shown(value) for value in one.values]
    distance, low, high = (f'{plan.post.columns.distance}_{name}' for name in ('median', 'q25', 'q75'))
    columns = {'success': 'success', 'low': 'success_low', 'high': 'success_high'}
    columns |= {'distance': distance, 'distance_low': low, 'distance_high': high}
    for name, column in columns.items():
        values = np.full(len(plan.cells), np.nan)
        values[outcome.done] = outcome.cells[column]
        found[f'cell_{name}'] = values.reshape([len(one.values) for one in plan.varied])
    return found | {'distance': plan.post.columns.title}


def frame(plan: Plan) -> str:
    """What the frame on a map says: where the post stands, or what is unchanged beside other flags."""
    if set(plan.given) - set(EXPERIMENT):
        return 'unchanged'
    return 'the post' if plan.post.published else 'our default'


def draw(path: pathlib.Path, data: pathlib.Path | None = None) -> Figure:
    """Draws a map: one varied name as curves, two as a map, three as a map per value.

    `data`: the .npz with the numbers of `arrays_of`; None: that of the same stem.
    """
    n = figures.numbers(data or path)
    with figures.style():
        figure = curves(n) if len(n['names']) == 1 else maps(n)
        return figures.save(figure, path)


def curves(n: dict[str, Any]) -> Figure:
    """Success with its interval over the quartiles of the distance, for one varied name."""
    figure = Figure(figsize=(6.4, 5.2), layout='constrained')
    above, below = figure.subplots(2, sharex=True, height_ratios=(3, 2))
    places, texts, scale = axis(n, 0)
    for axes, name, color in ((above, '', figures.BLUE), (below, 'distance_', figures.ORANGE)):
        middle = n['cell_distance'] if name else n['cell_success']
        axes.fill_between(places, n[f'cell_{name}low'], n[f'cell_{name}high'], color=color, alpha=0.2, linewidth=0)
        axes.plot(places, middle, 'o-', color=color)
    above.set(title=n['title'], ylabel='share of seeds that succeed', ylim=(-0.03, 1.03), xscale=scale)
    above.yaxis.set_major_formatter(PERCENT)
    below.set(ylabel=f'{n["distance"]}\n(median, quartiles)', xlabel=label(n['names'][0]), ylim=(0, None))
    if texts is not None:
        below.set_xticks(places, texts)
    own = where(n, 0)
    if own is not None:
        for axes in (above, below):
            axes.axvline(own, color=figures.GREY, linestyle=':', label=n['own'])
        above.legend(loc='best')
    return figure


def maps(n: dict[str, Any]) -> Figure:
    """Heat maps of the success rate with its numbers; the last varied name runs to the right, the one before it upwards.

    If no seed succeeds in any cell, they show the distance.
    """
    none = not np.nanmax(n['cell_success'], initial=0)
    values = n['cell_distance'] if none else n['cell_success']
    shares = values if len(n['names']) == 3 else values[None]
    up, right = len(n['names']) - 2, len(n['names']) - 1
    columns = min(len(shares), 3)
    rows = -(-len(shares) // columns)
    size = (min(LARGEST_PANEL, 1.2 + 0.62 * shares.shape[2]) * columns + 1, (1.3 + 0.36 * shares.shape[1]) * rows + 0.6)
    figure = Figure(figsize=(max(size[0], 5.5), max(size[1], 3)), layout='constrained')
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for i, axes in enumerate(panels):
        axes.set_axis_off() if i >= len(shares) else None
    for i, (axes, share) in enumerate(zip(panels, shares, strict=False)):
        image = heat_map(axes, share, n, up, right)
        if len(n['names']) == 3:
            own = f' ({n["own"]})' if n['values_0'][i] == n['published'][0] else ''
            axes.set_title(f'{label(n["names"][0])} {n["values_0"][i]}{own}')
    figure.suptitle(textwrap.fill(n['title'], int(LETTERS * figure.get_figwidth())), fontsize=11)
    text = f'no seed succeeds: median\n{n["distance"]}' if none else 'share of seeds that succeed'
    figure.colorbar(image, ax=panels.tolist(), label=text, shrink=0.9, format=None if none else PERCENT)
    return figure


def heat_map(axes: Axes, share: np.ndarray, n: dict[str, Any], up: int, right: int) -> Any:
    """One panel: share (or distance) [values of `up`, values of `right`]; the post's setting is framed, also between cells."""
    none = not np.nanmax(n['cell_success'], initial=0)
    most = np.nanmax(n['cell_distance']) if none else np.ceil(4 * np.nanmax(n['cell_success'])) / 4
    image = axes.imshow(share, cmap=f'{COLORS}_r' if none else COLORS, vmin=0, vmax=most, aspect='auto', origin='lower')
    for (i, j), value in np.ndenumerate(share):
        text = '' if np.isnan(value) else f'{value:.3g}' if none else f'{100 * value:.0f}'
        bright = (value > 0.55 * most) != none
        axes.text(j, i, text, ha='center', va='center', fontsize=8.5, color='black' if bright else 'white')
    axes.set_xticks(range(share.shape[1]), short(n[f'values_{right}']), rotation=0 if share.shape[1] < 9 else 45)
    axes.set_yticks(range(share.shape[0]), short(n[f'values_{up}']))
    axes.set(xlabel=label(n['names'][right]), ylabel=label(n['names'][up]))
    axes.grid(False)
    place = position(n, right), position(n, up)
    if None not in place:
        axes.plot(*place, 's', markersize=21, markerfacecolor='none', markeredgecolor=figures.ORANGE, markeredgewidth=2.2)
        box = {'facecolor': 'white', 'edgecolor': 'none', 'pad': 0.8, 'alpha': 0.85}
        given = {'xytext': (0, 13), 'textcoords': 'offset points', 'ha': 'center', 'fontsize': 8, 'weight': 'bold', 'bbox': box}
        axes.annotate(n['own'], place, color=figures.ORANGE, **given)
    return image


def axis(n: dict[str, Any], k: int) -> tuple[np.ndarray, list[str] | None, str]:
    """(places of the values, their texts where they are no numbers, scale) of the k-th varied name as a continuous axis."""
    texts = n[f'values_{k}'].tolist()
    numbers = vary.as_numbers(texts)
    if numbers.dtype.kind != 'f':
        return np.arange(len(texts)), texts, 'linear'
    return numbers, None, 'log' if n['geometric'][k] else 'linear'


def where(n: dict[str, Any], k: int) -> float | None:
    """Where the post stands on the continuous axis of the k-th varied name, None if nowhere."""
    texts, own = n[f'values_{k}'].tolist(), str(n['published'][k])
    numbers = vary.as_numbers([*texts, own])
    if numbers.dtype.kind == 'f':
        return float(numbers[-1])
    return float(texts.index(own)) if own in texts else None


def position(n: dict[str, Any], k: int) -> float | None:
    """Where the post stands among the cells of the k-th varied name: an index, or between two; None outside of them."""
    texts, own = n[f'values_{k}'].tolist(), str(n['published'][k])
    if own in texts:
        return float(texts.index(own))
    numbers = vary.as_numbers([*texts, own])
    if numbers.dtype.kind != 'f':
        return None
    places = np.log(numbers) if n['geometric'][k] and (numbers > 0).all() else numbers
    inside = places[:-1].min() <= places[-1] <= places[:-1].max() and (np.diff(places[:-1]) > 0).all()
    return float(np.interp(places[-1], places[:-1], np.arange(len(texts)))) if inside else None


def short(texts: np.ndarray) -> list[str]:
    """Values with at most three significant digits."""
    numbers = vary.as_numbers(texts.tolist())
    return [f'{number:.3g}' for number in numbers] if numbers.dtype.kind == 'f' else texts.tolist()


def label(name: str) -> str:
    """A flag's name in words."""
    words = name.replace('_', ' ').removesuffix(' true')
    return f'{words[0].upper()}{words[1:]}' if words[:2] in ('d ', 'g ') else words
