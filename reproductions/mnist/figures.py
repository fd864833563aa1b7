"""The figures of the MNIST post: what data each holds, and how it is drawn from that data alone."""

import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from common import training
from common.nn.random import Stream
from common.plotting import figures
from common.program import session
from reproductions.mnist import dataset, gan, quality

PAIRS, PATH = 8, 12  # pairs of noise vectors, and digits on each path between them


def interpolation(settings: gan.Settings, seeds: np.ndarray, train_state: training.TrainState) -> np.ndarray:
    """The first run's G along straight lines between pairs of noise vectors, uint8 [PAIRS * PATH, 784]."""
    ends = gan.noise(settings, tf.constant(seeds[:1]), Stream.FIGURE, 1, 2 * PAIRS).numpy()[0].T.reshape(PAIRS, 2, 1, -1)
    weight = np.linspace(0, 1, PATH, dtype=np.float32)[:, None]
    z = (1 - weight) * ends[:, 0] + weight * ends[:, 1]
    g = tf.nest.map_structure(lambda value: tf.constant(value[:1]), train_state.g)
    z = tf.constant(z.reshape(1, PAIRS * PATH, -1).transpose(0, 2, 1))
    return quality.as_bytes(gan.generator(settings, g, z).numpy()[0].T)


def draw(
    settings: gan.Settings,
    directory: pathlib.Path,
    digits: dataset.Digits,
    evaluator: quality.Evaluator,
    seeds: np.ndarray,
    trained: session.Trained,
) -> None:
    """Writes the figures, each with its data as .npz. Sample grids show the first seed on fixed noise."""
    images, _ = dataset.training_digits(digits)
    history = trained.history
    trained_for = f'seed {seeds[0]}, {int(trained.train_state.step):,} iterations'
    if not all(np.isfinite(value[0]).all() for value in tf.nest.flatten((trained.train_state.d, trained.train_state.g))):
        trained_for += ': diverged, not finite'
    draw_grid(directory / 'data.png', f'Real digits ({digits.name})', images[: quality.GRID_SIZE], 10)
    generated, path = (
        gan.sample_grid(settings, seeds[:1], trained.train_state)[0],
        interpolation(settings, seeds, trained.train_state),
    )
    draw_grid(directory / 'figure.png', f'Generated digits ({trained_for})', generated, 10)
    title = f'Interpolation between pairs of noise vectors ({trained_for})'
    draw_grid(directory / 'interpolation.png', title, path, PATH)
    if 'sheet_step' in history:
        draw_progress(directory / 'progress.png', named(seeds[:1]), history)
    if len(seeds) > 1:
        rows = min(len(seeds), 20)
        first = gan.sample_grid(settings, seeds[:rows], trained.train_state)[:, :12].reshape(-1, images.shape[1])
        draw_runs(directory / 'runs.png', named(seeds[:rows]), first)
    if 'loss_d' in history:
        draw_losses(directory / 'losses.png', named(seeds), history)
    if 'eval_step' in history:
        draw_quality(directory / 'quality.png', named(seeds), evaluator.references, history)


def draw_quality(
    path: pathlib.Path, whose: str, references: dict[str, dict[str, float]], history: dict[str, np.ndarray]
) -> None:
    """Writes the figure of the evaluations, with the values of real digits and of an untrained G as reference lines."""
    arrays = {'title': f'Quality ({whose})'} | {name: history[name] for name in ('eval_step', *quality.COLUMNS)}
    for name, _, levels in PANELS:
        arrays |= {f'{level}/{name}': references[level][name] for level in levels}
    figures.write(path, quality_curves, arrays)


STAGES = 10  # columns of the figure of fixed noise over time
ANIMATION_DIGITS = 64  # per frame
PANELS = (  # of the quality figure: column, title, references drawn as horizontal lines
    ('frechet', 'Fréchet distance to test digits', ('training', 'untrained')),
    ('score', 'Entropy score (1 to 10)', ('test',)),
    ('classes_covered', 'Classes covered', ('test',)),
    ('nearest_other', 'Distance to the nearest other digit', ('test', 'untrained')),
    ('nearest', 'Distance to the nearest training digit', ('test', 'untrained')),
    ('d_real', 'Mean output of D', ()),
)


def tiled(images: np.ndarray, columns: int, gap: int = 2) -> np.ndarray:
    """Images [n, 784] as one grid of bytes, row by row, separated by white lines; digits are dark on white."""
    rows, side = -(-len(images) // columns), dataset.SIDE
    tiles = np.full((rows * (side + gap) - gap, columns * (side + gap) - gap), 255, np.uint8)
    for i, image in enumerate(images):
        top, left = (i // columns) * (side + gap), (i % columns) * (side + gap)
        tiles[top : top + side, left : left + side] = 255 - image.reshape(side, side)
    return tiles


def sample_grid(path: pathlib.Path) -> None:
    """A grid of digits. Data: `title`, `images` uint8 [n, 784], `columns`, and their `labels`, text [columns] or []."""
    n = figures.numbers(path)
    images, columns, labels = n['images'], n['columns'], n['labels']
    rows = -(-len(images) // columns)
    with figures.style():
        figure = Figure(figsize=(0.5 * columns + 0.4, 0.5 * rows + 0.8), layout='constrained')
        axes = figure.subplots()
        axes.imshow(tiled(images, columns), cmap='gray', vmin=0, vmax=255, interpolation='nearest')
        axes.set_title(n['title'], fontsize=10)
        axes.grid(False)
        axes.set(frame_on=False, yticks=[])
        axes.set_xticks([30 * i + 13.5 for i in range(len(labels))], labels, fontsize=8)
        axes.tick_params(length=0)
        figures.save(figure, path)


def losses(path: pathlib.Path) -> None:
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
        figures.save(figure, path)


def quality_curves(path: pathlib.Path) -> None:
    """The evaluations, one line per run, with real digits and an untrained G as reference lines.

    Data:
      title: text.
      eval_step: [evaluations].
      the columns of `PANELS` and d_fake: [runs, evaluations].
      <reference>/<column>: the reference lines.
    """
    n = figures.numbers(path)
    with figures.style():
        figure = Figure(figsize=(12, 6.4), layout='constrained')
        figure.suptitle(n['title'])
        for axes, (name, heading, levels) in zip(figure.subplots(2, 3).ravel(), PANELS, strict=True):
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
        figures.save(figure, path)


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


def draw_progress(path: pathlib.Path, whose: str, history: dict[str, np.ndarray]) -> None:
    """Writes the figure of ten noise vectors through the first run's G, at up to `STAGES` of the recorded iterations."""
    shown = stages(history['sheet_step'])
    digits = history['sheets'][0, :10][:, :, shown].transpose(0, 2, 1)
    labels = [f'{step:,}' for step in history['sheet_step'][shown]]
    draw_grid(
        path,
        f'The same ten noise vectors after iteration ... ({whose})',
        digits.reshape(-1, digits.shape[2]),
        len(shown),
        labels,
    )


def draw_runs(path: pathlib.Path, whose: str, images: np.ndarray) -> None:
    """Writes the figure of twelve digits of each seed, uint8 [12 * seeds, 784], one row per seed."""
    draw_grid(path, f'Twelve digits per seed, one row per seed ({whose})', images, 12)


def named(seeds: np.ndarray) -> str:
    """'seed 3' or 'seeds 3 to 5', for titles."""
    return f'seed {seeds[0]}' if len(seeds) == 1 else f'seeds {seeds[0]} to {seeds[-1]}'


def draw_losses(path: pathlib.Path, whose: str, history: dict[str, np.ndarray]) -> None:
    """Writes the figure of both losses of every run."""
    arrays = {name: history[name] for name in ('step', 'loss_d', 'loss_g')}
    figures.write(path, losses, {'title': f'Losses ({whose})'} | arrays)


def frames_of(history: dict[str, np.ndarray]) -> list[tuple[int, np.ndarray]]:
    """The first run's sample grids recorded during training: [(iteration, uint8 [100, 784])], may be []."""
    if 'sheet_step' not in history:
        return []
    return [(step, history['sheets'][0, :, :, i]) for i, step in enumerate(history['sheet_step'])]


def draw_animation(
    settings: gan.Settings | None, path: pathlib.Path, frames: list[tuple[int, Any]], seed: int
) -> Iterator[int]:
    """Writes the animation's data and returns the generator that draws it; `frames` are those of `frames_of`."""
    del settings
    steps, grids = zip(*frames, strict=True)
    arrays = {'title': f'seed {seed}', 'step': np.array(steps), 'sheets': np.stack(grids)[:, :ANIMATION_DIGITS]}
    return figures.write(path, animation, arrays)
