"""Figures, drawn from plain arrays; a figure's data is saved beside it."""

import shutil
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from common import results

BLUE, ORANGE, GREEN, GREY = '#0072B2', '#D55E00', '#009E73', '#666666'  # Okabe and Ito's colour-blind-safe set
STYLE = {
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.titlesize': 11,
    'axes.grid': True,
    'grid.color': '#e5e5e5',
    'legend.frameon': False,
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


def save(figure, path):
    """Writes a figure under a temporary name, then renames it."""
    with results.replacing(path) as temporary:
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
        axes.plot(grid, decision, color=GREEN, label='decision boundary')[0],
        axes.plot(places, real, color=BLUE, label='real data')[0],
        axes.plot(places, generated, color=ORANGE, label='generated data')[0],
    ]
    axes.set(xlabel='Data values', ylabel='Probability density')
    return lines


def distributions(path, title, decision, real, generated, grid, places):
    """The post's figure of final distributions. Arguments as for `draw_distributions`."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 4.4), layout='constrained')
        axes = figure.subplots()
        draw_distributions(axes, decision, real, generated, grid, places)
        axes.set(title=title, xlim=(grid[0], grid[-1]), ylim=(0, max(1.0, 1.05 * real.max(), 1.05 * min(generated.max(), 3))))
        axes.legend(loc='upper left')
        save(figure, path)


def data(path, title, real, places):
    """The data's density, [bins] at `places`, as the posts draw it before anything is trained."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 3.6), layout='constrained')
        axes = figure.subplots()
        axes.plot(places, real, color=BLUE)
        axes.set(title=title, xlabel='Data values', ylabel='Probability density', xlim=places[[0, -1]], ylim=(0, None))
        save(figure, path)


def animation(path, title, steps, decision, real, generated, grid, places, shown):
    """The training as a film, a frame a record; MP4 if the path says so (ffmpeg must be there), else GIF.

    Args:
      path: ends in .gif or .mp4.
      title: str.
      steps: [frames].
      decision: [frames, points].
      real: [bins].
      generated: [frames, bins].
      grid: [points].
      places: [bins].
      shown: (left, right, top) of the axes.
    """
    from matplotlib.animation import FFMpegWriter, PillowWriter

    writer = (FFMpegWriter if path.suffix == '.mp4' else PillowWriter)(fps=FRAMES_PER_SECOND)
    with matplotlib.rc_context(STYLE), results.replacing(path) as temporary:
        figure = Figure(figsize=(5.2, 3.6), layout='constrained')
        axes = figure.subplots()
        lines = draw_distributions(axes, decision[0], real, generated[0], grid, places)
        axes.set(xlim=shown[:2], ylim=(0, shown[2]))
        axes.legend(loc='upper left')
        with writer.saving(figure, temporary, dpi=90):
            for i, step in enumerate(steps):
                lines[0].set_ydata(decision[i])
                lines[2].set_ydata(generated[i])
                axes.set_title(f'{title}, step {step:,}')
                writer.grab_frame()
                yield step


def can_write_mp4():
    """Whether ffmpeg is on the path."""
    return shutil.which('ffmpeg') is not None


BANDS = (0.05, 0.25, 0.5, 0.75, 0.95)  # quantiles over seeds


def ensemble(path, title, table, bands, examples, real, places, truth):
    """The spread over seeds: outcomes, distance along the way, and the best, median and worst generated distribution.

    Args:
      path, title: where, and the heading.
      table: {column: [runs]} of results.csv.
      bands: (steps [records], Wasserstein distances [len(BANDS), records] over the finite runs), or None where there are none.
      examples: {label: density [bins]}.
      real: [bins], the data's density.
      places: [bins].
      truth: (mean, deviation) of the data.
    """
    finite, success = table['finite'] == 1, table['success'] == 1
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(12, 4), layout='constrained')
        figure.suptitle(title)
        left, middle, right = figure.subplots(1, 3)
        for chosen, colour, label in ((finite & ~success, GREY, 'unconverged'), (success, BLUE, 'success')):
            left.scatter(
                table['mean'][chosen], table['std'][chosen], s=12, color=colour, alpha=0.5, linewidth=0,
                label=f'{label}: {chosen.sum():,}',
            )  # fmt: skip
        left.plot(*truth, '+', color=ORANGE, markersize=11, markeredgewidth=2, linewidth=0, label='data')
        left.plot([], [], linewidth=0, label=f'not finite (not drawn): {(~finite).sum():,}')
        if np.abs(table['mean'][finite]).max(initial=0) > 20:
            left.set_xscale('symlog', linthresh=10)
        left.set(title='Generated mean and deviation, a dot a seed', xlabel='mean', ylabel='deviation', yscale='log')
        left.legend(loc='lower left', fontsize=8.5)
        middle.set(title='Wasserstein distance to the data', xlabel='step', yscale='log')
        if bands:
            steps, levels = bands
            middle.fill_between(steps, levels[0], levels[4], color=BLUE, alpha=0.15, linewidth=0, label='5-95 % of seeds')
            middle.fill_between(steps, levels[1], levels[3], color=BLUE, alpha=0.3, linewidth=0, label='25-75 %')
            middle.plot(steps, levels[2], color=BLUE, label='median')
            middle.legend()
        right.fill_between(places, real, color=GREY, alpha=0.25, linewidth=0, label='data')
        for (label, values), colour in zip(examples.items(), (BLUE, GREEN, ORANGE), strict=False):
            right.plot(places, values, color=colour, label=label)
        right.set(title='Generated densities, by distance to the data', xlabel='Data values', ylim=(0, 2.5))
        right.legend(loc='upper left', fontsize=8.5)
        save(figure, path)
