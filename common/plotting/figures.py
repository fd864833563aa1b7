"""Figures, each drawn from numbers that are saved beside it.

A function that draws a figure takes only its path and reads the .npz of the same stem, which holds everything that the figure
shows, including title and labels. So every figure can be redrawn without training.
"""

import contextlib
import pathlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from common.storage import files

COLORS = '#0072B2', '#D55E00', '#009E73', '#666666'  # Okabe and Ito's color-blind-safe set
BLUE, ORANGE, GREEN, GREY = COLORS
PINK = '#CC79A7'  # of the same set
# Green lines are dashed: some people cannot tell this green from the blue or from grey.
STYLE = {
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.titlesize': 11,
    'axes.grid': True,
    'axes.axisbelow': True,  # keeps the grid behind dots and bands
    'grid.color': '#e5e5e5',
    'legend.edgecolor': 'none',
    'legend.fancybox': False,
    'legend.framealpha': 0.85,  # a curve shows through the legend, whose text stays legible
    'font.size': 9.5,
    'lines.linewidth': 1.6,
}
FRAMES_PER_SECOND = 30


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Inside the block matplotlib draws from its own defaults and `STYLE`, whatever the user's settings are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


class Bins(NamedTuple):
    """The bins of a post's histograms."""

    edges: np.ndarray  # [bins + 1]
    places: np.ndarray  # [bins], x at which their heights are plotted, mostly bin centers


def density(samples: np.ndarray, bins: Bins) -> np.ndarray:
    """A histogram [n] -> [bins], normalized over the samples in range; all 0 if there are none."""
    counts = np.histogram(samples[np.isfinite(samples)], bins.edges)[0]
    return counts / (max(counts.sum(), 1) * np.diff(bins.edges))


def write(path: pathlib.Path, draw: Callable, arrays: dict[str, Any]) -> Figure | Iterator:
    """Saves the numbers of a figure beside it and returns `draw(path)`. Raises files.CannotWrite.

    Args:
      path: of the figure.
      draw: path -> the figure; for an animation a generator that draws one frame per step.
      arrays: {name: array, number or text}.
    """
    files.write_npz(path.with_suffix('.npz'), arrays)
    return draw(path)


def numbers(path: pathlib.Path) -> dict[str, Any]:
    """{name: array} of the .npz beside a figure; scalars and texts as Python values. Raises files.BadArchive."""
    arrays = files.read_npz(path.with_suffix('.npz'))
    return {name: value.item() if value.ndim == 0 else value for name, value in arrays.items()}


def save(figure: Figure, path: pathlib.Path) -> Figure:
    """Writes a figure under a temporary name, then renames it; returns the figure. Raises files.CannotWrite."""
    with files.replacing(path) as temporary:
        figure.savefig(temporary, dpi=120)
    return figure


def draw_distributions(
    axes: Axes, decision: np.ndarray, real: np.ndarray, generated: np.ndarray, grid: np.ndarray, centers: np.ndarray
) -> list[Line2D]:
    """Plots D's surface and the two densities, as in the Aylien post. Returns the three lines.

    Args:
      axes: to plot on.
      decision: D at `grid`, [points].
      real: density of the data, [bins].
      generated: density of G's samples, [bins].
      grid: [points].
      centers: of the bins, [bins].
    """
    lines = [
        axes.plot(grid, decision, color=GREEN, linestyle='--', label='decision boundary')[0],
        axes.plot(centers, real, color=BLUE, label='real data')[0],
        axes.plot(centers, generated, color=ORANGE, label='generated data')[0],
    ]
    axes.set(xlabel='Data values', ylabel='Probability density')
    return lines


def distributions(path: pathlib.Path) -> Figure:
    """The post's figure of final distributions. Numbers: `title`, and those of `draw_distributions`."""
    n = numbers(path)
    grid, real, generated = n['grid'], n['real'], n['generated']
    with style():
        figure = Figure(figsize=(6.4, 4.4), layout='constrained')
        axes = figure.subplots()
        draw_distributions(axes, n['decision'], real, generated, grid, n['places'])
        top = max(1.0, 1.05 * real.max(), 1.05 * min(generated.max(), 3))
        axes.set(title=n['title'], xlim=(grid[0], grid[-1]), ylim=(0, top))
        figure.legend(loc='outside lower center', ncols=3)  # a mode may be anywhere in the axes
        return save(figure, path)


def data(path: pathlib.Path) -> Figure:
    """The data's density, as in the posts. Numbers: `title`, `real` [bins], and the bin centers `places` [bins]."""
    n = numbers(path)
    with style():
        figure = Figure(figsize=(6.4, 3.6), layout='constrained')
        axes = figure.subplots()
        axes.plot(n['places'], n['real'], color=BLUE)
        labels = {'title': n['title'], 'xlabel': 'Data values', 'ylabel': 'Probability density'}
        axes.set(**labels, xlim=n['places'][[0, -1]], ylim=(0, None))
        return save(figure, path)


@contextlib.contextmanager
def filming(
    path: pathlib.Path, size: tuple[float, float], frames_per_second: int = FRAMES_PER_SECOND
) -> Iterator[tuple[Axes, Any]]:
    """Yields (axes, writer) of an animation of `size` in inches: MP4 if the path ends in .mp4 (needs ffmpeg), else GIF.

    `writer.grab_frame()` adds a frame from the axes. An animation that is interrupted leaves no file.
    """
    from matplotlib.animation import FFMpegWriter, PillowWriter

    with style(), files.replacing(path) as temporary:
        writer = (FFMpegWriter if path.suffix == '.mp4' else PillowWriter)(fps=frames_per_second)
        figure = Figure(figsize=size, layout='constrained')
        axes = figure.subplots()
        with writer.saving(figure, temporary, dpi=90):
            yield axes, writer


def animation(path: pathlib.Path) -> Iterator[int]:
    """Animates training, one frame per record; yields the step of each frame once it is drawn.

    Numbers:
      title: text.
      step: [frames].
      decision: D on the grid, [frames, points].
      real: density of the data, [bins].
      generated: densities of G's samples, [frames, bins].
      grid: [points].
      places: bin centers, [bins].
      shown: limits of the axes: left, right, top.
    """
    n = numbers(path)
    left, right, top = n['shown']
    with filming(path, (5.2, 3.6)) as (axes, writer):
        lines = draw_distributions(axes, n['decision'][0], n['real'], n['generated'][0], n['grid'], n['places'])
        axes.set(xlim=(left, right), ylim=(0, top))
        axes.figure.legend(loc='outside lower center', ncols=3, fontsize=8.5)
        for step, decision, generated in zip(n['step'], n['decision'], n['generated'], strict=True):
            lines[0].set_ydata(decision)
            lines[2].set_ydata(generated)
            axes.set_title(f'{n["title"]}, step {step:,}')
            writer.grab_frame()
            yield step


BANDS = (0.05, 0.25, 0.5, 0.75, 0.95)  # quantiles over seeds


def draw_bands(axes: Axes, steps: np.ndarray, levels: np.ndarray) -> None:
    """Plots quantiles over seeds against the step: steps [records], levels [len(BANDS), records]."""
    axes.fill_between(steps, levels[0], levels[4], color=BLUE, alpha=0.15, linewidth=0, label='5-95 % of seeds')
    axes.fill_between(steps, levels[1], levels[3], color=BLUE, alpha=0.3, linewidth=0, label='25-75 %')
    axes.plot(steps, levels[2], color=BLUE, label='median')


BELOW = {'loc': 'upper center', 'bbox_to_anchor': (0.5, -0.15), 'ncols': 2, 'fontsize': 8.5}  # puts a legend under its axes


def ensemble(path: pathlib.Path) -> Figure:
    """The spread over seeds: outcomes, distance during training, and the best, median and worst generated distribution.

    Numbers:
      title: text.
      mean, std, finite, success: [runs], as in results.csv.
      step: [records]; absent if there are no records or every run diverged, like `wasserstein`.
      wasserstein: quantiles over the finite runs, [len(BANDS), records].
      labels: [examples], text; the generated density [bins] of each is stored under its label.
      real: density of the data, [bins].
      places: bin centers, [bins].
      truth: mean and std of the data.
    """
    n = numbers(path)
    finite, success = n['finite'] == 1, n['success'] == 1
    with style():
        figure = Figure(figsize=(12, 4.6), layout='constrained')
        figure.suptitle(n['title'])
        left, middle, right = figure.subplots(1, 3)
        for chosen, color, label in ((finite & ~success, GREY, 'not converged'), (success, BLUE, 'success')):
            left.scatter(
                n['mean'][chosen], n['std'][chosen], s=12, color=color, alpha=0.5, linewidth=0,
                label=f'{label}: {chosen.sum():,}',
            )  # fmt: skip
        left.plot(*n['truth'], '+', color=ORANGE, markersize=11, markeredgewidth=2, linewidth=0, label='data')
        left.plot([], [], linewidth=0, label=f'not finite (not drawn): {(~finite).sum():,}')
        if np.abs(n['mean'][finite]).max(initial=0) > 20:
            left.set_xscale('symlog', linthresh=10)
        left.set(title='Generated mean and std, one dot per seed', xlabel='mean', ylabel='std', yscale='log')
        middle.set(title='Wasserstein distance to the data', xlabel='step', yscale='log')
        if 'wasserstein' in n:
            draw_bands(middle, n['step'], n['wasserstein'])
        right.fill_between(n['places'], n['real'], color=GREY, alpha=0.25, linewidth=0, label='data')
        for label, (color, dashes) in zip(n['labels'], ((BLUE, '-'), (GREEN, '--'), (ORANGE, '-')), strict=False):
            right.plot(n['places'], n[label], color=color, linestyle=dashes, label=label)
        right.set(title='Densities, by distance to the data', xlabel='Data values', ylabel='Probability density', ylim=(0, 2.5))
        for axes in (left, middle, right):  # below, since inside its markers look like data
            if axes.get_legend_handles_labels()[0]:
                axes.legend(**BELOW)
        return save(figure, path)
