"""The figures and tables of Dev Nag's post."""

import functools
import pathlib

import numpy as np

from common.evaluation import claims
from common.plotting import figures
from common.storage import files
from reproductions.devnag import claims as devnag_claims
from reproductions.devnag import figures as devnag_figures
from reproductions.devnag.settings import make_settings
from reproductions.gallery import Map, Part, Picture, copied, map_pictures, maps, outcomes_beside

FIRST, MOST = 1000, 200  # first seed of the ensemble, and its size


@functools.cache
def ensemble(runs: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:
    """The ensemble for claims, outcomes and spread, trained once: (table, history, last batches).

    It has at most the 200 seeds named on the page: they take minutes.
    """
    runs = min(runs, MOST)
    print(f'training {runs} seeds', flush=True)
    return devnag_claims.train(FIRST, runs, tick=lambda: print('a quarter is done', flush=True))


@functools.cache
def older(runs: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:
    """The same of the program of 2017, with a record every tenth round."""
    runs = min(runs, MOST)
    print(f'training {runs} seeds of 2017-02', flush=True)
    return devnag_claims.train(FIRST, runs, lambda: print('a quarter is done', flush=True), '2017-02', every=10)


def one(out: pathlib.Path) -> None:
    """The post's figures of one run, and an animation of its training."""
    copied('devnag', out, ['--animation'], {'figure.png': 'one.png', 'animation.gif': 'animation.gif'})


def ten(out: pathlib.Path) -> None:
    """The post's ten runs: the grid of final distributions, and the moments against the round."""
    copied('devnag', out, ['--runs=10'], {'runs.png': 'ten.png', 'ensemble.png': 'ten_course.png'})


def many(out: pathlib.Path, runs: int) -> None:
    """The spread over seeds: a table and a figure."""
    table, history, _ = ensemble(runs)
    files.write_csv(out / 'many_results.csv', table)
    title = f'GAN in 50 lines (2018-11, moments, {len(table["seed"]):,} seeds)'
    devnag_figures.draw_ensemble(make_settings(), out / 'many.png', title, table, history)


def gallery(out: pathlib.Path, runs: int) -> None:
    """An example of each kind of outcome, with its share of the seeds: the run with the median distance to the data."""
    table, _, samples = ensemble(runs)
    kinds = devnag_claims.classify(table)
    chosen = {}
    for kind in ('good', *devnag_claims.FAILURES):
        rows = np.flatnonzero(kinds == kind)
        if rows.size:
            chosen[kind] = rows[np.argsort(table['wasserstein'][rows])[rows.size // 2]]
    rows, settings = np.array(list(chosen.values())), make_settings()
    arrays = {
        'title': f'How {len(kinds):,} runs of the post end: an example of each outcome',
        'kind': list(chosen),
        'share': [claims.proportion(kinds == kind).value for kind in chosen],
        **{name: table[name][rows] for name in ('seed', 'mean', 'std')},
        'samples': samples[rows],
        'truth': [settings.mu, settings.sigma],
    }
    figures.write(out / 'gallery.png', devnag_figures.gallery, arrays)


def stability(out: pathlib.Path, runs: int) -> None:
    """The mean against the round for each seed, of both programs."""
    trained, arrays = {'2018-11': ensemble(runs), '2017-02': older(runs)}, {}
    for name, (table, history, _) in trained.items():
        records = np.linspace(0, len(history['step']) - 1, 200).astype(int)
        away = devnag_claims.diverges(table)
        arrays |= {f'{name}/step': history['step'][records], f'{name}/mean': history['mean'][:, records].astype(np.float32)}
        arrays |= {f'{name}/success': table['success'], f'{name}/diverges': away}
    settings = make_settings()
    arrays |= {'programs': list(trained), 'truth': [settings.mu, settings.sigma]}
    figures.write(out / 'stability.png', devnag_figures.stability, arrays)


def claims_table(out: pathlib.Path, runs: int) -> None:
    """The table of claims."""
    (table, history, _), (old_table, old_history, _) = ensemble(runs), older(runs)
    rows = devnag_claims.measure_outcomes(table, history)
    rows.append(devnag_claims.more_stable((table, old_table), (history, old_history)))
    print(claims.write(out, rows))


def outcomes(out: pathlib.Path, runs: int) -> None:
    """The table of our outcomes beside those of the author's programs."""
    programs = {
        f'`{variant}` {make_settings(variant).preprocess}': (trained[0], devnag_claims.original(variant))
        for variant, trained in (('2018-11', ensemble(runs)), ('2017-02', older(runs)))
    }
    files.write_text(out / 'outcomes.md', outcomes_beside(programs, devnag_claims.COMPARED))


MAPS = {
    'rate_momentum': Map(
        'Dev Nag, learning rate and momentum: % of 48 seeds that succeed',
        ('--vary=momentum=0,0.5,0.9,0.97', '--vary=learning_rate=0.0001,0.0003,0.001,0.003'),
    ),
    'steps': Map(
        'Dev Nag, updates of each network per round: % of 48 seeds that succeed',
        ('--vary=g_steps=1,5,20', '--vary=d_steps=1,5,20'),
    ),
}
PARTS = {
    'one': Part(one),
    'ten': Part(ten),
    'many': Part(many, trains=True),
    'gallery': Part(gallery, trains=True),
    'stability': Part(stability, trains=True),
    'claims': Part(claims_table, trains=True),
    'outcomes': Part(outcomes, trains=True),
    'maps': Part(functools.partial(maps, 'devnag', MAPS)),
}
PICTURES = {
    'one.png': Picture('one', devnag_figures.one, 'mean and std against the round, final histogram'),
    'animation.gif': Picture('one', devnag_figures.animation, 'training as an animation', in_post=False),
    'ten.png': Picture('ten', devnag_figures.grid, 'ten final distributions'),
    'ten_course.png': Picture('ten', devnag_figures.ensemble, 'the moments of the ten runs against the round', in_post=False),
    'many.png': Picture('many', devnag_figures.ensemble, 'the spread over seeds', in_post=False),
    'gallery.png': Picture('gallery', devnag_figures.gallery, 'the ways in which runs end', in_post=False),
    'stability.png': Picture('stability', devnag_figures.stability, 'the mean of each seed, 2018 and 2017', in_post=False),
}
PICTURES |= map_pictures(MAPS)
