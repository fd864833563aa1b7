"""The figures of Dev Nag's post: what data each holds, and how it is drawn from that data alone."""

import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common import training
from common.evaluation import metrics, outcomes
from common.nn.random import Stream
from common.plotting import densities, figures
from common.program.command import Finished
from reproductions.devnag import gan

GALLERY = 10  # final distributions in the post's grid


def last_batches(settings: gan.Settings, seeds: np.ndarray, train_state: training.TrainState, rows: np.ndarray) -> np.ndarray:
    """The batch the post plots at the end, [len(rows), batch]: the trained G on the noise of its last update."""
    update = max(int(train_state.step) * settings.g_steps - 1, 0)
    z = gan.noise(settings, tf.constant(seeds[rows]), Stream.NOISE_G, update)
    g = tf.nest.map_structure(lambda value: tf.constant(value[rows]), train_state.g)
    return gan.generator(settings, g, z).numpy()[:, 0]


def draw(run: Finished) -> None:
    """Writes figure.png for the first seed; for several seeds also runs.png (up to ten final distributions) and ensemble.png.

    The data of each figure is beside it as .npz.
    """
    settings, directory, seeds, trained, table, _ = run
    shown = np.arange(min(len(seeds), GALLERY))
    samples = last_batches(settings, seeds, trained.train_state, shown)
    heading = f'GAN in 50 lines ({settings.variant}, {settings.preprocess}'
    trajectory = {'step': trained.history['step']} | {name: trained.history[name][0] for name in MOMENTS}
    arrays = {'title': f'{heading}, seed {seeds[0]})', 'samples': samples[0], 'truth': [settings.mu, settings.sigma]}
    figures.write(directory / 'figure.png', one, trajectory | arrays)
    if len(seeds) == 1:
        return
    labels = [f'#{i + 1}: {table["mean"][i]:.3g} ± {table["std"][i]:.3g}' for i in shown]
    title = f'{heading}, seeds {seeds[0]} to {seeds[shown[-1]]})'
    arrays = {'title': title, 'labels': labels, 'seed': seeds[shown], 'samples': samples}
    figures.write(directory / 'runs.png', grid, arrays)
    draw_ensemble(settings, directory / 'ensemble.png', f'{heading}, {len(seeds):,} seeds)', table, trained.history)


def draw_ensemble(
    settings: gan.Settings, path: pathlib.Path, title: str, table: dict[str, np.ndarray], history: dict[str, np.ndarray]
) -> None:
    """Writes the figure of many seeds: moments as one curve per run or, for more than ten, bands over the finite runs."""
    finite = table['finite'] == 1
    banded = len(finite) > GALLERY and bool(finite.any())
    arrays = {'title': title, 'step': history['step'], 'banded': banded, 'truth': [settings.mu, settings.sigma]}
    for name in MOMENTS:
        values = history[name]
        arrays[name] = np.quantile(values[finite], figures.BANDS, axis=0) if banded else values
        arrays[f'final_{name}'] = table[name]
    figures.write(path, ensemble, arrays | {name: table[name] for name in ('finite', 'success')})


def seen(settings: gan.Settings, seeds: np.ndarray, d: Any, g: Any) -> densities.Curves:
    """What the explorer shows of some runs' networks; D at x is its decision on a normal batch of mean x and the data's std."""
    x = settings.mu + densities.places_within(6 * settings.sigma)
    shape = metrics.gaussian(0.0, settings.sigma).ppf((np.arange(settings.batch_size) + 0.5) / settings.batch_size)
    runs = tf.nest.flatten(g)[0].shape[0]
    batches = (x[:, None] + shape).astype(np.float32)
    decided = [gan.discriminator(settings, d, tf.tile(batch[None, None], [runs, 1, 1]))[:, 0, 0] for batch in batches]
    z = np.linspace(0, settings.noise_range, densities.SAMPLES, dtype=np.float32)
    samples = gan.generator(settings, g, tf.tile(z[None, None], [runs, 1, 1])).numpy()[:, 0]
    at = np.linspace(0, len(z) - 1, densities.SEEN).round().astype(int)
    title = "Densities; D's decision on a batch of mean x"
    return densities.Curves(
        x, np.stack(decided, axis=1), densities.histograms(samples, x), z[at], samples[:, at], gan.truth(settings).pdf(x), title
    )


def draw_animation(settings: gan.Settings, path: pathlib.Path, frames: list[tuple[int, Any]], seed: int) -> Iterator[int]:
    """Writes the animation's data and returns the generator that draws it; `frames` are those of `session.Trained`."""
    edges = settings.mu + settings.sigma * np.linspace(-6, 6, 121)
    evaluate, seeds = gan.evaluation(settings), tf.constant([seed], tf.uint32)
    samples = np.array([evaluate(seeds, *outcomes.rows_of((state.d, state.g), [0]))[0][0] for _, state in frames])
    counts = np.stack([np.histogram(row[np.isfinite(row)], edges)[0] for row in samples])
    arrays = {'title': f'{settings.variant}, seed {seed}', 'edges': edges, 'step': np.array([step for step, _ in frames])}
    arrays |= {'density': counts / (samples.shape[1] * np.diff(edges)), 'truth': [settings.mu, settings.sigma]}
    arrays |= {'moments': np.stack([samples.mean(axis=1), samples.std(axis=1)], axis=1)}
    return figures.write(path, animation, arrays)


HISTOGRAM_BINS = 50  # as in the post's histograms, each over the range of its samples
MOMENTS = {'mean': 'mean', 'std': 'standard deviation'}  # plotted against the round


def draw_samples(axes: Axes, samples: np.ndarray, label: str) -> None:
    """A histogram with 50 bins over the range of the samples [n], as in the post."""
    finite = samples[np.isfinite(samples)]
    if finite.size:
        axes.hist(finite, bins=HISTOGRAM_BINS, color=figures.ORANGE)
    axes.set_title(label if finite.size == samples.size else f'{label}: not finite')


def draw_trajectory(
    axes: Axes, name: str, steps: np.ndarray, curves: np.ndarray, truth: Sequence[float], banded: bool = False
) -> None:
    """A moment against the round, with the data's as a horizontal line.

    Args:
      axes: matplotlib axes.
      name: a key of `MOMENTS`.
      steps: [records].
      curves: [runs, records], one curve per run; or, if `banded`, [len(figures.BANDS), records].
      truth: mean and std of the data.
      banded: whether `curves` are quantiles over seeds.
    """
    if banded:
        figures.draw_bands(axes, steps, curves)
    else:
        axes.plot(steps, curves.T, color=figures.BLUE, linewidth=0.8, alpha=0.8)
    target = dict(zip(MOMENTS, truth, strict=True))[name]
    axes.axhline(target, color=figures.ORANGE, linestyle='--', label=f'data: {target:g}')
    axes.set(title=f'{MOMENTS[name].capitalize()} of a generated batch', xlabel='round', ylabel=MOMENTS[name])
    axes.legend(loc='best', fontsize=8.5)


def one(path: pathlib.Path) -> Figure:
    """The post's figures of one run: both moments against the round, and the final histogram.

    Data:
      title: text.
      step, mean, std: [records].
      samples: [batch], of the last G.
      truth: mean and std of the data.
    """
    n = figures.numbers(path)
    with figures.style():
        figure = Figure(figsize=(12, 3.6), layout='constrained')
        figure.suptitle(n['title'])
        *moment_axes, histogram = figure.subplots(1, 3)
        for axes, name in zip(moment_axes, MOMENTS, strict=True):
            draw_trajectory(axes, name, n['step'], n[name][None], n['truth'])
        draw_samples(histogram, n['samples'], f'Last batch of {len(n["samples"])} generated samples')
        histogram.set(xlabel='value', ylabel='count')
        return figures.save(figure, path)


def grid(path: pathlib.Path) -> Figure:
    """The post's grid of final distributions, five per row. Data: `title`, `labels` [runs] and `samples` [runs, batch]."""
    n = figures.numbers(path)
    samples = n['samples']
    with figures.style():
        rows = -(-len(samples) // 5)
        figure = Figure(figsize=(12, 0.6 + 2.3 * rows), layout='constrained')
        figure.suptitle(n['title'])
        panels = figure.subplots(rows, 5, squeeze=False).ravel()
        for axes, label, values in zip(panels, n['labels'], samples, strict=False):
            draw_samples(axes, values, label)
        for axes in panels[len(samples) :]:
            axes.set_visible(False)
        return figures.save(figure, path)


def ensemble(path: pathlib.Path) -> Figure:
    """Both moments during training, and where each seed ends.

    Data:
      title: text.
      step: [records].
      mean, std: the moments, `curves` of `draw_trajectory`.
      banded: whether they are quantiles over the seeds.
      final_mean, final_std, finite, success: [runs], as in results.csv.
      truth: mean and std of the data.
    """
    n = figures.numbers(path)
    finite, success = n['finite'] == 1, n['success'] == 1
    mu, sigma = n['truth']
    with figures.style():
        figure = Figure(figsize=(12, 4.2), layout='constrained')
        figure.suptitle(n['title'])
        *moment_axes, ends = figure.subplots(1, 3)
        for axes, name in zip(moment_axes, MOMENTS, strict=True):
            draw_trajectory(axes, name, n['step'], n[name], n['truth'], n['banded'])
        reach = 6 * sigma  # a few runs end far outside; to show them all, the axes would squeeze the others into one spot
        x = np.clip(n['final_mean'], mu - reach, mu + reach)
        y = np.minimum(n['final_std'], reach / 2)
        outside = finite & ((x != n['final_mean']) | (y != n['final_std']))
        for chosen, color, label in ((finite & ~success, figures.GREY, 'not converged'), (success, figures.BLUE, 'success')):
            ends.scatter(x[chosen], y[chosen], s=12, color=color, alpha=0.5, linewidth=0, label=f'{label}: {chosen.sum():,}')
        ends.plot(mu, sigma, '+', color=figures.ORANGE, markersize=11, markeredgewidth=2, linewidth=0, label='data')
        ends.plot([], [], linewidth=0, label=f'outside, drawn at the edge: {outside.sum():,}')
        ends.plot([], [], linewidth=0, label=f'not finite (not drawn): {(~finite).sum():,}')
        ends.set(title='Final mean and std, one dot per seed', xlabel='mean', ylabel='standard deviation')
        ends.legend(**figures.BELOW)
        return figures.save(figure, path)


def gallery(path: pathlib.Path) -> Figure:
    """An example of each kind of outcome.

    Data:
      title: text.
      kind, share: [kinds], name and share of the seeds.
      seed, mean, std: [kinds], of the example.
      samples: [kinds, batch], its last batch.
      truth: mean and std of the data.
    """
    n = figures.numbers(path)
    mu, sigma = n['truth']
    x, samples = mu + sigma * np.linspace(-4, 4, 200), n['samples']
    with figures.style():
        columns = min(3, len(samples))
        rows = -(-len(samples) // columns)
        figure = Figure(figsize=(4 * columns, 0.6 + 2.7 * rows), layout='constrained')
        figure.suptitle(n['title'])
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for i, (axes, values) in enumerate(zip(panels, samples, strict=False)):
            draw_samples(axes, values, f'{n["kind"][i]}: {n["share"][i]:.1%} of seeds')
            height = values.size * np.ptp(values) / HISTOGRAM_BINS
            axes.plot(x, metrics.gaussian(mu, sigma).pdf(x) * height, color=figures.BLUE, label='data')
            axes.legend(title=f'seed {n["seed"][i]}: {n["mean"][i]:.2f} ± {n["std"][i]:.2f}', fontsize=8.5)
        for axes in panels[len(samples) :]:
            axes.set_visible(False)
        return figures.save(figure, path)


def stability(path: pathlib.Path) -> Figure:
    """The mean of a generated batch against the round, a line per seed, for each program.

    Data:
      programs: [programs], their names.
      truth: mean and std of the data.
      <program>/step: [records].
      <program>/mean: [runs, records].
      <program>/success, <program>/diverges: [runs].
    """
    n = figures.numbers(path)
    mu, sigma = n['truth']
    with figures.style():
        figure = Figure(figsize=(12, 4.4), layout='constrained')
        panels = figure.subplots(1, len(n['programs']), sharey=True)
        for axes, name in zip(panels, n['programs'], strict=True):
            success, away = n[f'{name}/success'] == 1, n[f'{name}/diverges']
            kinds = {
                'ends well': (success, figures.BLUE),
                'ends otherwise': (~success & ~away, figures.GREY),
                'diverges': (away, figures.ORANGE),
            }
            for label, (chosen, color) in kinds.items():
                lines = axes.plot(n[f'{name}/step'], n[f'{name}/mean'][chosen].T, color=color, linewidth=0.7, alpha=0.5)
                if lines:
                    axes.plot([], [], color=color, label=f'{label}: {np.mean(chosen):.1%} of {len(chosen)} seeds')
            axes.axhspan(mu - sigma, mu + sigma, color='black', alpha=0.15, linewidth=0, label='the data: mean ± std')
            axes.set(title=f'The program of {name}', xlabel='round')
            axes.legend(loc='upper left', fontsize=8.5)
        panels[0].set(ylabel='mean of a generated batch')
        return figures.save(figure, path)


def animation(path: pathlib.Path) -> Iterator[int]:
    """The density of G over that of the data, one frame per record; yields the round of each frame it draws.

    Data:
      title: text.
      step: [frames], rounds.
      edges: [bins + 1].
      density: [frames, bins].
      moments: [frames, 2], mean and std.
      truth: mean and std of the data.
    """
    n = figures.numbers(path)
    edges, true = n['edges'], metrics.gaussian(*n['truth']).pdf(n['edges'])
    with figures.filming(path, (5.2, 3.6), figures.FRAMES_PER_SECOND // 2) as (axes, writer):
        axes.plot(edges, true, color=figures.BLUE, label='data')
        generated = axes.stairs(n['density'][0], edges, fill=True, color=figures.ORANGE, alpha=0.6, label='generated')
        axes.set(xlim=(edges[0], edges[-1]), ylim=(0, 3 * true.max()), xlabel='value', ylabel='density')
        axes.legend(loc='upper left')
        for step, values, (mean, std) in zip(n['step'], n['density'], n['moments'], strict=True):
            generated.set_data(values)
            axes.set_title(f'{n["title"]}, round {step:,}: {mean:.2f} ± {std:.2f}')
            writer.grab_frame()
            yield step


DRAWN = {'figure': one, 'ensemble': ensemble, 'runs': grid}
