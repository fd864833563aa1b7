"""The figures of the MNIST post: which numbers each holds, and how it is drawn from these alone."""

import matplotlib
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from common.nn.random import Stream
from common.plotting import figures
from reproductions.mnist import dataset, gan, quality

PAIRS, PATH = 8, 12  # of noises that are connected, and digits on the way


def interpolation(settings, seeds, train_state):
    """G on straight lines between two noises each, of the first run: uint8 [PAIRS * PATH, 784]."""
    ends = gan.noise(settings, tf.constant(seeds[:1]), Stream.FIGURE, 1, 2 * PAIRS).numpy()[0].T.reshape(PAIRS, 2, 1, -1)
    way = np.linspace(0, 1, PATH, dtype=np.float32)[:, None]
    z = (1 - way) * ends[:, 0] + way * ends[:, 1]
    g = tf.nest.map_structure(lambda value: tf.constant(value[:1]), train_state.g)
    z = tf.constant(z.reshape(1, PAIRS * PATH, -1).transpose(0, 2, 1))
    return quality.as_bytes(gan.generator(settings, g, z).numpy()[0].T)


def draw(settings, directory, digits, judge, seeds, trained):
    """Writes the figures, each with its numbers as .npz. Sheets are of the first seed and of noise that stays the same."""
    images, _ = dataset.training_digits(digits)
    history = trained.history
    trained_for = f'seed {seeds[0]}, {int(trained.train_state.step):,} iterations'
    if not all(np.isfinite(value[0]).all() for value in tf.nest.flatten((trained.train_state.d, trained.train_state.g))):
        trained_for += ': diverged, not finite'
    draw_sheet(directory / 'data.png', f'Real digits ({digits.name})', images[: quality.SHEET], 10)
    generated, path = (
        gan.sheet(settings, seeds[:1], trained.train_state)[0],
        interpolation(settings, seeds, trained.train_state),
    )
    draw_sheet(directory / 'figure.png', f'Generated digits ({trained_for})', generated, 10)
    title = f'From one noise to another along a straight line ({trained_for})'
    draw_sheet(directory / 'interpolation.png', title, path, PATH)
    if 'sheet_step' in history:
        draw_progress(directory / 'progress.png', named(seeds[:1]), history)
    if len(seeds) > 1:
        rows = min(len(seeds), 20)
        first = gan.sheet(settings, seeds[:rows], trained.train_state)[:, :12].reshape(-1, images.shape[1])
        draw_runs(directory / 'runs.png', named(seeds[:rows]), first)
    if 'loss_d' in history:
        draw_losses(directory / 'losses.png', named(seeds), history)
    if 'eval_step' in history:
        draw_quality(directory / 'quality.png', named(seeds), judge.references, history)


def draw_quality(path, whose, references, history):
    """Writes the figure of what the evaluations found, with the numbers of real and untrained digits as levels."""
    arrays = {'title': f'Quality ({whose})'} | {name: history[name] for name in ('eval_step', *quality.COLUMNS)}
    for name, _, levels in PANELS:
        arrays |= {f'{level}/{name}': references[level][name] for level in levels}
    figures.write(path, quality_curves, arrays)


STAGES = 10  # columns of the figure of the fixed noise over time
FILM_DIGITS = 64  # in a frame of the animation
PANELS = (  # of the figure of quality: column, heading, references drawn as levels
    ('frechet', 'Fréchet distance to test digits', ('training', 'untrained')),
    ('score', 'Score (1 to 10)', ('test',)),
    ('classes_covered', 'Classes covered', ('test',)),
    ('nearest_other', 'Distance to the nearest other digit', ('test', 'untrained')),
    ('nearest', 'Distance to the nearest training digit', ('test', 'untrained')),
    ('d_real', 'Decisions of D', ()),
)


def tiled(images, columns, gap=2):
    """Images [n, 784] as one sheet of bytes, row by row, with white lines in between; digits are dark, as ink."""
    rows, side = -(-len(images) // columns), dataset.SIDE
    sheet = np.full((rows * (side + gap) - gap, columns * (side + gap) - gap), 255, np.uint8)
    for i, image in enumerate(images):
        top, left = (i // columns) * (side + gap), (i % columns) * (side + gap)
        sheet[top : top + side, left : left + side] = 255 - image.reshape(side, side)
    return sheet


def sheet(path):
    """Digits: `title`, `images` uint8 [n, 784] in rows of `columns`, and `labels` under the columns, text [columns] or none."""
    n = figures.numbers(path)
    images, columns, labels = n['images'], n['columns'], n['labels']
    rows = -(-len(images) // columns)
    with matplotlib.rc_context(figures.STYLE):
        figure = Figure(figsize=(0.5 * columns + 0.4, 0.5 * rows + 0.8), layout='constrained')
        axes = figure.subplots()
        axes.imshow(tiled(images, columns), cmap='gray', vmin=0, vmax=255, interpolation='nearest')
        axes.set_title(n['title'], fontsize=10)
        axes.grid(False)
        axes.set(frame_on=False, yticks=[])
        axes.set_xticks([30 * i + 13.5 for i in range(len(labels))], labels, fontsize=8)
        axes.tick_params(length=0)
        figures.save(figure, path)


def losses(path):
    """Both losses of every run against the iteration: `title`, `step` [records], `loss_d` and `loss_g` [runs, records]."""
    n = figures.numbers(path)
    with matplotlib.rc_context(figures.STYLE):
        figure = Figure(figsize=(10, 3.6), layout='constrained')
        figure.suptitle(n['title'])
        for axes, name, level in zip(figure.subplots(1, 2), ('loss_d', 'loss_g'), (2 * np.log(2), np.log(2)), strict=True):
            for values in n[name]:
                axes.plot(n['step'], values, color=figures.BLUE, alpha=0.7, linewidth=0.7)
            axes.axhline(level, color=figures.GREY, linestyle=':', linewidth=1, label=f'D cannot tell: {level:.3f}')
            axes.set(title=name, xlabel='iteration', yscale='log')
            axes.legend()
        figures.save(figure, path)


def quality_curves(path):
    """What the evaluations found, a line a run, with real and untrained digits as levels.

    Numbers:
      title: text.
      eval_step: [evaluations].
      the columns of `PANELS` and d_fake: [runs, evaluations].
      <reference>/<column>: the levels.
    """
    n = figures.numbers(path)
    with matplotlib.rc_context(figures.STYLE):
        figure = Figure(figsize=(12, 6.4), layout='constrained')
        figure.suptitle(n['title'])
        for axes, (name, heading, levels) in zip(figure.subplots(2, 3).ravel(), PANELS, strict=True):
            lines = axes.plot(n['eval_step'], n[name].T, color=figures.BLUE, alpha=0.8, linewidth=1)
            if name == 'd_real':
                lines[0].set_label('on test digits')
                lines = axes.plot(n['eval_step'], n['d_fake'].T, color=figures.ORANGE, alpha=0.8, linewidth=1, linestyle='-.')
                lines[0].set_label('on generated digits')
                axes.axhline(0.5, color=figures.GREY, linestyle=':', linewidth=1, label='cannot tell')
            for level, (colour, dashes) in zip(levels, ((figures.GREEN, '--'), (figures.GREY, ':')), strict=False):
                label = {'untrained': 'untrained G'}.get(level, f'real ({level})')
                axes.axhline(n[f'{level}/{name}'], color=colour, linestyle=dashes, linewidth=1.3, label=label)
            axes.set(title=heading, xlabel='iteration', yscale='log' if name == 'frechet' else 'linear')
            axes.locator_params(axis='x', nbins=5)
            axes.legend(fontsize=8)
        figures.save(figure, path)


def film(path):
    """A frame a sheet: `title`, `step` [frames] and `sheets` uint8 [frames, a square number, 784]; yields steps as it draws."""
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


def stages(steps):
    """Up to `STAGES` indices of [records] steps, evenly spread over their logarithms, the first and the last among them."""
    wanted = np.r_[0, np.geomspace(max(steps[min(1, len(steps) - 1)], 1), max(steps[-1], 1), STAGES - 1)]
    return np.unique([np.abs(steps - step).argmin() for step in wanted])


def draw_sheet(path, title, images, columns, labels=()):
    """Writes a figure of images uint8 [n, 784] in rows of `columns`, a label under each column."""
    arrays = {'title': title, 'images': images, 'columns': columns, 'labels': np.array(labels, str)}
    figures.write(path, sheet, arrays)


def draw_progress(path, whose, history):
    """Writes the figure of ten noises of the first run after some of the iterations at which sheets were kept."""
    shown = stages(history['sheet_step'])
    digits = history['sheets'][0, :10][:, :, shown].transpose(0, 2, 1)
    labels = [f'{step:,}' for step in history['sheet_step'][shown]]
    draw_sheet(
        path, f'The same ten noises after iteration ... ({whose})', digits.reshape(-1, digits.shape[2]), len(shown), labels
    )


def draw_runs(path, whose, images):
    """Writes the figure of twelve digits of each seed, uint8 [12 * seeds, 784], a row a seed."""
    draw_sheet(path, f'Twelve digits of each seed, a row a seed ({whose})', images, 12)


def named(seeds):
    """'seed 3' or 'seeds 3 to 5': whose the figures are."""
    return f'seed {seeds[0]}' if len(seeds) == 1 else f'seeds {seeds[0]} to {seeds[-1]}'


def draw_losses(path, whose, history):
    """Writes the figure of both losses of every run against the iteration."""
    arrays = {name: history[name] for name in ('step', 'loss_d', 'loss_g')}
    figures.write(path, losses, {'title': f'Losses ({whose})'} | arrays)


def frames_of(history):
    """The sample grids of the first run that were kept during training: [(iteration, uint8 [100, 784])], [] for none."""
    if 'sheet_step' not in history:
        return []
    return [(step, history['sheets'][0, :, :, i]) for i, step in enumerate(history['sheet_step'])]


def draw_film(settings, path, frames, seed):
    """Writes the animation's numbers, and gives the generator that draws it: `frames` are those of `frames_of`."""
    del settings
    steps, sheets = zip(*frames, strict=True)
    arrays = {'title': f'seed {seed}', 'step': np.array(steps), 'sheets': np.stack(sheets)[:, :FILM_DIGITS]}
    return figures.write(path, film, arrays)
