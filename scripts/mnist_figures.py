"""The figures and tables of the MNIST post: a function (runs, directory) for each part.

Training takes hours. What was trained stays in output/mnist_figures, and a later call goes on from there, so that it may be
stopped with Ctrl-C at any time and the other part be made of what there is.
"""

import json
import shutil

import numpy as np
from parts import ROOT, command, quartiles

from common import results
from common.checkpoints import NAME
from reproductions import mnist, mnist_claims

TRAINED = ROOT / 'output' / 'mnist_figures'
FIRST_SEEDS, RUNS = (0, 4), 4  # two ensembles of four seeds, of which one may train on each core
GENTLE = ('figure', 'interpolation', 'progress', 'quality', 'runs')  # of the gentler training
ONE = ('data', 'figure', 'interpolation', 'progress')  # pictures of the first seed, from its ensemble


def directories():
    return [TRAINED / f'seeds{first}' for first in FIRST_SEEDS]


def train(runs, out):
    """Eight seeds x 50,000 iterations, and two seeds x 20,000 with a gentler Adam."""
    del runs, out
    for first, directory in zip(FIRST_SEEDS, directories(), strict=True):
        go_on(directory, f'--seed={first}', f'--runs={RUNS}', f'--num_steps={mnist.CLAIM_STEPS}', '--animation')
    gentle = ['--runs=2', '--num_steps=20000', '--learning_rate=0.0002', '--beta1=0.5']
    go_on(TRAINED / 'gentle', *gentle)


def collapse(runs, out):
    """The first 400 iterations of seed 0 at close range."""
    del runs
    directory = TRAINED / 'collapse'
    go_on(directory, '--num_steps=400', '--eval_every=20')
    for source, target in (('progress', 'collapse'), ('quality', 'collapse_quality')):
        for suffix in ('png', 'npz'):
            shutil.copy(directory / f'{source}.{suffix}', out / f'{target}.{suffix}')


def go_on(directory, *flags):
    """The post's command, from where it stopped if it was begun."""
    command(mnist, directory, *flags, *['--resume'] * (directory / 'checkpoint' / NAME).exists())


def measured(runs, out):
    """Figures, claims and outcomes, of the iterations that all seeds have."""
    del runs
    first = directories()[0]
    references = json.loads((first / 'references.json').read_text())
    history = joined([np.load(directory / 'history.npz') for directory in directories()])
    gentle = joined([np.load(TRAINED / 'gentle' / 'history.npz')])
    table, gentle_table = (last_evaluation(part, references) for part in (history, gentle))
    results.write_csv(out / 'results.csv', table)
    results.write_csv(out / 'gentle_results.csv', gentle_table)
    results.write_json(out / 'references.json', references)
    mnist_claims.write(out, mnist_claims.measure(table, history, references, gentle_table))
    write_outcomes({'': (table, history), 'gentler Adam, ': (gentle_table, gentle)}, references, out)
    mnist.draw_quality(out, references, history)
    mnist.draw_losses(out, f'Losses of seeds 0 to {len(table["seed"]) - 1}', history)
    sheets = np.concatenate([np.load(directory / 'runs.npz')['images'] for directory in directories()])
    mnist.draw_sheet(out, 'runs', f'Twelve digits of each seed, 0 to {len(table["seed"]) - 1}, a row a seed', sheets, 12)
    for suffix in ('png', 'npz'):
        for name in ONE:
            shutil.copy(first / f'{name}.{suffix}', out)
        for name in GENTLE:
            shutil.copy(TRAINED / 'gentle' / f'{name}.{suffix}', out / f'gentle_{name}.{suffix}')
    for suffix in ('gif', 'npz'):
        shutil.copy(first / f'animation.{suffix}', out)


def last_evaluation(history, references):
    """{column: [runs]} of the last evaluation."""
    table = {'seed': np.arange(len(history['frechet']))} | {name: history[name][:, -1] for name in mnist.COLUMNS}
    return table | mnist.verdict_columns(references, table)


def joined(histories):
    """Histories of ensembles as one, {name: array}: the losses and evaluations of the iterations that all of them have."""
    found = {}
    for steps, names in (('step', ('loss_d', 'loss_g')), ('eval_step', mnist.COLUMNS)):
        common = sorted(set.intersection(*(set(history[steps].tolist()) for history in histories)))
        found[steps] = np.array(common)
        for name in names:
            chosen = (history[name][:, np.isin(history[steps], common)] for history in histories)
            found[name] = np.concatenate(list(chosen))
    return found


def write_outcomes(trained, references, out):
    """outcomes.md: generated digits beside real and untrained ones. `trained` is {heading: (table, history)}."""
    tables = [table for table, _ in trained.values()]
    headings = [
        f'{label}{len(table["seed"])} seeds after {history["eval_step"][-1] + 1:,}'
        for label, (table, history) in trained.items()
    ]
    real = references['test'] | {'frechet': references['training']['frechet'], 'd_real': np.nan, 'd_fake': np.nan}
    lines = [f'| | {" | ".join(headings)} | untrained | real digits |', '|---|---|---|---|---|']
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
    results.write_text(out / 'outcomes.md', '\n'.join(lines) + '\n')


PARTS = {'train': train, 'collapse': collapse, 'measured': measured}
