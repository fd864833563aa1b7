"""Figures, each drawn from numbers that are saved beside it.

What draws a figure takes its path alone and reads the .npz of the same stem, which holds all that the picture shows, title and
labels included. So every figure can be drawn again without training anything.
"""

import contextlib
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from common.storage import files

BLUE, ORANGE, GREEN, GREY = '#0072B2', '#D55E00', '#009E73', '#666666'  # Okabe and Ito's colour-blind-safe set
# Green is drawn dashed: to some eyes it is as blue, to others as grey.
STYLE = {
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.titlesize': 11,
    'axes.grid': True,
    'axes.axisbelow': True,  # the grid, which else crosses dots and bands
    'grid.color': '#e5e5e5',
    'legend.edgecolor': 'none',
    'legend.fancybox': False,
    'legend.framealpha': 0.85,  # a curve behind a legend shows, and the words stay legible
    'font.size': 9.5,
    'lines.linewidth': 1.6,
}
FRAMES_PER_SECOND = 30


class Bins(NamedTuple):
    """The bins of a post's histograms, and where along the axis their heights are drawn."""

    edges: np.ndarray  # [bins + 1]
    places: np.ndarray  # [bins]


def density(samples, bins):
    """A histogram, normalised over the samples that are in range: [n] -> [bins]; zeros where none is."""
    counts = np.histogram(samples[np.isfinite(samples)], bins.edges)[0]
    return counts / (max(counts.sum(), 1) * np.diff(bins.edges))


def write(path, draw, arrays):
    """Saves the numbers of a figure beside it and draws it from them: `draw(path)`, which for a film is a generator of frames.

    Args:
      path: of the picture.
      draw: path -> None, or for a film a generator.
      arrays: {name: array, number or text}.
    """
    files.write_npz(path.with_suffix('.npz'), arrays)
    return draw(path)


def numbers(path):
    """{name: array} of the .npz beside a picture, single numbers and texts as such. Raises files.BadArchive."""
    arrays = files.read_npz(path.with_suffix('.npz'))
    return {name: value.item() if value.ndim == 0 else value for name, value in arrays.items()}


def save(figure, path):
    """Writes a figure under a temporary name, then renames it."""
    with files.replacing(path) as temporary:
        figure.savefig(temporary, dpi=120)


def draw_distributions(axes, decision, real, generated, grid, places):
    """D's surface and the two densities, as the Aylien post draws them. Returns the three lines.

    Args:
      axes: matplotlib axes.
      decision: D at `grid`, [points].
      real, generated: densities, [bins], drawn at `places`.
      grid: [points].
      places: [bins].
    """
    lines = [
        axes.plot(grid, decision, color=GREEN, linestyle='--', label='decision boundary')[0],
        axes.plot(places, real, color=BLUE, label='real data')[0],
        axes.plot(places, generated, color=ORANGE, label='generated data')[0],
    ]
    axes.set(xlabel='Data values', ylabel='Probability density')
    return lines


def distributions(path):
    """The post's figure of final distributions: `title` and the arrays of `draw_distributions`."""
    n = numbers(path)
    grid, real, generated = n['grid'], n['real'], n['generated']
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 4.4), layout='constrained')
        axes = figure.subplots()
        draw_distributions(axes, n['decision'], real, generated, grid, n['places'])
        top = max(1.0, 1.05 * real.max(), 1.05 * min(generated.max(), 3))
        axes.set(title=n['title'], xlim=(grid[0], grid[-1]), ylim=(0, top))
        axes.legend(loc='upper left')
        save(figure, path)


def data(path):
    """The data's density, `real` [bins] at `places`, as the posts draw it before anything is trained; `title`."""
    n = numbers(path)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 3.6), layout='constrained')
        axes = figure.subplots()
        axes.plot(n['places'], n['real'], color=BLUE)
        labels = {'title': n['title'], 'xlabel': 'Data values', 'ylabel': 'Probability density'}
        axes.set(**labels, xlim=n['places'][[0, -1]], ylim=(0, None))
        save(figure, path)


@contextlib.contextmanager
def filming(path, size, frames_per_second=FRAMES_PER_SECOND):
    """Yields (axes, writer) of a film of `size` in inches: MP4 if the path says so (ffmpeg must be there), else GIF.

    `writer.grab_frame()` takes what the axes show. A film that is broken off leaves no file.
    """
    from matplotlib.animation import FFMpegWriter, PillowWriter

    writer = (FFMpegWriter if path.suffix == '.mp4' else PillowWriter)(fps=frames_per_second)
    with matplotlib.rc_context(STYLE), files.replacing(path) as temporary:
        figure = Figure(figsize=size, layout='constrained')
        axes = figure.subplots()
        with writer.saving(figure, temporary, dpi=90):
            yield axes, writer


def animation(path):
    """The training as a film, a frame a record; yields their steps as it draws.

    Numbers:
      title: text.
      step: [frames].
      decision: [frames, points].
      real: [bins].
      generated: [frames, bins].
      grid: [points].
      places: [bins].
      shown: left, right and top of the axes.
    """
    n = numbers(path)
    left, right, top = n['shown']
    with filming(path, (5.2, 3.6)) as (axes, writer):
        lines = draw_distributions(axes, n['decision'][0], n['real'], n['generated'][0], n['grid'], n['places'])
        axes.set(xlim=(left, right), ylim=(0, top))
        axes.legend(loc='upper left')
        for step, decision, generated in zip(n['step'], n['decision'], n['generated'], strict=True):
            lines[0].set_ydata(decision)
            lines[2].set_ydata(generated)
            axes.set_title(f'{n["title"]}, step {step:,}')
            writer.grab_frame()
            yield step


BANDS = (0.05, 0.25, 0.5, 0.75, 0.95)  # quantiles over seeds


def draw_bands(axes, steps, levels):
    """Quantiles over seeds against the step: steps [records], levels [len(BANDS), records]."""
    axes.fill_between(steps, levels[0], levels[4], color=BLUE, alpha=0.15, linewidth=0, label='5-95 % of seeds')
    axes.fill_between(steps, levels[1], levels[3], color=BLUE, alpha=0.3, linewidth=0, label='25-75 %')
    axes.plot(steps, levels[2], color=BLUE, label='median')


BELOW = {'loc': 'upper center', 'bbox_to_anchor': (0.5, -0.15), 'ncols': 2, 'fontsize': 8.5}  # a legend's place under its axes


def ensemble(path):
    """The spread over seeds: outcomes, distance along the way, and the best, median and worst generated distribution.

    Numbers:
      title: text.
      mean, std, finite, success: [runs], as in results.csv.
      step, wasserstein: [records], and its quantiles over the finite runs [len(BANDS), records]; absent where there are none.
      labels: [examples], text; of each the generated density [bins] under its own name.
      real: [bins], the data's density.
      places: [bins].
      truth: mean and deviation of the data.
    """
    n = numbers(path)
    finite, success = n['finite'] == 1, n['success'] == 1
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(12, 4.6), layout='constrained')
        figure.suptitle(n['title'])
        left, middle, right = figure.subplots(1, 3)
        for chosen, colour, label in ((finite & ~success, GREY, 'unconverged'), (success, BLUE, 'success')):
            left.scatter(
                n['mean'][chosen], n['std'][chosen], s=12, color=colour, alpha=0.5, linewidth=0,
                label=f'{label}: {chosen.sum():,}',
            )  # fmt: skip
        left.plot(*n['truth'], '+', color=ORANGE, markersize=11, markeredgewidth=2, linewidth=0, label='data')
        left.plot([], [], linewidth=0, label=f'not finite (not drawn): {(~finite).sum():,}')
        if np.abs(n['mean'][finite]).max(initial=0) > 20:
            left.set_xscale('symlog', linthresh=10)
        left.set(title='Generated mean and deviation, a dot a seed', xlabel='mean', ylabel='deviation', yscale='log')
        middle.set(title='Wasserstein distance to the data', xlabel='step', yscale='log')
        if 'wasserstein' in n:
            draw_bands(middle, n['step'], n['wasserstein'])
        right.fill_between(n['places'], n['real'], color=GREY, alpha=0.25, linewidth=0, label='data')
        for label, (colour, dashes) in zip(n['labels'], ((BLUE, '-'), (GREEN, '--'), (ORANGE, '-')), strict=False):
            right.plot(n['places'], n[label], color=colour, linestyle=dashes, label=label)
        right.set(title='Densities, by distance to the data', xlabel='Data values', ylabel='Probability density', ylim=(0, 2.5))
        for axes in (left, middle, right):  # below: inside, its markers pass for dots of the figure
            if axes.get_legend_handles_labels()[0]:
                axes.legend(**BELOW)
        save(figure, path)
