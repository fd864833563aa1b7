"""Regenerates the figures of the posts, with the numbers behind each, into figures/.

python scripts/make_figures.py                 everything
python scripts/make_figures.py --runs=200      smaller ensembles
python scripts/make_figures.py --only=claims   one of: data, plain, minibatch, claims, outcomes
"""

import argparse
import pathlib
import shutil
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from common import app, figures, reference, results  # noqa: E402
from reproductions import aylien, aylien_claims  # noqa: E402


def command(directory, *flags):
    """Runs the post's command line into a directory; raises where it fails."""
    print('python -m reproductions.aylien', *flags, flush=True)
    if app.call(aylien.main, ['aylien', *flags, f'--output_dir={directory}']):
        raise SystemExit(f'failed: {flags}')


def shown_seed(directory):
    """The seed of an ensemble that is closest to the data at step 750, where the post's own run was."""
    history = results.read_npz(directory / 'history.npz')
    record = np.abs(history['step'] - 750).argmin()
    return int(results.read_csv(directory / 'results.csv')['seed'][np.nanargmin(history['wasserstein'][:, record])])


def branch(name, runs, out):
    """The ensemble of a branch; final distributions and animation of one seed, as the post shows a run that went well."""
    flags = ['--minibatch'] if name == 'minibatch' else []
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        command(scratch / 'many', f'--runs={runs}', '--seed=0', *flags)
        seed = shown_seed(scratch / 'many')
        command(scratch / 'one', f'--seed={seed}', '--animation', *flags)
        for source, target in (
            ('many/ensemble.png', 'ensemble.png'),
            ('many/ensemble.npz', 'ensemble.npz'),
            ('many/results.csv', 'results.csv'),
            ('one/figure.png', 'final.png'),
            ('one/figure.npz', 'final.npz'),
            ('one/animation.gif', 'animation.gif'),
            ('one/animation.npz', 'animation.npz'),
        ):
            shutil.copy(scratch / source, out / f'{name}_{target}')


def data(runs, out):
    """The post's first figure, the data."""
    del runs
    real = aylien.real_density(aylien.make_settings())
    results.write_npz(out / 'data.npz', {'real': real})
    figures.data(out / 'data.png', 'The data: N(4, 0.5)', real, aylien.BINS.places)


def claims(runs, out):
    """The table of claims, over no more than the 500 seeds that the page speaks of: the large batches take minutes."""
    with tempfile.TemporaryDirectory() as scratch:
        command(scratch, '--claims', f'--runs={min(runs, 500)}', '--seed=1000')
        for name in ('claims.json', 'claims.md'):
            shutil.copy(pathlib.Path(scratch) / name, out / name)


def outcomes(runs, out):
    """The table of our outcomes beside the authors' program's, with the smallest p-value of the tests of each row."""
    lines = ["| program | success | finite | mean | std | authors' *n* | finite | mean | std | *p* |", '|' + '---|' * 10]

    def cells(table):
        quartiles = (np.nanquantile(table[column], [0.5, 0.25, 0.75]) for column in ('mean', 'std'))
        return [f'{np.mean(table["finite"]):.1%}', *('{:.3g} ({:.3g} .. {:.3g})'.format(*values) for values in quartiles)]

    for variant in aylien.VARIANTS:
        for name in ('plain', 'minibatch'):
            ours, _ = aylien.train_many(aylien.make_settings(variant, name == 'minibatch'), 1000, runs)
            theirs = aylien_claims.original(variant, name)
            p = min(reference.compare(ours, theirs, aylien_claims.COMPARED).values())
            row = [f'`{variant}` {name}', f'{np.mean(ours["success"]):.1%}', *cells(ours), len(theirs['seed']), *cells(theirs)]
            lines.append(f'| {" | ".join(map(str, row))} | {p:.2g} |')
            print(lines[-1], flush=True)
    results.write_text(out / 'outcomes.md', '\n'.join(lines) + '\n')


def fill_in(out):
    """Puts the tables of the claims and outcomes between their marks in the README and the post's page."""
    for page in (ROOT / 'README.md', ROOT / 'docs' / 'aylien.md'):
        text = page.read_text()
        for name in ('claims', 'outcomes'):
            start, end = f'<!-- {name} -->\n', f'<!-- /{name} -->'
            if start in text and (out / f'{name}.md').exists():
                before, after = text.split(start)[0], text.split(end)[1]
                text = before + start + (out / f'{name}.md').read_text() + end + after
        results.write_text(page, text)


PARTS = {
    'data': data,
    'plain': lambda runs, out: branch('plain', runs, out),
    'minibatch': lambda runs, out: branch('minibatch', runs, out),
    'claims': claims,
    'outcomes': outcomes,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--runs', type=int, default=1000, help='seeds of an ensemble (default 1000)')
    parser.add_argument('--only', choices=PARTS, help='make only this part')
    arguments = parser.parse_args()
    out = ROOT / 'figures' / 'aylien'
    out.mkdir(parents=True, exist_ok=True)
    for name in [arguments.only] if arguments.only else PARTS:
        PARTS[name](arguments.runs, out)
    fill_in(out)


if __name__ == '__main__':
    main()
