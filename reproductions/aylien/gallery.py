"""The figures and tables of Aylien's post."""

import functools
import pathlib
import shutil
import tempfile

import numpy as np

from common.evaluation import outcomes
from common.plotting import figures
from common.storage import files
from reproductions.aylien import claims as aylien_claims
from reproductions.aylien import figures as aylien_figures
from reproductions.aylien import gan
from reproductions.aylien.settings import VARIANTS, make_settings
from reproductions.explorer import contents, page
from reproductions.gallery import Map, Part, Picture, command, keep, map_pictures, maps, outcomes_beside


def shown_seed(directory: pathlib.Path) -> int:
    """The seed closest to the data at step 750, where the post's own run was closest."""
    history = files.read_npz(directory / 'history.npz')
    record = np.abs(history['step'] - 750).argmin()
    return int(files.read_csv(directory / 'results.csv')['seed'][np.nanargmin(history['wasserstein'][:, record])])


def branch(name: str, out: pathlib.Path, runs: int) -> None:
    """An ensemble, and final distributions and animation of one successful seed, as in the post."""
    flags = ['--minibatch'] if name == 'minibatch' else []
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        command('aylien', scratch / 'many', f'--runs={runs}', '--seed=0', '--record_networks=12', *flags)
        seed = shown_seed(scratch / 'many')
        command('aylien', scratch / 'one', f'--seed={seed}', '--animation', *flags)
        keep(scratch, out, name)
        if name == 'plain':  # for the site; of one ensemble, since it takes megabytes
            page.write(out / 'explore.html', contents.of(scratch / 'many'))


def data(out: pathlib.Path) -> None:
    """The post's first figure: the data."""
    real = aylien_figures.real_density(make_settings())
    arrays = {'title': 'The data: N(4, 0.5)', 'real': real, 'places': gan.BINS.places}
    figures.write(out / 'data.png', figures.data, arrays)


def claims(out: pathlib.Path, runs: int) -> None:
    """The table of claims, over at most the 500 seeds named on the page: large batches take minutes."""
    with tempfile.TemporaryDirectory() as scratch:
        command('aylien', scratch, '--claims', f'--runs={min(runs, 500)}', '--seed=1000')
        for name in ('claims.json', 'claims.md'):
            shutil.copy(pathlib.Path(scratch) / name, out / name)


def write_outcomes(out: pathlib.Path, runs: int) -> None:
    """The table of our outcomes beside the authors'."""
    programs = {}
    for variant in VARIANTS:
        for name in BRANCHES:
            ours = outcomes.train_many(gan, make_settings(variant, minibatch=name == 'minibatch'), 1000, runs).table
            programs[f'`{variant}` {name}'] = ours, aylien_claims.original(variant, name)
            print(f'{variant} {name} is done', flush=True)
    files.write_text(out / 'outcomes.md', outcomes_beside(programs, aylien_claims.COMPARED))


BRANCHES = ('plain', 'minibatch')
MAPS = {
    'rate_batch': Map(
        'Aylien without minibatch discrimination: % of 48 seeds that succeed',
        ('--vary=batch_size=4,8,12,24,48,96', '--vary=learning_rate=0.0005..0.5:7'),
    ),
    'rate_batch_minibatch': Map(
        'Aylien with minibatch discrimination: % of 48 seeds that succeed',
        ('--minibatch', '--vary=batch_size=4,8,12,16,24,48', '--vary=learning_rate=0.0005..0.5:7'),
    ),
    'rate_width': Map(
        "Aylien, widths of D's hidden layers: % of 48 seeds that succeed",
        ('--vary=d_hidden_sizes=2x2x2,4x4x4,8x8x8,16x16x16,32x32x32', '--vary=learning_rate=0.0005..0.5:7'),
    ),
    'fresh': Map(
        'Aylien without minibatch discrimination: % of 1,000 held-out seeds that succeed',
        ('--seed=100000', '--runs=1000', '--vary=batch_size=12,48,96', '--vary=learning_rate=0.005,0.028,0.05'),
    ),
    'fresh_minibatch': Map(
        'Aylien with minibatch discrimination: % of 1,000 held-out seeds that succeed',
        ('--minibatch', '--seed=100000', '--runs=1000', '--vary=batch_size=4,8,12', '--vary=learning_rate=0.005,0.016'),
    ),
    'steps': Map(
        'Aylien, updates of each network per step: % of 48 seeds that succeed',
        ('--vary=g_steps=1,2,4', '--vary=d_steps=1,2,4,8'),
    ),
}
PARTS = {
    'data': Part(data),
    'plain': Part(functools.partial(branch, 'plain'), trains=True),
    'minibatch': Part(functools.partial(branch, 'minibatch'), trains=True),
    'claims': Part(claims, trains=True),
    'outcomes': Part(write_outcomes, trains=True),
    'maps': Part(functools.partial(maps, 'aylien', MAPS)),
}
PICTURES = {
    'data.png': Picture('data', figures.data, 'the data'),
}
for name in BRANCHES:
    how = f'with{"out" * (name == "plain")} minibatch discrimination'
    PICTURES |= {
        f'{name}_animation.gif': Picture(name, figures.animation, f'training {how}'),
        f'{name}_final.png': Picture(name, figures.distributions, f'final distributions {how}'),
        f'{name}_ensemble.png': Picture(name, figures.ensemble, f'the spread over seeds {how}', in_post=False),
    }
PICTURES |= map_pictures(MAPS)
