"""Why the listing collapses: hidden layers, labels, learning rate and initial weights, each combination over several seeds.

A run counts as collapsed while a pixel varies over its digits (within a class, if it is conditional) less than a tenth as much
as over real digits. A cell is trained for 5,000 iterations. Only cells of the listing's depth stop earlier, once all runs have
been collapsed for 500 iterations at its learning rate, where collapse is for good (eight seeds over 50,000 iterations, one over
500,000), or for 2,000 at a lower one. Runs of one hidden layer go through a time of nearly equal digits and recover.

The measure and its bound were written before any cell was trained; that cells of one hidden layer must not stop early, when the
first of their runs were seen to recover; the 2,000, when the first cell at a lower rate had stayed collapsed from iteration 201
to 5,000 in all runs.
"""

import itertools
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from common import markdown, training
from common.devices import distribution
from common.plotting import figures
from common.storage import files
from reproductions.mnist import dataset, gan, quality
from reproductions.mnist.settings import CLASSES, make_settings

RATES = (0.001, 0.0002, 0.00005)
RUNS, MOST, EVERY = 16, 5_000, 100  # seeds; iterations: at most, between checks
PATIENCE = 500, 2_000  # iterations collapsed before two hidden layers stop: at the listing's rate, and at lower ones
ALIKE = 0.1  # of the variation of real digits
TITLE = 'Depth decides whether the MNIST GAN collapses'
SAMPLES = 500  # digits that the variation is measured on
JUDGED = ('classes_covered', 'frechet', 'success', 'recognized')  # of the runs of a cell that did not stop early


class Cell(NamedTuple):
    """One combination."""

    hidden: int  # layers: two as listed, or one of 128 units as in the author's programs of 2018
    conditional: bool
    learning_rate: float
    glorot: bool

    @property
    def name(self) -> str:
        label, init = 'labels' if self.conditional else 'plain', 'glorot' if self.glorot else 'he'
        return f'{self.hidden}_{label}_{self.learning_rate:g}_{init}'


CELLS = tuple(Cell(*values) for values in itertools.product((2, 1), (False, True), RATES, (False, True)))


def settings_of(cell: Cell) -> gan.Settings:
    """The listing with the changes of a cell."""
    post = make_settings()
    d, g = post.d_widths, post.g_widths
    if cell.hidden == 1:
        d, g = (d[0], 128, 1), (g[0], 128, g[-1])
    extra = CLASSES * cell.conditional
    return make_settings(
        d_widths=(d[0] + extra, *d[1:]), g_widths=(g[0] + extra, *g[1:]), conditional=cell.conditional,
        learning_rate=cell.learning_rate, glorot=cell.glorot,
    )  # fmt: skip


# --- Training -----------------------------------------------------------------------------------------------------------------


def variation(images: np.ndarray, labels: np.ndarray, conditional: bool) -> float:
    """Standard deviation of a pixel over images [n, 784], averaged over pixels; within classes if `conditional`."""
    return quality.pixel_std_within_class(images, labels if conditional else np.zeros_like(labels))


def variations(settings: gan.Settings, seeds: np.ndarray, train_state: training.TrainState) -> np.ndarray:
    """`variation` of each run's digits on fixed noise, [runs]; `train_state` is of NumPy arrays."""
    asked = np.arange(SAMPLES) % CLASSES
    found = gan.samples(settings, seeds, train_state.g, SAMPLES)
    return np.array([variation(images, asked, settings.conditional) for images in found])


def train_cell(
    cell: Cell, digits: dataset.Digits, evaluator: quality.Evaluator, runs: int = RUNS, most: int = MOST
) -> dict[str, np.ndarray]:
    """Trains seeds 0 .. runs-1 of a cell.

    Returns:
      {'step': [checks], 'variation': [runs, checks], relative to real digits, and columns [runs]}: `collapsed` at the end,
      `since` which check (iteration; NaN if it is not), and `JUDGED`, NaN if the cell stopped early.
    """
    settings = settings_of(cell)
    images, labels = dataset.training_digits(digits)
    real = variation(quality.scale(images), labels, cell.conditional)
    seeds, strategy = np.arange(runs, dtype=np.uint32), distribution.make_strategy('cpu', runs)
    steps, relative, patience = [], [], PATIENCE[cell.learning_rate < RATES[0]]
    for state, records in training.train(gan.make_experiment(settings, digits), strategy, seeds, most, EVERY):
        train_state = distribution.to_host(strategy, state).train_state
        steps.append(records['step'][-1] + 1)
        relative.append(variations(settings, seeds, train_state) / real)
        late = np.array(relative)[np.array(steps) > steps[-1] - patience]
        if cell.hidden == 2 and steps[-1] > patience and (late < ALIKE).all():
            break
    found = {'step': np.array(steps), 'variation': np.array(relative).T}
    return found | outcomes_of(cell, found, evaluator, seeds, train_state, stopped=steps[-1] < most)


def outcomes_of(
    cell: Cell,
    found: dict[str, np.ndarray],
    evaluator: quality.Evaluator,
    seeds: np.ndarray,
    train_state: training.TrainState,
    stopped: bool,
) -> dict[str, np.ndarray]:
    """The columns of `train_cell`."""
    alike = found['variation'] < ALIKE
    for_good = np.logical_and.accumulate(alike[:, ::-1], axis=1)[:, ::-1]
    since = np.where(for_good.any(axis=1), found['step'][for_good.argmax(axis=1)], np.nan)
    table = {'seed': seeds, 'collapsed': alike[:, -1].astype(int), 'since': since}
    if stopped:
        return table | {name: np.full(len(seeds), np.nan) for name in JUDGED}
    columns, _ = gan.evaluate(settings_of(cell), evaluator, seeds, train_state)
    columns |= quality.verdict_columns(evaluator.references, columns)
    return table | {name: columns.get(name, np.full(len(seeds), np.nan)) for name in JUDGED}


def train_cells(directory: pathlib.Path, digits: dataset.Digits, cells: Sequence[Cell] = CELLS) -> None:
    """Trains the cells that have no file <name>.npz in the directory yet."""
    evaluator = quality.make_evaluator(digits)
    directory.mkdir(parents=True, exist_ok=True)
    for cell in cells:
        path = directory / f'{cell.name}.npz'
        if not path.exists():
            print(f'training {cell.name}', flush=True)
            files.write_npz(path, train_cell(cell, digits, evaluator))


# --- The figure and the table -------------------------------------------------------------------------------------------------


def write_results(directory: pathlib.Path, out: pathlib.Path) -> None:
    """Writes grid.csv, a row per run, the figure grid.png and the table grid.md.

    A cell without a file of `train_cells` keeps its rows of the grid.csv that is there.
    """
    rows, earlier = [], done(out)
    for cell in CELLS:
        path = directory / f'{cell.name}.npz'
        if path.exists():
            arrays = files.read_npz(path)
            runs = len(arrays['seed'])
            given = {name: np.full(runs, float(value)) for name, value in cell._asdict().items()}
            given |= {'iterations': np.full(runs, arrays['step'][-1])}
            rows.append(given | {name: arrays[name] for name in ('seed', 'collapsed', 'since', *JUDGED)})
        elif cell in earlier:
            rows.append(earlier[cell])
    table = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    files.write_csv(out / 'grid.csv', table)
    files.write_text(out / 'grid.md', as_markdown(table))
    figures.write(out / 'grid.png', draw, table)


def done(out: pathlib.Path) -> dict[Cell, dict[str, np.ndarray]]:
    """The cells of grid.csv, if it is there, and their rows."""
    if not (out / 'grid.csv').exists():
        return {}
    table = files.read_csv(out / 'grid.csv')
    return {cell: part for cell in CELLS if len((part := of_cell(table, cell))['seed'])}


def of_cell(table: dict[str, np.ndarray], cell: Cell) -> dict[str, np.ndarray]:
    """The rows of a cell."""
    chosen = np.all([table[name] == float(value) for name, value in cell._asdict().items()], axis=0)
    return {name: values[chosen] for name, values in table.items()}


def summary(part: dict[str, np.ndarray]) -> dict[str, float]:
    """Numbers of a cell: runs, how many collapsed and when (median), and the medians of the others' quality."""
    numbers = {name: np.median(part[name]) for name in ('classes_covered', 'frechet', 'recognized')}
    return {
        'runs': len(part['seed']),
        'collapsed': int(part['collapsed'].sum()),
        'since': float(np.nanmedian(part['since'])) if part['collapsed'].any() else np.nan,
        'success': np.nansum(part['success']),
        **{name: float(value) for name, value in numbers.items()},
    }


def as_markdown(table: dict[str, np.ndarray]) -> str:
    """The table of the page, a row per cell."""
    head = ['hidden layers', 'labels', 'learning rate', 'initial weights', 'collapsed', 'since iteration (median)',
            'classes covered', 'recognized as asked', 'Fréchet distance', 'success']  # fmt: skip
    rows = []
    for cell in CELLS:
        part = of_cell(table, cell)
        if not len(part['seed']):
            continue
        n = summary(part)
        rows.append([
            cell.hidden, 'yes' if cell.conditional else 'no', decimal(cell.learning_rate),
            "Glorot's" if cell.glorot else "He's",
            f'{n["collapsed"]} of {n["runs"]}', shown(n['since'], '{:,.0f}'), shown(n['classes_covered'], '{:.3g}'),
            shown(n['recognized'], '{:.2f}'), shown(n['frechet'], '{:.3g}'), f'{n["success"]:.0f} of {n["runs"]}',
        ])  # fmt: skip
    return markdown.table(head, rows)


def decimal(rate: float) -> str:
    """0.00005 rather than 5e-05."""
    return f'{rate:.5f}'.rstrip('0')


def shown(value: float, form: str) -> str:
    """A number as text, '' for NaN."""
    return '' if np.isnan(value) else form.format(value)


def draw(path: pathlib.Path) -> Figure:
    """The share of collapsed runs of every cell. Data: the columns of grid.csv."""
    table = figures.numbers(path)
    rows, columns = list(itertools.product((2, 1), (False, True))), list(itertools.product((False, True), RATES))
    with figures.style():
        figure = Figure(figsize=(11, 5), layout='constrained')
        axes = figure.subplots()
        shares = np.full((len(rows), len(columns)), np.nan)
        for (i, (hidden, conditional)), (j, (glorot, rate)) in itertools.product(enumerate(rows), enumerate(columns)):
            part = of_cell(table, Cell(hidden, conditional, rate, glorot))
            if not len(part['seed']):
                axes.text(j, i, 'not trained', ha='center', va='center', fontsize=8, color=figures.GREY)
            else:
                n = summary(part)
                shares[i, j] = n['collapsed'] / n['runs']
                axes.text(
                    j, i, text_of(n), ha='center', va='center', fontsize=8, color='white' if shares[i, j] > 0.6 else 'black'
                )
        image = axes.imshow(shares, cmap='Reds', vmin=0, vmax=1, aspect='auto')
        figure.colorbar(image, label='share of runs that collapsed')
        names = {2: 'two hidden layers', 1: 'one hidden layer'}
        axes.set_yticks(range(len(rows)), [f'{names[hidden]},\n{"with" if labels else "no"} labels' for hidden, labels in rows])
        axes.set_xticks(range(len(columns)), [f'{"Glorot" if glorot else "He"}\n{decimal(rate)}' for glorot, rate in columns])
        axes.set(
            xlabel="initial weights and Adam's learning rate",
            title=TITLE,
        )
        axes.grid(False)
        return figures.save(figure, path)


def text_of(n: dict[str, float]) -> str:
    """What a cell of the figure says."""
    lines = [f'{n["collapsed"]} of {n["runs"]} collapsed']
    lines += [f'since iteration {n["since"]:,.0f}'] if n['collapsed'] else []
    covered = n['classes_covered']
    lines += [f'{covered:.3g} class{"es" * (covered != 1)}'] if not np.isnan(covered) else []
    lines += [f'{n["recognized"]:.0%} as asked'] if not np.isnan(n['recognized']) else []
    return '\n'.join(lines)
