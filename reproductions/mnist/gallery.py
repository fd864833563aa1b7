"""The figures and tables of the MNIST post: one function (runs, directory) per part.

Training takes hours. It keeps its files in output/mnist_figures and resumes from there, so it can be stopped with Ctrl-C at any
time, and the other parts can be made from what is there.
"""

import json
import pathlib

import numpy as np

from common.storage import checkpoints, files
from reproductions.gallery import ROOT, Picture, command, quartiles
from reproductions.mnist import claims as mnist_claims
from reproductions.mnist import figures as mnist_figures
from reproductions.mnist import quality
from reproductions.mnist.settings import CLAIM_STEPS

TRAINED = ROOT / 'output' / 'mnist_figures'
FIRST_SEEDS, RUNS = (0, 4), 4  # two ensembles of four seeds, so that each can train on its own core
GENTLER = 'gentler Adam, '  # in titles


def directories() -> list[pathlib.Path]:
    """Where the two ensembles are trained."""
    return [TRAINED / f'seeds{first}' for first in FIRST_SEEDS]


def train(runs: int, out: pathlib.Path) -> None:
    """Trains eight seeds x 50,000 iterations, and two seeds x 20,000 with a gentler Adam."""
    del runs, out
    for first, directory in zip(FIRST_SEEDS, directories(), strict=True):
        train_or_resume(directory, f'--seed={first}', f'--runs={RUNS}', f'--num_steps={CLAIM_STEPS}')
    gentle = ['--runs=2', '--num_steps=20000', '--learning_rate=0.0002', '--beta1=0.5']
    train_or_resume(TRAINED / 'gentle', *gentle)


def collapse(runs: int, out: pathlib.Path) -> None:
    """The first 400 iterations of seed 0 in detail."""
    del runs
    directory = TRAINED / 'collapse'
    train_or_resume(directory, '--num_steps=400', '--eval_every=20')
    history = files.read_npz(directory / 'history.npz')
    references = json.loads((directory / 'references.json').read_text(encoding='utf-8'))
    mnist_figures.draw_progress(out / 'collapse.png', 'seed 0', history)
    mnist_figures.draw_quality(out / 'collapse_quality.png', 'seed 0', references, history)


def long(runs: int, out: pathlib.Path) -> None:
    """Seed 0 for the post's full 500,000 iterations."""
    del runs
    directory = TRAINED / 'long'
    train_or_resume(directory, '--eval_every=5000')
    history, references = (
        files.read_npz(directory / 'history.npz'),
        json.loads((directory / 'references.json').read_text(encoding='utf-8')),
    )
    files.write_csv(out / 'long_results.csv', last_evaluation(history, references))
    mnist_figures.draw_quality(out / 'long_quality.png', 'seed 0', references, history)
    draw_first(directory, out, 'long_')
    write_outcomes(out)


def train_or_resume(directory: pathlib.Path, *flags: str) -> None:
    """Runs the post's command, resuming if there is a checkpoint."""
    command('mnist', directory, *flags, *['--resume'] * checkpoints.exists(directory))


def measured(runs: int, out: pathlib.Path) -> None:
    """Figures, claims and outcomes, up to the last iteration that all seeds have reached."""
    del runs
    first = directories()[0]
    references = json.loads((first / 'references.json').read_text(encoding='utf-8'))
    history = joined([files.read_npz(directory / 'history.npz') for directory in directories()])
    gentle = joined([files.read_npz(TRAINED / 'gentle' / 'history.npz')])
    table, gentle_table = (last_evaluation(part, references) for part in (history, gentle))
    files.write_csv(out / 'results.csv', table)
    files.write_csv(out / 'gentle_results.csv', gentle_table)
    files.write_json(out / 'references.json', references)
    mnist_claims.write(out, table, history, references, gentle_table)
    seeds, gentle_seeds = (mnist_figures.named(part['seed']) for part in (table, gentle_table))
    mnist_figures.draw_quality(out / 'quality.png', seeds, references, history)
    mnist_figures.draw_losses(out / 'losses.png', seeds, history)
    digits = np.concatenate([images_of(directory, 'runs') for directory in directories()])
    mnist_figures.draw_runs(out / 'runs.png', seeds, digits)
    draw_first(first, out)
    draw_first(TRAINED / 'gentle', out, 'gentle_', GENTLER)
    own_references = json.loads((TRAINED / 'gentle' / 'references.json').read_text(encoding='utf-8'))
    mnist_figures.draw_quality(out / 'gentle_quality.png', f'{GENTLER}{gentle_seeds}', own_references, gentle)
    mnist_figures.draw_runs(out / 'gentle_runs.png', f'{GENTLER}{gentle_seeds}', images_of(TRAINED / 'gentle', 'runs'))
    write_outcomes(out)


def images_of(directory: pathlib.Path, name: str) -> np.ndarray:
    """The digits of one of the command's figures, uint8 [n, 784]."""
    return files.read_npz(directory / f'{name}.npz')['images']


def draw_first(directory: pathlib.Path, out: pathlib.Path, prefix: str = '', how: str = '') -> None:
    """The figures of an ensemble's first seed, from the command's files; without a prefix, also real digits and animation.

    `how`: how it was trained, placed before the seed in titles.
    """
    config, history = (
        json.loads((directory / 'config.json').read_text(encoding='utf-8')),
        files.read_npz(directory / 'history.npz'),
    )
    seed, digits = config['flags']['seed'], config['flags']['digits']
    trained_for = f'{how}seed {seed}, {config["iterations"]:,} iterations'
    for name, title, columns in (
        ('figure', 'Generated digits', 10),
        ('interpolation', 'Interpolation between pairs of noise vectors', mnist_figures.PATH),
    ):
        mnist_figures.draw_grid(out / f'{prefix}{name}.png', f'{title} ({trained_for})', images_of(directory, name), columns)
    mnist_figures.draw_progress(out / f'{prefix}progress.png', f'{how}seed {seed}', history)
    if not prefix:
        mnist_figures.draw_grid(out / 'data.png', f'Real digits ({digits})', images_of(directory, 'data'), 10)
        for _ in mnist_figures.draw_animation(None, out / 'animation.gif', mnist_figures.frames_of(history), seed):
            pass


def last_evaluation(history: dict[str, np.ndarray], references: dict[str, dict[str, float]]) -> dict[str, np.ndarray]:
    """{column: [runs]} of the last evaluation."""
    table = {'seed': np.arange(len(history['frechet']))} | {name: history[name][:, -1] for name in quality.COLUMNS}
    return table | quality.verdict_columns(references, table)


def joined(histories: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Histories of ensembles joined, {name: array}: losses and evaluations at the iterations they all have."""
    found = {}
    for steps, names in (('step', ('loss_d', 'loss_g')), ('eval_step', quality.COLUMNS)):
        common = sorted(set.intersection(*(set(history[steps].tolist()) for history in histories)))
        found[steps] = np.array(common)
        for name in names:
            chosen = (history[name][:, np.isin(history[steps], common)] for history in histories)
            found[name] = np.concatenate(list(chosen))
    return found


def write_outcomes(out: pathlib.Path) -> None:
    """outcomes.md, from the other parts' files: generated digits beside real ones and those of an untrained G."""
    references = json.loads((out / 'references.json').read_text(encoding='utf-8'))
    tables, headings = [], []
    for prefix, how in (('', ''), ('long_', ''), ('gentle_', GENTLER)):
        table, steps = files.read_csv(out / f'{prefix}results.csv'), files.read_npz(out / f'{prefix}quality.npz')['eval_step']
        tables.append(table)
        headings.append(f'{how}{mnist_figures.named(table["seed"].astype(int))} after {steps[-1] + 1:,}')
    real = references['test'] | {'frechet': references['training']['frechet'], 'd_real': np.nan, 'd_fake': np.nan}
    lines = [f'| | {" | ".join(headings)} | untrained | real digits |', '|---' * (len(tables) + 3) + '|']
    for name, label in (
        ('classes_covered', 'classes covered'),
        ('largest_share', 'share of the commonest class'),
        ('score', 'score, 1 to 10'),
        ('frechet', 'Fréchet distance to test digits'),
        ('confident', 'share that the classifier is sure of'),
        ('nearest', 'distance to the nearest training digit'),
        ('nearest_other', 'distance to the nearest other digit'),
        ('d_real', 'D on test digits'),
        ('d_fake', 'D on generated digits'),
    ):
        cells = [quartiles(table[name]) for table in tables] + [f'{references["untrained"][name]:.3g}']
        lines.append(f'| {label} | {" | ".join(cells)} | {"" if np.isnan(real[name]) else f"{real[name]:.3g}"} |')
    for name in ('success', 'collapsed'):
        cells = [f'{(table[name] == 1).sum()} of {len(table[name])}' for table in tables]
        lines.append(f'| {name} | {" | ".join(cells)} | | |')
    files.write_text(out / 'outcomes.md', '\n'.join(lines) + '\n')


PARTS = {'train': train, 'collapse': collapse, 'measured': measured, 'long': long}
PICTURES = {
    'data.png': Picture('measured', mnist_figures.sample_grid, 'real digits'),
    'figure.png': Picture('measured', mnist_figures.sample_grid, 'generated digits'),
    'progress.png': Picture('measured', mnist_figures.sample_grid, 'the same noise vectors over time', in_post=False),
    'animation.gif': Picture('measured', mnist_figures.animation, 'the same noise vectors over time, animated', in_post=False),
    'interpolation.png': Picture('measured', mnist_figures.sample_grid, 'interpolation between noise vectors', in_post=False),
    'runs.png': Picture('measured', mnist_figures.sample_grid, 'twelve digits per seed', in_post=False),
    'collapse.png': Picture('collapse', mnist_figures.sample_grid, 'the collapse in detail', in_post=False),
    'collapse_quality.png': Picture('collapse', mnist_figures.quality_curves, 'quality during the collapse', in_post=False),
    'quality.png': Picture('measured', mnist_figures.quality_curves, 'quality over the iterations', in_post=False),
    'losses.png': Picture('measured', mnist_figures.losses, 'losses', in_post=False),
    'long_figure.png': Picture('long', mnist_figures.sample_grid, 'generated digits after 500,000 iterations', in_post=False),
    'long_progress.png': Picture(
        'long', mnist_figures.sample_grid, 'the same noise vectors over 500,000 iterations', in_post=False
    ),
    'long_interpolation.png': Picture(
        'long', mnist_figures.sample_grid, 'interpolation between noise vectors, after 500,000', in_post=False
    ),
    'long_quality.png': Picture('long', mnist_figures.quality_curves, 'quality over 500,000 iterations', in_post=False),
    'gentle_figure.png': Picture('measured', mnist_figures.sample_grid, 'generated digits, gentler training', in_post=False),
    'gentle_progress.png': Picture(
        'measured', mnist_figures.sample_grid, 'the same noise vectors over time, gentler training', in_post=False
    ),
    'gentle_interpolation.png': Picture(
        'measured', mnist_figures.sample_grid, 'interpolation between noise vectors, gentler training', in_post=False
    ),
    'gentle_runs.png': Picture(
        'measured', mnist_figures.sample_grid, 'twelve digits of two seeds, gentler training', in_post=False
    ),
    'gentle_quality.png': Picture(
        'measured', mnist_figures.quality_curves, 'quality over the iterations, gentler training', in_post=False
    ),
}
