"""The figures of the MNIST post: what data each holds, and how it is drawn from that data alone."""

import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common import training
from common.nn.random import Stream
from common.plotting import figures
from common.program.command import Finished
from reproductions.mnist import dataset, gan, quality
from reproductions.mnist.settings import CLASSES

SHOWN_SEEDS = 20  # at most, a row each
PAIRS, PATH = 8, 12  # pairs of noise vectors, and digits on each path between them


def interpolation(settings: gan.Settings, seeds: np.ndarray, train_state: training.TrainState) -> np.ndarray:
    """The first run's G along straight lines between pairs of noise vectors, uint8 [8 * PATH, 784].

    A conditional G is asked for one class on each line: [10 * PATH, 784].
    """
    lines = CLASSES if settings.conditional else PAIRS
    ends = gan.noise(settings, tf.constant(seeds[:1]), Stream.FIGURE, 1, 2 * lines).numpy()[0].T.reshape(lines, 2, 1, -1)
    weight = np.linspace(0, 1, PATH, dtype=np.float32)[:, None]
    z = (1 - weight) * ends[:, 0] + weight * ends[:, 1]
    g = tf.nest.map_structure(lambda value: tf.constant(value[:1]), train_state.g)
    z = tf.constant(z.reshape(1, lines * PATH, -1).transpose(0, 2, 1))
    if settings.conditional:
        z = dataset.with_labels(z, tf.repeat(tf.range(CLASSES), PATH)[None])
    return quality.as_bytes(gan.generator(settings, g, z).numpy()[0].T)


def draw(run: Finished) -> None:
    """Writes references.json and the figures, each with its data as .npz. Sample grids show the first seed on fixed noise."""
    settings, directory, seeds, trained, _, judge = run
    history, evaluator = trained.history, judge.evaluation
    references = quality.write_references(directory, evaluator, gan.untrained(settings, evaluator, seeds[0]))
    images, _ = dataset.training_digits(evaluator.digits)
    trained_for = f'seed {seeds[0]}, {int(trained.train_state.step):,} iterations'
    if not all(np.isfinite(value[0]).all() for value in tf.nest.flatten((trained.train_state.d, trained.train_state.g))):
        trained_for += ': diverged, not finite'
    draw_grid(directory / 'data.png', f'Real digits ({evaluator.digits.name})', images[: quality.GRID_SIZE], 10)
    rows = min(len(seeds), SHOWN_SEEDS)
    grids = gan.sample_grid(settings, seeds[:rows], trained.train_state.g)
    shown = by_class(grids[0]) if settings.conditional else grids[0]
    draw_samples(directory / 'figure.png', trained_for, shown, settings.conditional)
    draw_interpolation(directory / 'interpolation.png', trained_for, interpolation(settings, seeds, trained.train_state))
    if 'sheet_step' in history:
        draw_progress(directory / 'progress.png', named(seeds[:1]), history, settings.conditional)
    if len(seeds) > 1:
        draw_runs(directory / 'runs.png', named(seeds[:rows]), grids, settings.conditional)
    if 'loss_d' in history:
        draw_losses(directory / 'losses.png', named(seeds), history)
    if 'eval_step' in history:
        draw_quality(directory / 'quality.png', named(seeds), references, history)


def draw_quality(
    path: pathlib.Path, whose: str, references: dict[str, dict[str, float]], history: dict[str, np.ndarray]
) -> None:
    """Writes the figure of the evaluations, with the values of real digits and of an untrained G as reference lines."""
    names = quality.column_names('recognized' in history)
    arrays = {'title': f'Quality ({whose})'} | {name: history[name] for name in ('eval_step', *names)}
    for name, _, levels in panels_of(arrays):
        arrays |= {f'{level}/{name}': references[level][name] for level in levels}
    figures.write(path, quality_curves, arrays)


STAGES = 10  # columns of the figure of fixed noise over time
PANELS = (  # of the quality figure: column, title, references drawn as horizontal lines
    ('frechet', 'Fréchet distance to test digits', ('training', 'untrained')),
    ('score', 'Entropy score (1 to 10)', ('test',)),
    ('classes_covered', 'Classes covered', ('test',)),
    ('nearest_other', 'Distance to the nearest other digit', ('test', 'untrained')),
    ('nearest', 'Distance to the nearest training digit', ('test', 'untrained')),
    ('d_real', 'Mean output of D', ()),
)
CONDITIONAL_PANELS = (  # besides those, of a conditional GAN
    ('recognized', 'Share recognized as the digit asked for', ('test',)),
    ('recognized_k', 'The same by digit (medians over seeds)', ()),
    ('pixel_std_within_class', 'Pixel std within a class', ('test', 'untrained')),
)
ANIMATION_DIGITS = 64  # per frame; of a conditional GAN all 100


def panels_of(arrays: dict[str, np.ndarray]) -> tuple[tuple, ...]:
    """The panels of the quality figure for these columns."""
    return PANELS + CONDITIONAL_PANELS if 'recognized' in arrays else PANELS


def by_class(grids: np.ndarray) -> np.ndarray:
    """Sample grids [..., n, 784] of 0, 1, ... 9, 0, 1, ... in the order of the classes: all 0, then all 1, ..."""
    return grids[..., np.argsort(np.arange(grids.shape[-2]) % CLASSES, kind='stable'), :]


def tiled(images: np.ndarray, columns: int, gap: int = 2) -> np.ndarray:
    """Images [n, 784] as one grid of bytes, row by row, separated by white lines; digits are dark on white."""
    rows, side = -(-len(images) // columns), dataset.SIDE
    tiles = np.full((rows * (side + gap) - gap, columns * (side + gap) - gap), 255, np.uint8)
    for i, image in enumerate(images):
        top, left = (i // columns) * (side + gap), (i % columns) * (side + gap)
        tiles[top : top + side, left : left + side] = 255 - image.reshape(side, side)
    return tiles


def seen(settings: gan.Settings, seeds: np.ndarray, d: Any, g: Any) -> np.ndarray:
    """What the explorer shows of the networks of some runs: digits of each of the first, bytes [runs, height, width]."""
    rows = min(len(seeds), SHOWN_SEEDS)
    grids = gan.sample_grid(settings, seeds[:rows], g)
    if len(seeds) > 1:
        columns = 10 if settings.conditional else 12
        return np.stack([tiled(digits[:columns], columns, gap=0) for digits in grids])
    return tiled(by_class(grids[0]) if settings.conditional else grids[0], 10, gap=0)[None]


def sample_grid(path: pathlib.Path) -> Figure:
    """A grid of digits. Data: `title`, `images` uint8 [n, 784], `columns`, and their `labels`, text [columns] or []."""
    n = figures.numbers(path)
    images, columns, labels = n['images'], n['columns'], n['labels']
    rows = -(-len(images) // columns)
    lines = n['title'].count('\n') + (len(labels) > 0)  # of text beside the title's first
    with figures.style():
        figure = Figure(figsize=(0.5 * columns + 0.4, 0.5 * rows + 0.8 + 0.2 * max(0, lines - 1)), layout='constrained')
        axes = figure.subplots()
        axes.imshow(tiled(images, columns), cmap='gray', vmin=0, vmax=255, interpolation='nearest')
        axes.set_title(n['title'], fontsize=10)
        axes.grid(False)
        axes.set(frame_on=False, yticks=[])
        axes.set_xticks([30 * i + 13.5 for i in range(len(labels))], labels, fontsize=8)
        axes.tick_params(length=0)
        return figures.save(figure, path)


def losses(path: pathlib.Path) -> Figure:
    """Both losses of every run. Data: `title`, `step` [records], `loss_d` and `loss_g` [runs, records]."""
    n = figures.numbers(path)
    with figures.style():
        figure = Figure(figsize=(10, 3.6), layout='constrained')
        figure.suptitle(n['title'])
        for axes, name, level in zip(figure.subplots(1, 2), ('loss_d', 'loss_g'), (2 * np.log(2), np.log(2)), strict=True):
            for values in n[name]:
                axes.plot(n['step'], values, color=figures.BLUE, alpha=0.7, linewidth=0.7)
            axes.axhline(level, color=figures.GREY, linestyle=':', linewidth=1, label=f'D cannot tell: {level:.3f}')
            axes.set(title=f'Loss of {name[-1].upper()}', xlabel='iteration', ylabel='loss', yscale='log')
            axes.legend()
        return figures.save(figure, path)


def quality_curves(path: pathlib.Path) -> Figure:
    """The evaluations, one line per run, with real digits and an untrained G as reference lines.

    Data:
      title: text.
      eval_step: [evaluations].
      the columns of `PANELS` and d_fake: [runs, evaluations]; a conditional GAN also those of `CONDITIONAL_PANELS`.
      <reference>/<column>: the reference lines.
    """
    n = figures.numbers(path)
    panels = panels_of(n)
    with figures.style():
        rows = len(panels) // 3
        figure = Figure(figsize=(12, 3.2 * rows), layout='constrained')
        figure.suptitle(n['title'])
        for axes, (name, heading, levels) in zip(figure.subplots(rows, 3).ravel(), panels, strict=True):
            if name == 'recognized_k':
                recognized_by_class(axes, heading, n)
                continue
            lines = axes.plot(n['eval_step'], n[name].T, color=figures.BLUE, alpha=0.8, linewidth=1)
            if name == 'd_real':
                lines[0].set_label('on test digits')
                lines = axes.plot(n['eval_step'], n['d_fake'].T, color=figures.ORANGE, alpha=0.8, linewidth=1, linestyle='-.')
                lines[0].set_label('on generated digits')
                axes.axhline(0.5, color=figures.GREY, linestyle=':', linewidth=1, label='D cannot tell')
            for level, (color, dashes) in zip(levels, ((figures.GREEN, '--'), (figures.GREY, ':')), strict=False):
                label = {'untrained': 'untrained G'}.get(level, f'real ({level})')
                axes.axhline(n[f'{level}/{name}'], color=color, linestyle=dashes, linewidth=1.3, label=label)
            axes.set(title=heading, xlabel='iteration', yscale='log' if name == 'frechet' else 'linear')
            axes.locator_params(axis='x', nbins=5)
            axes.legend(fontsize=8)
        return figures.save(figure, path)


def recognized_by_class(axes: Axes, heading: str, n: dict[str, np.ndarray]) -> None:
    """Draws the median over runs of each class's `recognized_k`, one line per class: five colors, solid and dashed."""
    for k in range(10):
        color, dashes = (*figures.COLORS, figures.PINK)[k % 5], '-' if k < 5 else '--'
        values = np.median(n[f'recognized_{k}'], axis=0)
        axes.plot(n['eval_step'], values, color=color, linestyle=dashes, linewidth=1, label=str(k))
    axes.set(title=heading, xlabel='iteration')
    axes.locator_params(axis='x', nbins=5)
    axes.legend(fontsize=8, ncols=5)


def animation(path: pathlib.Path) -> Iterator[int]:
    """One frame per sample grid; yields the step of each. Data: `title`, `step` [frames], `sheets` uint8 [frames, n^2, 784]."""
    n = figures.numbers(path)
    columns = round(n['sheets'].shape[1] ** 0.5)
    with figures.filming(path, (3.4, 3.7), figures.FRAMES_PER_SECOND // 3) as (axes, writer):
        shown = axes.imshow(tiled(n['sheets'][0], columns), cmap='gray', vmin=0, vmax=255, interpolation='nearest')
        axes.set_axis_off()
        for step, images in zip(n['step'], n['sheets'], strict=True):
            shown.set_data(tiled(images, columns))
            axes.set_title(f'{n["title"]}, iteration {step:,}')
            writer.grab_frame()
            yield step


def stages(steps: np.ndarray) -> np.ndarray:
    """Up to `STAGES` indices of [records] steps, evenly spaced in log(step), including the first and the last."""
    wanted = np.r_[0, np.geomspace(max(steps[min(1, len(steps) - 1)], 1), max(steps[-1], 1), STAGES - 1)]
    return np.unique([np.abs(steps - step).argmin() for step in wanted])


def draw_grid(path: pathlib.Path, title: str, images: np.ndarray, columns: int, labels: Sequence[str] = ()) -> None:
    """Writes a figure of images uint8 [n, 784] in rows of `columns`, with a label below each column."""
    arrays = {'title': title, 'images': images, 'columns': columns, 'labels': np.array(labels, str)}
    figures.write(path, sample_grid, arrays)


def draw_samples(path: pathlib.Path, trained_for: str, images: np.ndarray, conditional: bool) -> None:
    """Writes the figure of a sample grid, uint8 [100, 784]; of a conditional GAN in the order of `by_class`."""
    what = ', a row for each digit asked for\n' if conditional else ' '
    draw_grid(path, f'Generated digits{what}({trained_for})', images, 10)


def draw_interpolation(path: pathlib.Path, trained_for: str, images: np.ndarray) -> None:
    """Writes the figure of `interpolation`, one row per pair of noise vectors."""
    within = ', a row for each digit asked for\n' if len(images) == CLASSES * PATH else ' '
    draw_grid(path, f'Interpolation between pairs of noise vectors{within}({trained_for})', images, PATH)


def draw_progress(path: pathlib.Path, whose: str, history: dict[str, np.ndarray], conditional: bool = False) -> None:
    """Writes the figure of ten noise vectors through the first run's G, at up to `STAGES` of the recorded iterations.

    A conditional G is asked for 0 to 9.
    """
    shown = stages(history['sheet_step'])
    digits = history['sheets'][0, :10][:, :, shown].transpose(0, 2, 1)
    labels = [f'{step:,}' for step in history['sheet_step'][shown]]
    asked, gap = (', asked for 0 to 9,', '\n') if conditional else ('', ' ')
    title = f'The same ten noise vectors{asked} after iteration ...{gap}({whose})'
    draw_grid(path, title, digits.reshape(-1, digits.shape[2]), len(shown), labels)


def draw_runs(path: pathlib.Path, whose: str, grids: np.ndarray, conditional: bool = False) -> None:
    """Writes the figure of the first digits of each seed's sample grid, uint8 [seeds, 100, 784], one row per seed."""
    columns, what = (10, 'The digits 0 to 9 of each seed') if conditional else (12, 'Twelve digits per seed')
    draw_grid(path, f'{what}, one row per seed ({whose})', grids[:, :columns].reshape(-1, grids.shape[2]), columns)


def named(seeds: np.ndarray) -> str:
    """'seed 3' or 'seeds 3 to 5', for titles."""
    return f'seed {seeds[0]}' if len(seeds) == 1 else f'seeds {seeds[0]} to {seeds[-1]}'


def draw_losses(path: pathlib.Path, whose: str, history: dict[str, np.ndarray]) -> None:
    """Writes the figure of both losses of every run."""
    arrays = {name: history[name] for name in ('step', 'loss_d', 'loss_g')}
    figures.write(path, losses, {'title': f'Losses ({whose})'} | arrays)


def draw_animation(settings: gan.Settings, path: pathlib.Path, frames: list[tuple[int, Any]], seed: int) -> Iterator[int]:
    """Writes the animation's data and returns the generator that draws it; `frames` are those of `gan.frames_of`."""
    steps, grids = zip(*frames, strict=True)
    sheets = by_class(np.stack(grids)) if settings.conditional else np.stack(grids)[:, :ANIMATION_DIGITS]
    arrays = {'title': f'seed {seed}', 'step': np.array(steps), 'sheets': sheets}
    return figures.write(path, animation, arrays)


DRAWN = dict.fromkeys(('figure', 'data', 'interpolation', 'progress', 'runs'), sample_grid)
DRAWN |= {'losses': losses, 'quality': quality_curves}
