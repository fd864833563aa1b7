"""The parts of make_figures.py that are Dev Nag's: each `part(runs, out)` writes figures with the numbers behind them.

python scripts/devnag_figures.py                everything, into figures/devnag/
python scripts/devnag_figures.py --only one     some of: one, ten, many, gallery, claims, outcomes
"""

import argparse
import functools
import pathlib
import shutil
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import matplotlib  # noqa: E402
import numpy as np  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from common import app, claims, figures, reference, results  # noqa: E402
from reproductions import devnag, devnag_claims  # noqa: E402

FIRST = 1000  # seed of the ensemble


def command(directory, *flags):
    """Runs the post's command line into a directory; raises where it fails."""
    print('python -m reproductions.devnag', *flags, flush=True)
    if app.call(devnag.main, ['devnag', *flags, f'--output_dir={directory}']):
        raise SystemExit(f'failed: {flags}')


@functools.cache
def ensemble(runs):
    """The seeds from which claims, outcomes and the spread are drawn, trained once: (table, history, last batches)."""
    print(f'training {runs} seeds', flush=True)
    return devnag_claims.train(FIRST, runs, tick=lambda: print('a quarter is done', flush=True))


def copied(flags, names, out):
    """Runs the command and copies {file: its name in figures/devnag}."""
    with tempfile.TemporaryDirectory() as scratch:
        command(scratch, *flags)
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
    title = f'GAN in 50 lines (2018-11, moments, {runs:,} seeds)'
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
        figure.suptitle(f'How {runs:,} runs of the post end, an example of each')
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
        quartiles = (np.nanquantile(table[column], [0.5, 0.25, 0.75]) for column in ('mean', 'std'))
        return [f'{np.mean(table["finite"]):.1%}', *('{:.3g} ({:.3g} .. {:.3g})'.format(*values) for values in quartiles)]

    p_values = reference.compare(ours, theirs, devnag_claims.COMPARED)
    print(p_values)
    row = ['`2018-11` moments', f'{np.mean(ours["success"]):.1%}', *cells(ours), len(theirs['seed']), *cells(theirs)]
    lines = ["| program | success | finite | mean | std | authors' *n* | finite | mean | std | *p* |", '|' + '---|' * 10]
    lines.append(f'| {" | ".join(map(str, row))} | {min(p_values.values()):.2g} |')
    print('\n'.join(lines))
    results.write_text(out / 'outcomes.md', '\n'.join(lines) + '\n')


PARTS = {'one': one, 'ten': ten, 'many': many, 'gallery': gallery, 'claims': claims_table, 'outcomes': outcomes}


def fill_in(out):
    """Puts the tables of the claims and outcomes between their marks in the post's page."""
    page = ROOT / 'docs' / 'devnag.md'
    text = page.read_text()
    for name in ('claims', 'outcomes'):
        start, end = f'<!-- {name} -->\n', f'<!-- /{name} -->'
        if start in text and (out / f'{name}.md').exists():
            before, after = text.split(start)[0], text.split(end)[1]
            text = before + start + (out / f'{name}.md').read_text() + end + after
    results.write_text(page, text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--runs', type=int, default=200, help='seeds of the ensemble (default 200)')
    parser.add_argument('--only', choices=PARTS, nargs='+', default=list(PARTS), help='make only these parts')
    arguments = parser.parse_args()
    out = ROOT / 'figures' / 'devnag'
    out.mkdir(parents=True, exist_ok=True)
    for name in arguments.only:
        PARTS[name](arguments.runs, out)
    fill_in(out)


if __name__ == '__main__':
    main()
