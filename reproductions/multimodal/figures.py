"""The figures of the multi-modal post: what data each holds, and how it is drawn from that data alone."""

import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from common.nn.random import Stream
from common.plotting import densities, figures
from common.program.command import Finished
from reproductions.aylien.settings import NOISE_RANGE, PLOT_POINTS
from reproductions.multimodal import gan
from reproductions.multimodal.settings import SEED


def real_density(settings: gan.Settings) -> np.ndarray:
    """Density histogram of 10,000 real samples, [bins]."""
    samples = gan.real_samples(settings, tf.constant([SEED], tf.uint32), 0, PLOT_POINTS, Stream.FIGURE)
    return figures.density(samples.numpy().ravel(), gan.bins(settings))


def counted(modes: int) -> str:
    """'1 mode', '2 modes', ..."""
    return f'{modes} mode{"s" * (modes > 1)}'


def describe(settings: gan.Settings) -> str:
    """The setting in a few words, for titles."""
    return f'{counted(len(settings.means))}, hidden layers {"-".join(map(str, settings.hidden_sizes))} {settings.activation}'


def draw(run: Finished) -> None:
    """Writes figure.png for the first seed and, for several seeds, ensemble.png and convergence.png; each with its data."""
    settings, bins, real = run.settings, gan.bins(run.settings), real_density(run.settings)
    densities.final(run, f'{describe(settings)}, seed {run.seeds[0]}', bins, real)
    title = f'{describe(settings)} ({len(run.seeds):,} seeds)'
    densities.ensemble(run, title, bins, real)
    if len(run.seeds) > 1:
        draw_convergence(run.directory / 'convergence.png', title, {'': run.table}, int(run.trained.train_state.step))


def seen(settings: gan.Settings, seeds: np.ndarray, d: Any, g: Any) -> densities.Curves:
    """What the explorer shows of the networks of some runs."""
    return densities.curves_of_many(gan.evaluation(settings, densities.SAMPLES), settings.noise_range, d, g)


def draw_animation(settings: gan.Settings, path: pathlib.Path, frames: list[tuple[int, Any]], seed: int) -> Iterator[int]:
    """Writes the animation's data and returns the generator that draws it; `frames` are those of `session.Trained`."""
    evaluation, shown = gan.evaluation(settings), (-NOISE_RANGE, NOISE_RANGE, 1.4)
    title = f'{counted(len(settings.means))}, seed {seed}'
    return densities.draw_film(path, title, evaluation, gan.bins(settings), real_density(settings), frames, shown)


def draw_convergence(path: pathlib.Path, title: str, tables: dict[str, dict[str, np.ndarray]], num_steps: int) -> None:
    """Writes the figure of convergence steps; `tables` is {label: {column: [runs]}}, at most three."""
    columns = ('first_step_below', 'convergence_step')
    steps = {name: np.stack([table[name] for table in tables.values()]) for name in columns}
    arrays = {'title': title, 'labels': list(tables), 'num_steps': num_steps} | steps
    figures.write(path, convergence, arrays)


SIX = (  # Okabe-Ito colors, and markers, for six numbers of modes
    (figures.BLUE, 'o'),
    (figures.ORANGE, 's'),
    (figures.GREEN, '^'),
    ('#CC79A7', 'D'),
    ('#E69F00', 'v'),
    ('#56B4E9', 'P'),
)


def data(path: pathlib.Path) -> Figure:
    """The data for several numbers of modes. Data: `labels`; each label's density [bins] under its name; `places` [bins]."""
    n = figures.numbers(path)
    with figures.style():
        figure = Figure(figsize=(11, 3.2), layout='constrained')
        for axes, label in zip(figure.subplots(1, len(n['labels']), sharey=True), n['labels'], strict=True):
            axes.plot(n['places'], n[label], color=figures.BLUE)
            axes.set(title=label, xlabel='Data values', xlim=n['places'][[0, -1]].round(), ylim=(0, None))
        figure.axes[0].set_ylabel('Probability density')
        return figures.save(figure, path)


def convergence(path: pathlib.Path) -> Figure:
    """The share of seeds converged by each step, and of those below the threshold at least once by then.

    Data:
      title: text.
      labels: [groups], text, at most three; '' if there is only one.
      first_step_below, convergence_step: [groups, runs], inf where never.
      num_steps: the end of the training.
    """
    n = figures.numbers(path)
    num_steps = n['num_steps']
    with figures.style():
        figure = Figure(figsize=(7.4, 4.8), layout='constrained')
        axes = figure.subplots()
        for i, (label, color) in enumerate(zip(n['labels'], (figures.BLUE, figures.ORANGE, figures.GREEN), strict=False)):
            for name, dashes, what in (
                ('convergence_step', '-', 'below the threshold for good'),
                ('first_step_below', ':', 'below the threshold for the first time'),
            ):
                steps = n[name][i]
                ordered = np.sort(steps[np.isfinite(steps)]) + 1  # a logarithmic axis has no 0
                share = np.arange(1, len(ordered) + 1) / len(steps)
                level = share[-1] if len(share) else 0.0
                axes.step(
                    np.r_[1, ordered, num_steps], np.r_[0, share, level], where='post', color=color, linestyle=dashes,
                    label=f'{label}{": " * bool(label)}{what} ({level:.0%})',
                )  # fmt: skip
        axes.set(xlabel='step', ylabel='share of seeds', xscale='log', xlim=(1, max(num_steps, 2)), ylim=(0, 1.02))
        axes.set_title(n['title'])
        figure.legend(loc='outside lower center', ncols=2, fontsize=8.5)
        return figures.save(figure, path)


def widths(path: pathlib.Path) -> Figure:
    """Convergence and coverage by number of modes and width of the hidden layers.

    Data:
      runs: seeds of each setting.
      width: [widths], units of each hidden layer.
      modes, labels: [numbers of modes], as numbers and in words.
      converged, covered: [numbers of modes, widths], share of seeds converged with every mode, and mean share of modes covered.
      needed: [numbers of modes], units; NaN if no width is enough.
    """
    n = figures.numbers(path)
    width, top = n['width'], n['width'].max()
    with figures.style():
        figure = Figure(figsize=(12, 4), layout='constrained')
        left, middle, right = figure.subplots(1, 3)
        for i, (modes, (color, marker)) in enumerate(zip(n['modes'], SIX, strict=True)):
            left.plot(width, n['converged'][i], color=color, marker=marker, label=n['labels'][i])
            middle.plot(width, n['covered'][i], color=color, marker=marker, label=n['labels'][i])
            enough = np.isfinite(n['needed'][i])
            right.plot(modes, n['needed'][i] if enough else top, marker, color=color)
            if not enough:
                right.annotate('', (modes, 2 * top), (modes, top), arrowprops={'arrowstyle': '->', 'color': color})
        left.set(title=f'Converged with every mode covered ({n["runs"]} seeds each)', ylabel='share of seeds', ylim=(0, 1.02))
        middle.set(title='Modes covered at the end (mean)', ylabel='share of modes', ylim=(0, 1.02))
        for axes in (left, middle):
            axes.set(xlabel='units per hidden layer of G', xscale='log', xticks=width)
            axes.set_xticks(width, width, minor=False)
            axes.minorticks_off()
        middle.legend(loc='lower center', ncols=2, fontsize=8.5)
        line = np.array([1, max(n['modes'])])
        right.plot(line, 4 * line, color=figures.GREY, linestyle=':', label="the post's rule: 4 units per mode")
        right.set(
            title='Width needed (arrow: above all tried)', xlabel='modes', ylabel='units per hidden layer of G',
            xscale='log', yscale='log', ylim=(1.5, 3 * top),
        )  # fmt: skip
        right.set_xticks(n['modes'], n['modes'])
        right.set_yticks(width, width)
        right.minorticks_off()
        right.legend(loc='upper left', fontsize=8.5)
        return figures.save(figure, path)


DRAWN = {'figure': figures.distributions, 'ensemble': figures.ensemble, 'convergence': convergence}
