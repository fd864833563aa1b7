"""The figures and tables of Jang's post: a function (runs, directory) for each part."""

import pathlib
import shutil
import tempfile

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from parts import command, quartiles

from common import claims, figures, reference, results
from reproductions import jang, jang_claims

SEED = 1000  # of the ensembles
POST_FIGURES = {  # of the solo run: file of the command, and its name here
    'data': 'data',
    'decision_before': 'decision_before',
    'pretraining_loss': 'pretraining_loss',
    'decision_after': 'decision_after',
    'before': 'before',
    'losses': 'losses',
    'figure': 'after',
}


def run(runs, out):
    """The post's seven figures and the animation, of seed 0."""
    del runs
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        command(jang, scratch / 'figures')
        command(jang, scratch / 'film', '--animation')
        for source, target in POST_FIGURES.items():
            for suffix in ('png', 'npz'):
                shutil.copy(scratch / 'figures' / f'{source}.{suffix}', out / f'{target}.{suffix}')
        for suffix in ('gif', 'npz'):
            shutil.copy(scratch / 'film' / f'animation.{suffix}', out)


def ensemble(runs, out):
    """The spread over seeds, with the row of each."""
    with tempfile.TemporaryDirectory() as scratch:
        command(jang, scratch, f'--runs={runs}', f'--seed={SEED}')
        for name in ('ensemble.png', 'ensemble.npz', 'results.csv'):
            shutil.copy(pathlib.Path(scratch) / name, out)


def measured(runs, out):
    """What sorting and stratifying change, the claims, and our outcomes beside the author's."""
    arms = jang_claims.alignment(SEED, runs)
    write_alignment(arms, out)
    write_outcomes(next(iter(arms.values())), out)
    write_claims(jang_claims.measure(SEED, max(100, runs // jang_claims.MORE), arms=arms), out)


def write_claims(rows, out):
    """claims.json and claims.md."""
    results.write_json(out / 'claims.json', claims.as_json(rows))
    results.write_text(out / 'claims.md', claims.as_markdown(rows))


def write_alignment(arms, out):
    """alignment.md, .npz and .png: success and distance to the data, by how samples and noise are made to line up."""
    lines = ['| real samples, noise | seeds | success | distance to the data: median | quartiles |', '|---|---|---|---|---|']
    for name, table in arms.items():
        share, middle = claims.proportion(table['success']), claims.median(table['wasserstein'])
        low, high = np.quantile(table['wasserstein'], [0.25, 0.75])
        lines.append(
            f'| {name} | {share.n:,} | {share.value:.1%} [{share.low:.1%}, {share.high:.1%}] '
            f'| {middle.value:.3f} [{middle.low:.3f}, {middle.high:.3f}] | {low:.3f} .. {high:.3f} |'
        )
    results.write_text(out / 'alignment.md', '\n'.join(lines) + '\n')
    distances = {name: table['wasserstein'] for name, table in arms.items()}
    results.write_npz(out / 'alignment.npz', distances | {'seed': next(iter(arms.values()))['seed']})
    with matplotlib.rc_context(figures.STYLE):
        figure = Figure(figsize=(11, 4.4), layout='constrained')
        left, right = figure.subplots(1, 2)
        styles = ((figures.BLUE, '-'), (figures.GREEN, '--'), (figures.ORANGE, '-'), (figures.GREY, '--'))
        for (name, values), (colour, dashes) in zip(distances.items(), styles, strict=True):
            left.ecdf(values, color=colour, linestyle=dashes, label=name)
        left.axvline(jang.SUCCESS_BOUND, color='black', linestyle=':', linewidth=1)
        left.annotate('success', (jang.SUCCESS_BOUND, 0.02), ha='right', rotation=90, va='bottom', textcoords='offset points',
                      xytext=(-2, 0), fontsize=8.5)  # fmt: skip
        left.set(
            title=f'Four ways to line samples up, {len(values):,} seeds each', xlabel='Wasserstein distance to the data',
            ylabel='share of seeds below', xscale='log', xlim=(0.04, 4),
        )  # fmt: skip
        left.legend(loc='lower right', fontsize=8.5)
        post, unsorted, *_ = distances.values()
        right.plot([0.04, 4], [0.04, 4], color=figures.GREY, linewidth=0.8)
        right.scatter(post, unsorted, s=9, color=figures.BLUE, alpha=0.4, linewidth=0)
        right.set(
            title='The same seed, sorted and unsorted (grid)', xlabel='distance, sorted', ylabel='distance, unsorted',
            xscale='log', yscale='log', xlim=(0.04, 4), ylim=(0.04, 4), aspect='equal',
        )  # fmt: skip
        figures.save(figure, out / 'alignment.png')


def write_outcomes(ours, out):
    """outcomes.md: our outcomes beside the author's program's, with the p-value of each test."""
    theirs = jang_claims.original()
    p_values = reference.compare(ours, theirs, jang_claims.COMPARED)
    lines = [
        f"| | ours, {len(ours['seed']):,} seeds | the author's program, {len(theirs['seed'])} seeds | *p* |",
        '|---|---|---|---|',
        f'| finite | {np.mean(ours["finite"]):.1%} | {np.mean(theirs["finite"]):.1%} | {p_values["finite"]:.2g} |',
    ]
    for name in jang_claims.COMPARED:
        lines.append(f'| {name} | {quartiles(ours[name])} | {quartiles(theirs[name])} | {p_values[name]:.2g} |')
    results.write_text(out / 'outcomes.md', '\n'.join(lines) + '\n')


PARTS = {'run': run, 'ensemble': ensemble, 'measured': measured}
