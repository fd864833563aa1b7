"""The figures of Dev Nag's post: which numbers each holds, and how it is drawn from these alone."""

import matplotlib
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from common.evaluation import metrics
from common.nn.random import Stream
from common.plotting import figures
from reproductions.devnag import gan

GALLERY = 10  # final distributions in the post's grid


def last_batches(settings, seeds, train_state, rows):
    """What the post draws at the end, [len(rows), batch]: the trained G on the noise of its last update."""
    update = max(int(train_state.step) * settings.g_steps - 1, 0)
    z = gan.noise(settings, tf.constant(seeds[rows]), Stream.NOISE_G, update)
    g = tf.nest.map_structure(lambda value: tf.constant(value[rows]), train_state.g)
    return gan.generator(settings, g, z).numpy()[:, 0]


def draw(settings, directory, seeds, trained, table):
    """Writes figure.png of the first seed; of several, also runs.png (up to ten final distributions) and ensemble.png.

    The numbers behind each are beside it as .npz.
    """
    shown = np.arange(min(len(seeds), GALLERY))
    samples = last_batches(settings, seeds, trained.train_state, shown)
    heading = f'GAN in 50 lines ({settings.variant}, {settings.preprocess}'
    course = {'step': trained.history['step']} | {name: trained.history[name][0] for name in MOMENTS}
    arrays = {'title': f'{heading}, seed {seeds[0]})', 'samples': samples[0], 'truth': [settings.mu, settings.sigma]}
    figures.write(directory / 'figure.png', one, course | arrays)
    if len(seeds) == 1:
        return
    labels = [f'#{i + 1}: {table["mean"][i]:.3g} ± {table["std"][i]:.3g}' for i in shown]
    title = f'{heading}, seeds {seeds[0]} to {seeds[shown[-1]]})'
    arrays = {'title': title, 'labels': labels, 'seed': seeds[shown], 'samples': samples}
    figures.write(directory / 'runs.png', grid, arrays)
    draw_ensemble(settings, directory / 'ensemble.png', f'{heading}, {len(seeds):,} seeds)', table, trained.history)


def draw_ensemble(settings, path, title, table, history):
    """Writes the figure of many seeds: of their moments a curve a run, or bands over the finite ones of more than ten."""
    finite = table['finite'] == 1
    banded = len(finite) > GALLERY and bool(finite.any())
    arrays = {'title': title, 'step': history['step'], 'banded': banded, 'truth': [settings.mu, settings.sigma]}
    for name in MOMENTS:
        values = history[name]
        arrays[name] = np.quantile(values[finite], figures.BANDS, axis=0) if banded else values
        arrays[f'final_{name}'] = table[name]
    figures.write(path, ensemble, arrays | {name: table[name] for name in ('finite', 'success')})


def draw_film(settings, path, frames, seed):
    """Writes the animation's numbers, and gives the generator that draws it: `frames` are those of `session.Trained`."""
    edges = settings.mu + settings.sigma * np.linspace(-6, 6, 121)
    samples = np.array([gan.evaluate_rows(settings, np.array([seed]), train_state, [0])[0][0] for _, train_state in frames])
    counts = np.stack([np.histogram(row[np.isfinite(row)], edges)[0] for row in samples])
    arrays = {'title': f'{settings.variant}, seed {seed}', 'edges': edges, 'step': np.array([step for step, _ in frames])}
    arrays |= {'density': counts / (samples.shape[1] * np.diff(edges)), 'truth': [settings.mu, settings.sigma]}
    arrays |= {'moments': np.stack([samples.mean(axis=1), samples.std(axis=1)], axis=1)}
    return figures.write(path, film, arrays)


HISTOGRAM_BINS = 50  # of the post's histograms, each over its own samples' range
MOMENTS = {'mean': 'mean', 'std': 'deviation'}  # drawn against the round


def draw_samples(axes, samples, label):
    """A histogram of 50 bins over the range of the samples [n], as the post's."""
    finite = samples[np.isfinite(samples)]
    if finite.size:
        axes.hist(finite, bins=HISTOGRAM_BINS, color=figures.ORANGE)
    axes.set_title(label if finite.size == samples.size else f'{label}: not finite')


def draw_course(axes, name, steps, curves, truth, banded=False):
    """A moment against the round, with the data's as a line.

    Args:
      axes: matplotlib axes.
      name: a key of `MOMENTS`.
      steps: [records].
      curves: [runs, records], a curve a run; or, `banded`, [len(figures.BANDS), records].
      truth: mean and deviation of the data.
      banded: bool.
    """
    if banded:
        figures.draw_bands(axes, steps, curves)
    else:
        axes.plot(steps, curves.T, color=figures.BLUE, linewidth=0.8, alpha=0.8)
    target = dict(zip(MOMENTS, truth, strict=True))[name]
    axes.axhline(target, color=figures.ORANGE, linestyle='--', label=f'data: {target:g}')
    axes.set(title=f'{MOMENTS[name].capitalize()} of a generated batch', xlabel='round', ylabel=MOMENTS[name])
    axes.legend(loc='best', fontsize=8.5)


def one(path):
    """The post's figures of one run: both moments against the round, and the final histogram.

    Numbers:
      title: text.
      step, mean, std: [records].
      samples: [batch], of the last G.
      truth: mean and deviation of the data.
    """
    n = figures.numbers(path)
    with matplotlib.rc_context(figures.STYLE):
        figure = Figure(figsize=(12, 3.6), layout='constrained')
        figure.suptitle(n['title'])
        *moment_axes, histogram = figure.subplots(1, 3)
        for axes, name in zip(moment_axes, MOMENTS, strict=True):
            draw_course(axes, name, n['step'], n[name][None], n['truth'])
        draw_samples(histogram, n['samples'], f'The last {len(n["samples"])} values of G')
        histogram.set(xlabel='value', ylabel='count')
        figures.save(figure, path)


def grid(path):
    """The post's grid of final distributions, rows of five: `title`, `labels` [runs] and `samples` [runs, batch]."""
    n = figures.numbers(path)
    samples = n['samples']
    with matplotlib.rc_context(figures.STYLE):
        rows = -(-len(samples) // 5)
        figure = Figure(figsize=(12, 0.6 + 2.3 * rows), layout='constrained')
        figure.suptitle(n['title'])
        panels = figure.subplots(rows, 5, squeeze=False).ravel()
        for axes, label, values in zip(panels, n['labels'], samples, strict=False):
            draw_samples(axes, values, label)
        for axes in panels[len(samples) :]:
            axes.set_visible(False)
        figures.save(figure, path)


def ensemble(path):
    """Both moments on the way, and where each seed ends.

    Numbers:
      title: text.
      step: [records].
      mean, std: the moments, `curves` of `draw_course`.
      banded: whether they are quantiles over the seeds.
      final_mean, final_std, finite, success: [runs], as in results.csv.
      truth: mean and deviation of the data.
    """
    n = figures.numbers(path)
    finite, success = n['finite'] == 1, n['success'] == 1
    mu, sigma = n['truth']
    with matplotlib.rc_context(figures.STYLE):
        figure = Figure(figsize=(12, 4.2), layout='constrained')
        figure.suptitle(n['title'])
        *moment_axes, ends = figure.subplots(1, 3)
        for axes, name in zip(moment_axes, MOMENTS, strict=True):
            draw_course(axes, name, n['step'], n[name], n['truth'], n['banded'])
        reach = 6 * sigma  # a few runs end far outside; the others would be one blot if the frame held them
        x = np.clip(n['final_mean'], mu - reach, mu + reach)
        y = np.minimum(n['final_std'], reach / 2)
        outside = finite & ((x != n['final_mean']) | (y != n['final_std']))
        for chosen, colour, label in ((finite & ~success, figures.GREY, 'others'), (success, figures.BLUE, 'end well')):
            ends.scatter(x[chosen], y[chosen], s=12, color=colour, alpha=0.5, linewidth=0, label=f'{label}: {chosen.sum():,}')
        ends.plot(mu, sigma, '+', color=figures.ORANGE, markersize=11, markeredgewidth=2, linewidth=0, label='data')
        ends.plot([], [], linewidth=0, label=f'of these drawn at the edge: {outside.sum():,}')
        ends.plot([], [], linewidth=0, label=f'not finite (not drawn): {(~finite).sum():,}')
        ends.set(title='Final mean and deviation, a dot a seed', xlabel='mean', ylabel='deviation')
        ends.legend(**figures.BELOW)
        figures.save(figure, path)


def gallery(path):
    """An example of each way to end.

    Numbers:
      title: text.
      kind, share: [kinds], the name of each and its share of the seeds.
      seed, mean, std: [kinds], of the example.
      samples: [kinds, batch], its last batch.
      truth: mean and deviation of the data.
    """
    n = figures.numbers(path)
    mu, sigma = n['truth']
    places, samples = mu + sigma * np.linspace(-4, 4, 200), n['samples']
    with matplotlib.rc_context(figures.STYLE):
        columns = min(3, len(samples))
        rows = -(-len(samples) // columns)
        figure = Figure(figsize=(4 * columns, 0.6 + 2.7 * rows), layout='constrained')
        figure.suptitle(n['title'])
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for i, (axes, values) in enumerate(zip(panels, samples, strict=False)):
            draw_samples(axes, values, f'{n["kind"][i]}: {n["share"][i]:.1%} of seeds')
            height = values.size * np.ptp(values) / HISTOGRAM_BINS
            axes.plot(places, metrics.gaussian(mu, sigma).pdf(places) * height, color=figures.BLUE, label='data')
            axes.legend(title=f'seed {n["seed"][i]}: {n["mean"][i]:.2f} ± {n["std"][i]:.2f}', fontsize=8.5)
        for axes in panels[len(samples) :]:
            axes.set_visible(False)
        figures.save(figure, path)


def film(path):
    """The density of G over the data's, a frame a record; yields their rounds as it draws.

    Numbers:
      title: text.
      step: [frames], rounds.
      edges: [bins + 1].
      density: [frames, bins].
      moments: [frames, 2], mean and deviation.
      truth: mean and deviation of the data.
    """
    n = figures.numbers(path)
    edges, true = n['edges'], metrics.gaussian(*n['truth']).pdf(n['edges'])
    with figures.filming(path, (5.2, 3.6), figures.FRAMES_PER_SECOND // 2) as (axes, writer):
        axes.plot(edges, true, color=figures.BLUE, label='data')
        generated = axes.stairs(n['density'][0], edges, fill=True, color=figures.ORANGE, alpha=0.6, label='generated')
        axes.set(xlim=(edges[0], edges[-1]), ylim=(0, 3 * true.max()), xlabel='value', ylabel='density')
        axes.legend(loc='upper left')
        for step, values, (mean, deviation) in zip(n['step'], n['density'], n['moments'], strict=True):
            generated.set_data(values)
            axes.set_title(f'{n["title"]}, round {step:,}: {mean:.2f} ± {deviation:.2f}')
            writer.grab_frame()
            yield step
