"""The figures of Jang's post: what data each holds, and how it is drawn from that data alone."""

import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from common.plotting import densities, figures
from common.program import session
from common.program.command import Finished
from reproductions.jang import gan
from reproductions.jang.settings import HALF_RANGE

PUBLISHED_BINS = 10  # of the post's histogram of G
PUBLISHED_PLACES = np.linspace(-5, 5, PUBLISHED_BINS)  # x at which the post plots it
BINS = figures.Bins(np.linspace(-5, 5, 101), np.linspace(-4.95, 4.95, 100))  # of ours


def published_histogram(generated: np.ndarray) -> np.ndarray:
    """p_g as the post plots it, [10]: the mass in each of 10 bins over G's own range, plotted at linspace(-5, 5, 10).

    It is not a density (not divided by the bin width), and the bins are not where the axis shows them. Samples that are not
    finite are in no bin.
    """
    counts, _ = np.histogram(generated[np.isfinite(generated)], bins=PUBLISHED_BINS)
    return counts / len(generated)


def surfaces(settings: gan.Settings, seed: int, trained: session.Trained) -> dict[str, np.ndarray]:
    """The first run's networks evaluated on the plotting grid, {name: [points]}.

    `d_initial` and `d_pretrained`: D before and after pre-training, without the clamp. `d_start`, `d_final`, `g_start`,
    `g_final`: D and G at the start and end of adversarial training.
    """
    evaluation = gan.evaluation(settings)
    d_initial, g_start = gan.make_experiment(settings).init(tf.constant([seed], tf.uint32))
    networks = trained.pretrained, trained.train_state.d, trained.train_state.g
    d_start, d_final, g_final = tf.nest.map_structure(lambda value: tf.constant(value[:1]), networks)
    grid = tf.constant(evaluation.grid[None, None], tf.float32)
    found = {'d_initial': gan.mlp(settings, d_initial, grid)[0], 'd_pretrained': gan.mlp(settings, d_start, grid)[0]}
    for stage, pair in (('start', (d_start, g_start)), ('final', (d_final, g_final))):
        found[f'd_{stage}'], found[f'g_{stage}'] = evaluation.surfaces(*pair)
    return {name: values.numpy()[0] for name, values in found.items()}


def draw(run: Finished) -> None:
    """Writes the post's seven figures for the first seed and, for several seeds, ensemble.png; each with its data as .npz."""
    settings, directory, seeds, trained, *_ = run
    grid, curves = run.judge.evaluation.grid, surfaces(settings, seeds[0], trained)
    p_data, history = gan.truth(settings).pdf(grid), trained.history
    named = f'{settings.variant}, seed {seeds[0]}'

    draw_lines(directory / 'data.png', f'The data, N({settings.mu:g}, {settings.sigma:g})', grid, {'p_data': p_data})
    for name, stage, title in (
        ('decision_before', 'initial', 'Decision boundary of D at initialization'),
        ('decision_after', 'pretrained', f'Decision boundary of D after {settings.pretrain_steps:,} steps of pre-training'),
    ):
        drawn = {'p_data': p_data, 'decision boundary': curves[f'd_{stage}']}
        draw_lines(directory / f'{name}.png', f'{title} ({named})', grid, drawn)
    if 'pretrain_loss' in history:
        steps, curve = history['pretrain_step'], {'mean squared error': history['pretrain_loss'][0]}
        labels = {'xlabel': 'step', 'ylabel': 'loss'}
        draw_lines(directory / 'pretraining_loss.png', f"Loss of D's pre-training ({named})", steps, curve, **labels)
    if 'loss_d' in history:
        objectives = {'obj_d': -history['loss_d'][0], 'obj_g': -history['loss_g'][0]}
        levels = {'-2 ln 2': -2 * np.log(2), '-ln 2': -np.log(2)}
        labels = {'xlabel': 'iteration', 'ylabel': 'objective'}
        draw_lines(directory / 'losses.png', f'Objectives ({named})', history['step'], objectives, levels, **labels)
    for name, stage, title in (('before', 'start', 'Before training'), ('figure', 'final', 'After training')):
        generated = curves[f'g_{stage}']
        arrays = {'title': f'{title} ({named})', 'grid': grid, 'p_data': p_data, 'decision': curves[f'd_{stage}']}
        arrays |= {'generated': generated, 'density': figures.density(generated, BINS), 'places': BINS.places}
        arrays |= {'published': published_histogram(generated), 'published_places': PUBLISHED_PLACES}
        figures.write(directory / f'{name}.png', state, arrays)
    title = f"Jang's GAN ({settings.variant}, {len(seeds):,} seeds)"
    densities.ensemble(run, title, BINS, gan.truth(settings).pdf(BINS.places))


def seen(settings: gan.Settings, seeds: np.ndarray, d: Any, g: Any) -> densities.Curves:
    """What the explorer shows of the networks of some runs."""
    return densities.curves_of_many(gan.evaluation(settings, densities.SAMPLES), settings.noise_range, d, g)


def draw_animation(settings: gan.Settings, path: pathlib.Path, frames: list[tuple[int, Any]], seed: int) -> Iterator[int]:
    """Writes the animation's data and returns the generator that draws it; `frames` are those of `session.Trained`."""
    real, shown = gan.truth(settings).pdf(BINS.places), (-HALF_RANGE, HALF_RANGE, 1.0)
    title = f'{settings.variant}, seed {seed}'
    return densities.draw_film(path, title, gan.evaluation(settings), BINS, real, frames, shown)


def draw_lines(
    path: pathlib.Path,
    title: str,
    x: np.ndarray,
    curves: dict[str, np.ndarray],
    levels: dict[str, float] | None = None,
    xlabel: str = 'Data values',
    ylabel: str = 'Probability density',
) -> None:
    """Writes a figure of curves {label: [points]} over x [points], with dotted reference lines {label: height}."""
    levels = levels or {}
    arrays = {'title': title, 'xlabel': xlabel, 'ylabel': ylabel, 'x': x, 'labels': list(curves)} | curves
    arrays |= {'level_labels': np.array(list(levels), str), 'levels': np.array(list(levels.values()), float)}
    figures.write(path, lines, arrays)


MANY = 5000  # curves with more points are drawn thin
STYLES = {
    'decision boundary': (figures.GREEN, '--'),
    'obj_g': (figures.ORANGE, '-'),
}  # as in other figures; all others are blue


def lines(path: pathlib.Path) -> Figure:
    """Curves over one axis.

    Data:
      title, xlabel, ylabel: text.
      x: [points].
      labels: [curves], text; each curve [points] under its name.
      level_labels, levels: [levels], names and heights of dotted reference lines.
    """
    n = figures.numbers(path)
    x, labels = n['x'], n['labels']
    with figures.style():
        figure = Figure(figsize=(6.4, 3.6), layout='constrained')
        axes = figure.subplots()
        for label in labels:
            color, dashes = STYLES.get(label, (figures.BLUE, '-'))
            axes.plot(x, n[label], color=color, linestyle=dashes, label=label, linewidth=1 if len(x) > MANY else 1.6)
        for label, height in zip(n['level_labels'], n['levels'], strict=True):
            axes.axhline(height, color=figures.GREY, linestyle=':', linewidth=1)
            axes.annotate(label, (1, height), xycoords=('axes fraction', 'data'), va='bottom', ha='right', color=figures.GREY)
        axes.set(title=n['title'], xlabel=n['xlabel'], ylabel=n['ylabel'], xlim=(x[0], max(x[-1], x[0] + 1)))
        axes.legend()
        return figures.save(figure, path)


def state(path: pathlib.Path) -> Figure:
    """p_data, D and p_g; on the left p_g as the post plots it, on the right as a density.

    Data:
      title: text.
      grid, p_data, decision: [points].
      published, published_places: [10], the post's histogram and the x at which it plots it.
      density, places: [bins].
    """
    n = figures.numbers(path)
    grid = n['grid']
    with figures.style():
        figure = Figure(figsize=(10, 4.2), layout='constrained')
        figure.suptitle(n['title'])
        panels = figure.subplots(1, 2, sharey=True)
        drawn = (
            ("As published: fraction of samples in each of 10 bins over\nG's own range, plotted against an axis of -5 to 5",
             n['published_places'], n['published']),
            ('As densities: all three curves on one axis,\np_data and p_g in the same units', n['places'], n['density']),
        )  # fmt: skip
        for axes, (heading, places, generated) in zip(panels, drawn, strict=True):
            axes.plot(grid, n['p_data'], color=figures.BLUE, label='p_data')
            axes.plot(grid, n['decision'], color=figures.GREEN, linestyle='--', label='decision boundary')
            axes.plot(places, generated, color=figures.ORANGE, label='p_g')
            axes.set_title(heading, fontsize=9.5)
            axes.set(xlabel='Data values', xlim=(grid[0], grid[-1]), ylim=(0, 1))
        panels[0].set_ylabel('Probability density')
        panels[0].legend(loc='upper right')
        return figures.save(figure, path)


def alignment(path: pathlib.Path) -> Figure:
    """Distances to the data over seeds, by how samples and noise are aligned.

    Data:
      labels: [4], text, the post's first, then unsorted samples; each one's distances [runs] under its name.
      bound: the distance below which a run succeeds.
    """
    n = figures.numbers(path)
    post, unsorted, *_ = distances = [n[label] for label in n['labels']]
    with figures.style():
        figure = Figure(figsize=(11, 4.4), layout='constrained')
        left, right = figure.subplots(1, 2)
        styles = ((figures.BLUE, '-'), (figures.GREEN, '--'), (figures.ORANGE, '-'), (figures.GREY, ':'))
        for label, values, (color, dashes) in zip(n['labels'], distances, styles, strict=True):
            left.ecdf(values, color=color, linestyle=dashes, label=label)
        left.axvline(n['bound'], color='black', linestyle=':', linewidth=1)
        left.annotate('success', (n['bound'], 0.02), ha='right', rotation=90, va='bottom', textcoords='offset points',
                      xytext=(-2, 0), fontsize=8.5)  # fmt: skip
        left.set(
            title=f'Four ways to align samples, {len(post):,} seeds each', xlabel='Wasserstein distance to the data',
            ylabel='share of seeds below this distance', xscale='log', xlim=(0.04, 4),
        )  # fmt: skip
        left.legend(loc='lower right', fontsize=8.5)
        right.plot([0.04, 4], [0.04, 4], color=figures.GREY, linewidth=0.8)
        right.scatter(post, unsorted, s=9, color=figures.BLUE, alpha=0.4, linewidth=0)
        right.set(
            title='Sorted against unsorted, one dot per seed (grid)', xlabel='distance, sorted', ylabel='distance, unsorted',
            xscale='log', yscale='log', xlim=(0.04, 4), ylim=(0.04, 4), aspect='equal',
        )  # fmt: skip
        return figures.save(figure, path)


DRAWN = {'figure': state, 'ensemble': figures.ensemble, 'before': state}
DRAWN |= dict.fromkeys(('data', 'decision_before', 'decision_after', 'pretraining_loss', 'losses'), lines)
