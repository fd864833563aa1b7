"""The figures and tables of Dev Nag's post: a function (runs, directory) for each part."""

import functools
import pathlib
import shutil
import tempfile

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from parts import command, quartiles

from common import claims, figures, reference, results
from reproductions import devnag, devnag_claims

FIRST, MOST = 1000, 200  # seed of the ensemble, and its seeds


@functools.cache
def ensemble(runs):
    """The seeds from which claims, outcomes and the spread are drawn, trained once: (table, history, last batches).

    No more than the 200 that the page speaks of: they take minutes.
    """
    runs = min(runs, MOST)
    print(f'training {runs} seeds', flush=True)
    return devnag_claims.train(FIRST, runs, tick=lambda: print('a quarter is done', flush=True))


def copied(flags, names, out):
    """Runs the command and copies {file: its name in figures/devnag}."""
    with tempfile.TemporaryDirectory() as scratch:
        command(devnag, scratch, *flags)
        for source, target in names.items():
            shutil.copy(pathlib.Path(scratch) / source, out / target)


def one(runs, out):
    """The post's figures of one run, and its training as a film."""
    del runs
    names = {f'figure.{kind}': f'one.{kind}' for kind in ('png', 'npz')}
    copied(['--animation'], names | {f'animation.{kind}': f'animation.{kind}' for kind in ('gif', 'npz')}, out)


def ten(runs, out):
    """The post's ten runs: the grid of final distributions, and the moments against the round."""
    del runs
    names = {f'runs.{kind}': f'ten.{kind}' for kind in ('png', 'npz')}
    copied(['--runs=10'], names | {f'ensemble.{kind}': f'ten_course.{kind}' for kind in ('png', 'npz')}, out)


def many(runs, out):
    """The spread over seeds."""
    table, history, _ = ensemble(runs)
    course, banded = devnag.course_over_seeds(table, history)
    results.write_npz(out / 'many.npz', course)
    results.write_csv(out / 'many_results.csv', table)
    title = f'GAN in 50 lines (2018-11, moments, {len(table["seed"]):,} seeds)'
    devnag.draw_ensemble(out / 'many.png', devnag.make_settings(), title, table, course, banded)


def gallery(runs, out):
    """An example of each way to end, with its share of the seeds: the run in the middle by its distance to the data."""
    table, _, samples = ensemble(runs)
    kinds = devnag_claims.classify(table)
    chosen = {}
    for kind in ('good', *devnag_claims.FAILURES):
        rows = np.flatnonzero(kinds == kind)
        if rows.size:
            chosen[kind] = rows[np.argsort(table['wasserstein'][rows])[rows.size // 2]]
    rows = np.array(list(chosen.values()))
    results.write_npz(
        out / 'gallery.npz', {'kind': np.array(list(chosen)), 'seed': table['seed'][rows], 'samples': samples[rows]}
    )
    settings = devnag.make_settings()
    grid = settings.mu + settings.sigma * np.linspace(-4, 4, 200)
    with matplotlib.rc_context(figures.STYLE):
        columns = min(3, len(chosen))
        figure = Figure(figsize=(4 * columns, 0.6 + 2.7 * -(-len(chosen) // columns)), layout='constrained')
        figure.suptitle(f'How {len(kinds):,} runs of the post end, an example of each')
        panels = figure.subplots(-(-len(chosen) // columns), columns, squeeze=False).ravel()
        for axes, (kind, row) in zip(panels, chosen.items(), strict=False):
            share = claims.proportion(kinds == kind).value
            devnag.draw_samples(axes, samples[row], f'{kind}: {share:.1%} of seeds')
            width = np.ptp(samples[row]) / devnag.HISTOGRAM_BINS
            axes.plot(grid, devnag.truth(settings).pdf(grid) * samples.shape[1] * width, color=figures.BLUE, label='data')
            axes.legend(title=f'seed {table["seed"][row]}: {table["mean"][row]:.2f} ± {table["std"][row]:.2f}', fontsize=8.5)
        for axes in panels[len(chosen) :]:
            axes.set_visible(False)
        figures.save(figure, out / 'gallery.png')


def claims_table(runs, out):
    """The table of claims."""
    table, history, _ = ensemble(runs)
    rows = devnag_claims.measure_outcomes(table, history)
    results.write_json(out / 'claims.json', claims.as_json(rows))
    results.write_text(out / 'claims.md', claims.as_markdown(rows))
    print(claims.as_markdown(rows))


def outcomes(runs, out):
    """The table of our outcomes beside the author's program's, with the smallest p-value of the tests."""
    ours, theirs = ensemble(runs)[0], devnag_claims.original()

    def cells(table):
        return [f'{np.mean(table["finite"]):.1%}', *(quartiles(table[column]) for column in ('mean', 'std'))]

    p_values = reference.compare(ours, theirs, devnag_claims.COMPARED)
    print(p_values)
    row = ['`2018-11` moments', f'{np.mean(ours["success"]):.1%}', *cells(ours), len(theirs['seed']), *cells(theirs)]
    lines = ["| program | success | finite | mean | std | authors' *n* | finite | mean | std | *p* |", '|' + '---|' * 10]
    lines.append(f'| {" | ".join(map(str, row))} | {min(p_values.values()):.2g} |')
    print('\n'.join(lines))
    results.write_text(out / 'outcomes.md', '\n'.join(lines) + '\n')


PARTS = {'one': one, 'ten': ten, 'many': many, 'gallery': gallery, 'claims': claims_table, 'outcomes': outcomes}
