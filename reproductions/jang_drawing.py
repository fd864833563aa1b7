"""How the figures that only Jang's post has are drawn, each from the numbers beside it (see `common.figures`)."""

import matplotlib
from matplotlib.figure import Figure

from common import figures

MANY = 5000  # a curve of more points is drawn thin
STYLES = {'decision boundary': (figures.GREEN, '--'), 'obj_g': (figures.ORANGE, '-')}  # as in other figures; the rest is blue


def lines(path):
    """Some curves over one axis.

    Numbers:
      title, xlabel, ylabel: text.
      x: [points].
      labels: [curves], text; of each the heights [points] under its own name.
      level_labels, levels: [levels], dotted lines across; their names and heights.
    """
    n = figures.numbers(path)
    x, labels = n['x'], n['labels']
    with matplotlib.rc_context(figures.STYLE):
        figure = Figure(figsize=(6.4, 3.6), layout='constrained')
        axes = figure.subplots()
        for label in labels:
            colour, dashes = STYLES.get(label, (figures.BLUE, '-'))
            axes.plot(x, n[label], color=colour, linestyle=dashes, label=label, linewidth=1 if len(x) > MANY else 1.6)
        for label, height in zip(n['level_labels'], n['levels'], strict=True):
            axes.axhline(height, color=figures.GREY, linestyle=':', linewidth=1)
            axes.annotate(label, (1, height), xycoords=('axes fraction', 'data'), va='bottom', ha='right', color=figures.GREY)
        axes.set(title=n['title'], xlabel=n['xlabel'], ylabel=n['ylabel'], xlim=(x[0], max(x[-1], x[0] + 1)))
        axes.legend()
        figures.save(figure, path)


def state(path):
    """p_data, D and p_g: on the left p_g as the post draws it, on the right as a density.

    Numbers:
      title: text.
      grid, p_data, decision: [points].
      published, published_places: [10], the post's histogram and where it draws it.
      density, places: [bins].
    """
    n = figures.numbers(path)
    grid = n['grid']
    with matplotlib.rc_context(figures.STYLE):
        figure = Figure(figsize=(10, 4.2), layout='constrained')
        figure.suptitle(n['title'])
        panels = figure.subplots(1, 2, sharey=True)
        drawn = (
            ('As published: share of samples in each of 10 bins\nover their own range, on an axis that is not theirs',
             n['published_places'], n['published']),
            ('As densities: all three curves on one axis\nand, p_data and p_g, in one unit', n['places'], n['density']),
        )  # fmt: skip
        for axes, (heading, places, generated) in zip(panels, drawn, strict=True):
            axes.plot(grid, n['p_data'], color=figures.BLUE, label='p_data')
            axes.plot(grid, n['decision'], color=figures.GREEN, linestyle='--', label='decision boundary')
            axes.plot(places, generated, color=figures.ORANGE, label='p_g')
            axes.set_title(heading, fontsize=9.5)
            axes.set(xlabel='Data values', xlim=(grid[0], grid[-1]), ylim=(0, 1))
        panels[0].set_ylabel('Probability density')
        panels[0].legend(loc='upper right')
        figures.save(figure, path)


def alignment(path):
    """Distances to the data over seeds, by how samples and noise are made to line up.

    Numbers:
      labels: [4], text, the post's way first and then unsorted samples; of each the distances [runs] under its own name.
      bound: the distance below which a run succeeds.
    """
    n = figures.numbers(path)
    post, unsorted, *_ = distances = [n[label] for label in n['labels']]
    with matplotlib.rc_context(figures.STYLE):
        figure = Figure(figsize=(11, 4.4), layout='constrained')
        left, right = figure.subplots(1, 2)
        styles = ((figures.BLUE, '-'), (figures.GREEN, '--'), (figures.ORANGE, '-'), (figures.GREY, ':'))
        for label, values, (colour, dashes) in zip(n['labels'], distances, styles, strict=True):
            left.ecdf(values, color=colour, linestyle=dashes, label=label)
        left.axvline(n['bound'], color='black', linestyle=':', linewidth=1)
        left.annotate('success', (n['bound'], 0.02), ha='right', rotation=90, va='bottom', textcoords='offset points',
                      xytext=(-2, 0), fontsize=8.5)  # fmt: skip
        left.set(
            title=f'Four ways to line samples up, {len(post):,} seeds each', xlabel='Wasserstein distance to the data',
            ylabel='share of seeds below', xscale='log', xlim=(0.04, 4),
        )  # fmt: skip
        left.legend(loc='lower right', fontsize=8.5)
        right.plot([0.04, 4], [0.04, 4], color=figures.GREY, linewidth=0.8)
        right.scatter(post, unsorted, s=9, color=figures.BLUE, alpha=0.4, linewidth=0)
        right.set(
            title='The same seed, sorted and unsorted (grid)', xlabel='distance, sorted', ylabel='distance, unsorted',
            xscale='log', yscale='log', xlim=(0.04, 4), ylim=(0.04, 4), aspect='equal',
        )  # fmt: skip
        figures.save(figure, path)
