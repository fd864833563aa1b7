"""The figures of the multi-modal post: which numbers each holds, and how it is drawn from these alone."""

import matplotlib
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from common.nn.random import Stream
from common.plotting import densities, figures
from reproductions.aylien import gan as aylien
from reproductions.multimodal import gan


def real_density(settings):
    """The histogram of 10,000 real samples, as the post draws the data, [bins]."""
    samples = gan.real_samples(settings, tf.constant([gan.SEED], tf.uint32), 0, aylien.PLOT_POINTS, Stream.FIGURE)
    return figures.density(samples.numpy().ravel(), gan.bins(settings))


def counted(modes):
    """'1 mode', '2 modes', ..."""
    return f'{modes} mode{"s" * (modes > 1)}'


def describe(settings):
    """The setting in a few words, for titles."""
    return f'{counted(len(settings.means))}, hidden layers {"-".join(map(str, settings.hidden_sizes))} {settings.activation}'


def draw(settings, directory, seeds, trained, table):
    """Writes figure.png of the first seed and, for an ensemble, ensemble.png and convergence.png; each with its numbers."""
    evaluation, real = gan.make_evaluation(settings), real_density(settings)
    title = f'{describe(settings)}, seed {seeds[0]}'
    densities.final(directory, title, evaluation, gan.bins(settings), real, trained.train_state)
    if len(seeds) > 1:
        title = f'{describe(settings)} ({len(seeds):,} seeds)'
        densities.ensemble(
            directory, title, evaluation, gan.bins(settings), real, seeds, trained.train_state, table, trained.history
        )
        draw_convergence(directory / 'convergence.png', title, {'': table}, int(trained.train_state.step))


def draw_film(settings, path, frames, seed):
    """Writes the animation's numbers, and gives the generator that draws it: `frames` are those of `session.Trained`."""
    evaluation, shown = gan.make_evaluation(settings), (-aylien.NOISE_RANGE, aylien.NOISE_RANGE, 1.4)
    title = f'{counted(len(settings.means))}, seed {seed}'
    return densities.draw_film(path, title, evaluation, gan.bins(settings), real_density(settings), frames, shown)


def draw_convergence(path, title, tables, num_steps):
    """Writes the figure of when runs converge; `tables` are {label: {column: [runs]}}, no more than three."""
    columns = ('first_step_below', 'convergence_step')
    steps = {name: np.stack([table[name] for table in tables.values()]) for name in columns}
    arrays = {'title': title, 'labels': list(tables), 'num_steps': num_steps} | steps
    figures.write(path, convergence, arrays)


SIX = (  # colours of Okabe and Ito, and markers, for six numbers of modes
    (figures.BLUE, 'o'),
    (figures.ORANGE, 's'),
    (figures.GREEN, '^'),
    ('#CC79A7', 'D'),
    ('#E69F00', 'v'),
    ('#56B4E9', 'P'),
)


def data(path):
    """The data of several numbers of modes: `labels`, of each the density [bins] under its own name, and `places` [bins]."""
    n = figures.numbers(path)
    with matplotlib.rc_context(figures.STYLE):
        figure = Figure(figsize=(11, 3.2), layout='constrained')
        for axes, label in zip(figure.subplots(1, len(n['labels']), sharey=True), n['labels'], strict=True):
            axes.plot(n['places'], n[label], color=figures.BLUE)
            axes.set(title=label, xlabel='Data values', xlim=n['places'][[0, -1]].round(), ylim=(0, None))
        figure.axes[0].set_ylabel('Probability density')
        figures.save(figure, path)


def convergence(path):
    """The share of seeds that have converged by each step, and that had been below the bound at least once.

    Numbers:
      title: text.
      labels: [groups], text, no more than three; '' for an only one.
      first_step_below, convergence_step: [groups, runs], inf where never.
      num_steps: the end of the training.
    """
    n = figures.numbers(path)
    num_steps = n['num_steps']
    with matplotlib.rc_context(figures.STYLE):
        figure = Figure(figsize=(7.4, 4.8), layout='constrained')
        axes = figure.subplots()
        for i, (label, colour) in enumerate(zip(n['labels'], (figures.BLUE, figures.ORANGE, figures.GREEN), strict=False)):
            for name, dashes, what in (
                ('convergence_step', '-', 'below the bound, and stays there'),
                ('first_step_below', ':', 'below it for the first time'),
            ):
                steps = n[name][i]
                ordered = np.sort(steps[np.isfinite(steps)]) + 1  # a logarithmic axis has no 0
                share = np.arange(1, len(ordered) + 1) / len(steps)
                level = share[-1] if len(share) else 0.0
                axes.step(
                    np.r_[1, ordered, num_steps], np.r_[0, share, level], where='post', color=colour, linestyle=dashes,
                    label=f'{label}{": " * bool(label)}{what} ({level:.0%})',
                )  # fmt: skip
        axes.set(xlabel='step', ylabel='share of seeds', xscale='log', xlim=(1, max(num_steps, 2)), ylim=(0, 1.02))
        axes.set_title(n['title'])
        figure.legend(loc='outside lower center', ncols=2, fontsize=8.5)
        figures.save(figure, path)


def widths(path):
    """What becomes of so many modes with hidden layers of such widths.

    Numbers:
      runs: seeds of each setting.
      width: [widths], units of each hidden layer.
      modes, labels: [numbers of modes], and each in words.
      converged, covered: [numbers of modes, widths], the share of seeds with every mode and the mean share of modes.
      needed: [numbers of modes], units; NaN where no width is enough.
    """
    n = figures.numbers(path)
    width, top = n['width'], n['width'].max()
    with matplotlib.rc_context(figures.STYLE):
        figure = Figure(figsize=(12, 4), layout='constrained')
        left, middle, right = figure.subplots(1, 3)
        for i, (modes, (colour, marker)) in enumerate(zip(n['modes'], SIX, strict=True)):
            left.plot(width, n['converged'][i], color=colour, marker=marker, label=n['labels'][i])
            middle.plot(width, n['covered'][i], color=colour, marker=marker, label=n['labels'][i])
            enough = np.isfinite(n['needed'][i])
            right.plot(modes, n['needed'][i] if enough else top, marker, color=colour)
            if not enough:
                right.annotate('', (modes, 2 * top), (modes, top), arrowprops={'arrowstyle': '->', 'color': colour})
        left.set(title=f'Converged with every mode ({n["runs"]} seeds each)', ylabel='share of seeds', ylim=(0, 1.02))
        middle.set(title='Modes covered at the end (mean)', ylabel='share of the modes', ylim=(0, 1.02))
        for axes in (left, middle):
            axes.set(xlabel='units of each hidden layer of G', xscale='log', xticks=width)
            axes.set_xticks(width, width, minor=False)
            axes.minorticks_off()
        middle.legend(loc='lower center', ncols=2, fontsize=8.5)
        line = np.array([1, max(n['modes'])])
        right.plot(line, 4 * line, color=figures.GREY, linestyle=':', label="the post's rule, 4 units a mode")
        right.set(
            title='Width needed (arrow: more than any tried)', xlabel='modes', ylabel='units of each hidden layer of G',
            xscale='log', yscale='log', ylim=(1.5, 3 * top),
        )  # fmt: skip
        right.set_xticks(n['modes'], n['modes'])
        right.set_yticks(width, width)
        right.minorticks_off()
        right.legend(loc='lower right', fontsize=8.5)
        figures.save(figure, path)
