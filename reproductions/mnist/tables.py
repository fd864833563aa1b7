"""The tables of the MNIST post: claims and outcomes of its programs side by side, from the committed files alone."""

import json
import pathlib

import numpy as np

from common import markdown
from common.evaluation import claims
from common.storage import files
from reproductions.gallery import quartiles
from reproductions.mnist import claims as mnist_claims
from reproductions.mnist import figures as mnist_figures
from reproductions.mnist import quality

GENTLER = 'gentler Adam, '  # in titles
PROGRAMS = {  # the author's, at length, and the repaired listing: {prefix of the files: flags}
    '2018-06': ('--variant=2018-06', '--runs=16', '--num_steps=50000'),
    '2018-06_long': ('--variant=2018-06', '--runs=4', '--num_steps=500000', '--eval_every=10000'),
    '2018-08': ('--variant=2018-08', '--runs=8', '--num_steps=50000'),
    'repaired': ('--variant=repaired', '--runs=8', '--eval_every=1000'),
}


def write(out: pathlib.Path) -> None:
    """claims.json, claims.md, programs.md and outcomes.md, from the other parts' files."""
    others = {
        'the same networks, trained more gently': ensemble_of(out, 'gentle_'),
        "the author's program 2018-06, 50,000 iterations": ensemble_of(out, '2018-06_'),
        "the author's program 2018-06, all 500,000": ensemble_of(out, '2018-06_long_'),
    }
    tables = {which: ensemble[0] for which, ensemble in others.items() if ensemble}
    rows = {'the listing': mnist_claims.measure(*ensemble_of(out, ''), tables)}
    claims.write(out, rows['the listing'])
    drawn = {which: ensemble for which, ensemble in others.items() if ensemble and 'recognized' in ensemble[0]}
    rows |= {which.partition('program ')[2]: mnist_claims.measure(*ensemble) for which, ensemble in drawn.items()}
    if drawn:
        files.write_text(out / 'programs.md', side_by_side(rows))
    write_outcomes(out)


def ensemble_of(out: pathlib.Path, prefix: str) -> tuple | None:
    """(table, history of the evaluations, references) of an ensemble's committed files, None if there are none yet."""
    if not (out / f'{prefix}results.csv').exists():
        return None
    own = out / f'{prefix}references.json'
    references = (own if own.exists() else out / 'references.json').read_text(encoding='utf-8')
    history = files.read_npz(out / f'{prefix}quality.npz')
    return files.read_csv(out / f'{prefix}results.csv'), history, json.loads(references)


def side_by_side(rows: dict[str, list]) -> str:
    """The claims of several programs in one table, {program: list of `claims.Measurement`}; numbers but for the first."""
    lines = []
    for same in zip(*rows.values(), strict=True):
        cells = []
        for i, row in enumerate(same):
            measured = [f'{name}: {estimate}' for name, estimate in row.measured.items()] if i else []
            cells.append('<br>'.join([f'**{row.verdict.value}**: {row.reason}', *measured]))
        lines.append([f'**{same[0].claim}** {same[0].statement}', *cells])
    return markdown.table(['claim', *rows], lines)


def write_outcomes(out: pathlib.Path) -> None:
    """outcomes.md, from the other parts' files: generated digits beside real ones and those of an untrained G."""
    references = json.loads((out / 'references.json').read_text(encoding='utf-8'))
    tables, headings = [], []
    names = {'': '', 'long_': '', 'gentle_': GENTLER} | {f'{prefix}_': f'{prefix.partition("_")[0]}, ' for prefix in PROGRAMS}
    for prefix, how in names.items():
        if not (out / f'{prefix}results.csv').exists():
            continue
        table, steps = files.read_csv(out / f'{prefix}results.csv'), files.read_npz(out / f'{prefix}quality.npz')['eval_step']
        tables.append(table)
        headings.append(f'{how}{mnist_figures.named(table["seed"].astype(int))} after {steps[-1] + 1:,}')
    real = references['test'] | {'frechet': references['training']['frechet'], 'd_real': np.nan, 'd_fake': np.nan}
    if (out / '2018-06_references.json').exists():
        drawn = json.loads((out / '2018-06_references.json').read_text(encoding='utf-8'))
        real |= {name: drawn['test'][name] for name in quality.AS_ASKED}
        references['untrained'] |= {name: drawn['untrained'][name] for name in quality.AS_ASKED}
    rows = []
    for name, label in (
        ('classes_covered', 'classes covered'),
        ('largest_share', 'share of the commonest class'),
        ('recognized', 'share recognized as the digit asked for'),
        ('score', 'score, 1 to 10'),
        ('frechet', 'Fréchet distance to test digits'),
        ('confident', 'share that the classifier is sure of'),
        ('nearest', 'distance to the nearest training digit'),
        ('nearest_other', 'distance to the nearest other digit'),
        ('pixel_std_within_class', 'pixel std within a class'),
        ('d_real', 'D on test digits'),
        ('d_fake', 'D on generated digits'),
    ):
        cells = [quartiles(table[name]) if name in table else '' for table in tables]
        cells += [
            f'{value:.3g}' if np.isfinite(value) else ''
            for value in (references['untrained'].get(name, np.nan), real.get(name, np.nan))
        ]
        rows.append([label, *cells])
    for name in ('success', 'collapsed'):
        rows.append([name, *(f'{(table[name] == 1).sum()} of {len(table[name])}' for table in tables), '', ''])
    files.write_text(out / 'outcomes.md', markdown.table(['', *headings, 'untrained', 'real digits'], rows))
