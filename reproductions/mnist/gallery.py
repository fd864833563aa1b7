"""The figures and tables of the MNIST post.

Training takes hours. It keeps its files in output/mnist_figures and resumes from there, so it can be stopped with Ctrl-C at any
time, and the other parts can be made from what is there.
"""

import functools
import json
import pathlib

import numpy as np

from common import markdown
from common.evaluation import two_sample
from common.storage import checkpoints, files
from reproductions.gallery import ROOT, Map, Part, Picture, command, map_pictures, maps, quartiles
from reproductions.mnist import claims as mnist_claims
from reproductions.mnist import collapse as mnist_collapse
from reproductions.mnist import dataset, quality, tables
from reproductions.mnist import figures as mnist_figures
from reproductions.mnist.settings import CLAIM_STEPS, make_settings
from reproductions.mnist.tables import GENTLER, PROGRAMS

TRAINED = ROOT / 'output' / 'mnist_figures'
FIRST_SEEDS, RUNS = (0, 4), 4  # two ensembles of four seeds, so that each can train on its own core


def directories() -> list[pathlib.Path]:
    """Where the two ensembles are trained."""
    return [TRAINED / f'seeds{first}' for first in FIRST_SEEDS]


def train(_out: pathlib.Path) -> None:
    """Trains eight seeds x 50,000 iterations, and two seeds x 20,000 with a gentler Adam."""
    for first, directory in zip(FIRST_SEEDS, directories(), strict=True):
        train_or_resume(directory, f'--seed={first}', f'--runs={RUNS}', f'--num_steps={CLAIM_STEPS}')
    gentle = ['--runs=2', '--num_steps=20000', '--learning_rate=0.0002', '--beta1=0.5']
    train_or_resume(TRAINED / 'gentle', *gentle)


def collapse(out: pathlib.Path) -> None:
    """The first 400 iterations of seed 0 in detail."""
    directory = TRAINED / 'collapse'
    train_or_resume(directory, '--num_steps=400', '--eval_every=20')
    history = files.read_npz(directory / 'history.npz')
    references = json.loads((directory / 'references.json').read_text(encoding='utf-8'))
    mnist_figures.draw_progress(out / 'collapse.png', 'seed 0', history)
    mnist_figures.draw_quality(out / 'collapse_quality.png', 'seed 0', references, history)


def long(out: pathlib.Path) -> None:
    """Seed 0 for the post's full 500,000 iterations."""
    directory = TRAINED / 'long'
    train_or_resume(directory, '--eval_every=5000')
    history, references = (
        files.read_npz(directory / 'history.npz'),
        json.loads((directory / 'references.json').read_text(encoding='utf-8')),
    )
    files.write_csv(out / 'long_results.csv', last_evaluation(history, references))
    mnist_figures.draw_quality(out / 'long_quality.png', 'seed 0', references, history)
    draw_first(directory, out, 'long_')
    tables.write(out)


def train_or_resume(directory: pathlib.Path, *flags: str) -> None:
    """Runs the post's command, resuming if there is a checkpoint."""
    command('mnist', directory, *flags, *['--resume'] * checkpoints.exists(directory))


def measured(out: pathlib.Path) -> None:
    """Figures, claims and outcomes, up to the last iteration that all seeds have reached."""
    first = directories()[0]
    references = json.loads((first / 'references.json').read_text(encoding='utf-8'))
    history = joined([files.read_npz(directory / 'history.npz') for directory in directories()])
    gentle = joined([files.read_npz(TRAINED / 'gentle' / 'history.npz')])
    table, gentle_table = (last_evaluation(part, references) for part in (history, gentle))
    files.write_csv(out / 'results.csv', table)
    files.write_csv(out / 'gentle_results.csv', gentle_table)
    files.write_json(out / 'references.json', references)
    seeds, gentle_seeds = (mnist_figures.named(part['seed']) for part in (table, gentle_table))
    mnist_figures.draw_quality(out / 'quality.png', seeds, references, history)
    mnist_figures.draw_losses(out / 'losses.png', seeds, history)
    digits = np.concatenate([images_of(directory, 'runs').reshape(RUNS, 12, -1) for directory in directories()])
    mnist_figures.draw_runs(out / 'runs.png', seeds, digits)
    draw_first(first, out)
    draw_first(TRAINED / 'gentle', out, 'gentle_', GENTLER)
    own_references = json.loads((TRAINED / 'gentle' / 'references.json').read_text(encoding='utf-8'))
    mnist_figures.draw_quality(out / 'gentle_quality.png', f'{GENTLER}{gentle_seeds}', own_references, gentle)
    grids = images_of(TRAINED / 'gentle', 'runs').reshape(len(gentle_table['seed']), 12, -1)
    mnist_figures.draw_runs(out / 'gentle_runs.png', f'{GENTLER}{gentle_seeds}', grids)
    tables.write(out)


def programs(out: pathlib.Path) -> None:
    """The author's programs of 2018 at length, and the repaired listing."""
    for prefix, flags in PROGRAMS.items():
        directory = TRAINED / prefix
        train_or_resume(directory, *flags)
        history, table = files.read_npz(directory / 'history.npz'), files.read_csv(directory / 'results.csv')
        references = json.loads((directory / 'references.json').read_text(encoding='utf-8'))
        files.write_csv(out / f'{prefix}_results.csv', table)
        files.write_json(out / f'{prefix}_references.json', references)
        whose = f'{prefix.partition("_")[0]}, {mnist_figures.named(table["seed"].astype(int))}'
        mnist_figures.draw_quality(out / f'{prefix}_quality.png', whose, references, history)
        grids = images_of(directory, 'runs').reshape(len(table['seed']), -1, dataset.SIDE**2)
        mnist_figures.draw_runs(out / f'{prefix}_runs.png', whose, grids, conditional='recognized' in table)
        draw_first(directory, out, f'{prefix}_', f'{prefix.partition("_")[0]}, ')
    tables.write(out)


def original(out: pathlib.Path) -> None:
    """Our outcomes after 5,000 iterations beside those of the author's programs."""
    rows = []
    for variant, count in mnist_claims.ORIGINAL_RUNS.items():
        directory = TRAINED / f'{variant}_{mnist_claims.ORIGINAL_STEPS}'
        steps = mnist_claims.ORIGINAL_STEPS
        flags = (f'--variant={variant}', '--seed=1000', f'--runs={count}', f'--num_steps={steps}', f'--eval_every={steps}')
        train_or_resume(directory, *flags)
        table, history = files.read_csv(directory / 'results.csv'), files.read_npz(directory / 'history.npz')
        ours, theirs = mnist_claims.as_original(table, history), mnist_claims.original(variant)
        files.write_csv(out / f'{variant}_{steps}.csv', ours)
        for name, p in two_sample.compare(ours, theirs, mnist_claims.COMPARED).items():
            rows.append([variant, name, quartiles(theirs[name]), quartiles(ours[name]), f'{p:.2g}'])
    files.write_text(out / 'original.md', markdown.table(['program', 'quantity', 'author', 'ours', 'p'], rows))


def grid(out: pathlib.Path) -> None:
    """Why the listing collapses; cells of the committed grid.csv are not trained again."""
    done = mnist_collapse.done(out)
    left = [cell for cell in mnist_collapse.CELLS if cell not in done]
    mnist_collapse.train_cells(TRAINED / 'grid', dataset.load('auto')[0], left)
    mnist_collapse.write_results(TRAINED / 'grid', out)


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
    seed, digits, conditional = (config['flags'].get(name) for name in ('seed', 'digits', 'conditional'))
    trained_for = f'{how}seed {seed}, {config["iterations"]:,} iterations'
    grid = images_of(directory, 'figure')
    mnist_figures.draw_samples(out / f'{prefix}figure.png', trained_for, grid, conditional)
    mnist_figures.draw_interpolation(out / f'{prefix}interpolation.png', trained_for, images_of(directory, 'interpolation'))
    mnist_figures.draw_progress(out / f'{prefix}progress.png', f'{how}seed {seed}', history, conditional)
    if not prefix:
        mnist_figures.draw_grid(out / 'data.png', f'Real digits ({digits})', images_of(directory, 'data'), 10)
    if prefix in ('', '2018-06_'):
        settings = make_settings(config['variant'])
        frames = mnist_figures.gan.frames_of(history)[:: 2 if conditional else 1]  # with 100 digits, the files would be large
        for _ in mnist_figures.draw_animation(settings, out / f'{prefix}animation.gif', frames, seed):
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


MAPS = {
    'depth_rate': Map(
        "MNIST listing after 1,000 iterations: hidden layers of D (G's in reverse) and learning rate, 8 seeds a cell",
        ('--data=bundled', '--num_steps=1000', '--runs=8', '--vary=hidden_sizes=500x200,200,128',
         '--vary=learning_rate=0.00005,0.0002,0.001'),
    ),
    'beta_rate': Map(
        "MNIST 2018-06 after 1,000 iterations: Adam's beta1 and learning rate, 8 seeds a cell",
        ('--variant=2018-06', '--data=bundled', '--num_steps=1000', '--runs=8', '--vary=beta1=0.5,0.9',
         '--vary=learning_rate=0.0001,0.0003,0.001,0.003'),
    ),
}  # fmt: skip
PARTS = {part.__name__: Part(part) for part in (train, collapse, measured, long, programs, original, grid)}
PARTS['maps'] = Part(functools.partial(maps, 'mnist', MAPS))
PICTURES = {
    '2018-06_animation.gif': Picture(
        'programs', mnist_figures.animation, '2018-06: the sheet over time, animated', in_post=False
    ),
    'grid.png': Picture('grid', mnist_collapse.draw, 'what decides whether training collapses', in_post=False),
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
for program in PROGRAMS:
    labels = program != 'repaired'
    sheet, in_time, lines, rows = (
        ('generated digits, a row for each digit asked for', 'ten noise vectors over time',
         'within each digit, between noise vectors', 'digits of every seed')
        if labels
        else ('generated digits', 'the same noise vectors over time', 'interpolation between noise vectors',
              'twelve digits of every seed')
    )  # fmt: skip
    PICTURES |= {
        f'{program}_figure.png': Picture('programs', mnist_figures.sample_grid, f'{program}: {sheet}', in_post=labels),
        f'{program}_progress.png': Picture('programs', mnist_figures.sample_grid, f'{program}: {in_time}', in_post=False),
        f'{program}_interpolation.png': Picture('programs', mnist_figures.sample_grid, f'{program}: {lines}', in_post=False),
        f'{program}_runs.png': Picture('programs', mnist_figures.sample_grid, f'{program}: {rows}', in_post=False),
        f'{program}_quality.png': Picture(
            'programs', mnist_figures.quality_curves, f'{program}: quality over the iterations', in_post=False
        ),
    }
PICTURES |= map_pictures(MAPS)
