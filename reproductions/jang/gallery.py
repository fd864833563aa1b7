"""The figures and tables of Jang's post."""

import functools
import pathlib
import shutil
import tempfile

import numpy as np

from common import markdown
from common.evaluation import claims, outcomes, two_sample
from common.plotting import figures
from common.storage import files
from reproductions.gallery import Map, Part, Picture, command, copied, map_pictures, maps, quartiles
from reproductions.jang import claims as jang_claims
from reproductions.jang import figures as jang_figures
from reproductions.jang import gan
from reproductions.jang.settings import DEFAULT, NUM_STEPS, make_settings

SEED = 1000  # of the ensembles
OLDER = '2015-12'
POST_FIGURES = {  # of the single-seed run: the command's file name, and the name here
    'data': 'data',
    'decision_before': 'decision_before',
    'pretraining_loss': 'pretraining_loss',
    'decision_after': 'decision_after',
    'before': 'before',
    'losses': 'losses',
    'figure': 'after',
}


def run(out: pathlib.Path) -> None:
    """The post's seven figures and the animation, for seed 0."""
    copied('jang', out, [], {f'{source}.png': f'{target}.png' for source, target in POST_FIGURES.items()})
    copied('jang', out, ['--animation'], {'animation.gif': 'animation.gif'})


def ensemble(out: pathlib.Path, runs: int) -> None:
    """The spread over seeds, with the table of results."""
    with tempfile.TemporaryDirectory() as scratch:
        command('jang', pathlib.Path(scratch), f'--runs={runs}', f'--seed={SEED}')
        for name in ('ensemble.png', 'ensemble.npz', 'results.csv'):
            shutil.copy(pathlib.Path(scratch) / name, out)


def measured(out: pathlib.Path, runs: int) -> None:
    """The effect of sorting and stratifying, the claims, and our outcomes beside the author's."""
    arms = jang_claims.alignment(SEED, runs)
    write_alignment(arms, out)
    write_outcomes({DEFAULT: next(iter(arms.values())), OLDER: older(runs)}, out)
    claims.write(out, jang_claims.measure(SEED, max(100, runs // jang_claims.MORE), arms=arms))


def older(runs: int) -> dict[str, np.ndarray]:
    """The columns of results.csv of the variant of 2015, of at most the 300 seeds named on the page: its batches are large."""
    return outcomes.train_many(gan, make_settings(OLDER), SEED, min(runs, 300), every=NUM_STEPS).table


def write_alignment(arms: dict[str, dict[str, np.ndarray]], out: pathlib.Path) -> None:
    """alignment.md, .npz and .png: success and distance to the data, by how samples and noise are aligned."""
    rows = []
    for name, table in arms.items():
        share, middle = claims.proportion(table['success']), claims.median(table['wasserstein'])
        low, high = np.quantile(table['wasserstein'], [0.25, 0.75])
        rows.append((
            name, f'{share.n:,}', f'{share.value:.1%} [{share.low:.1%}, {share.high:.1%}]',
            f'{middle.value:.3f} [{middle.low:.3f}, {middle.high:.3f}]', f'{low:.3f} .. {high:.3f}',
        ))  # fmt: skip
    head = ['real samples, noise', 'seeds', 'success', 'distance to the data: median', 'quartiles']
    files.write_text(out / 'alignment.md', markdown.table(head, rows))
    distances = {name: table['wasserstein'] for name, table in arms.items()}
    seeds = next(iter(arms.values()))['seed']
    arrays = {'labels': list(arms), 'bound': gan.success_threshold(make_settings()), 'seed': seeds} | distances
    figures.write(out / 'alignment.png', jang_figures.alignment, arrays)


def write_outcomes(tables: dict[str, dict[str, np.ndarray]], out: pathlib.Path) -> None:
    """outcomes.md: our outcomes of each variant beside those of the author's program, with the p-value of each test."""
    head, rows = [''], {name: [name] for name in ('finite', *jang_claims.COMPARED)}
    for variant, ours in tables.items():
        theirs = jang_claims.original(variant)
        p_values = two_sample.compare(ours, theirs, jang_claims.COMPARED)
        head += [f'`{variant}`, ours, {len(ours["seed"]):,} seeds', f"the author's, {len(theirs['seed'])} seeds", '*p*']
        for name, row in rows.items():
            summary = (lambda values: f'{np.mean(values):.1%}') if name == 'finite' else quartiles
            row += [summary(ours[name]), summary(theirs[name]), f'{p_values[name]:.2g}']
    files.write_text(out / 'outcomes.md', markdown.table(head, rows.values()))


MAPS = {
    'rate_momentum': Map(
        'Jang, learning rate and momentum: % of 48 seeds that succeed',
        ('--vary=momentum=0,0.3,0.6,0.9', '--vary=learning_rate=0.0001..0.01:5'),
    ),
    'fresh': Map(
        'Jang with momentum 0.3: % of 1,000 held-out seeds that succeed',
        ('--momentum=0.3', '--seed=100000', '--runs=1000', '--vary=learning_rate=0.0032,0.01'),
    ),
    'batch_noise': Map(
        'Jang, batch M and kind of noise: % of 48 seeds that succeed',
        ('--vary=stratify=false,true', '--vary=batch_size=20,50,100,200,400'),
    ),
    'width_rate': Map(
        'Jang, widths of both networks and learning rate: % of 48 seeds that succeed',
        ('--vary=hidden_sizes=3x3,6x5,12x10,18x15', '--vary=learning_rate=0.0003,0.001,0.003'),
    ),
}
PARTS = {
    'run': Part(run),
    'ensemble': Part(ensemble, trains=True),
    'measured': Part(measured, trains=True),
    'maps': Part(functools.partial(maps, 'jang', MAPS)),
}
PICTURES = {
    'data.png': Picture('run', jang_figures.lines, 'p_data'),
    'decision_before.png': Picture('run', jang_figures.lines, 'decision boundary at initialization'),
    'pretraining_loss.png': Picture('run', jang_figures.lines, 'loss of the pre-training'),
    'decision_after.png': Picture('run', jang_figures.lines, 'decision boundary after pre-training'),
    'before.png': Picture('run', jang_figures.state, 'before training: p_data, D, p_g'),
    'losses.png': Picture('run', jang_figures.lines, 'objectives over the iterations'),
    'after.png': Picture('run', jang_figures.state, 'after training: p_data, D, p_g'),
    'animation.gif': Picture('run', figures.animation, 'training as an animation', in_post=False),
    'ensemble.png': Picture('ensemble', figures.ensemble, 'the spread over seeds', in_post=False),
    'alignment.png': Picture('measured', jang_figures.alignment, 'the effect of sorting and stratifying', in_post=False),
}
PICTURES |= map_pictures(MAPS)
