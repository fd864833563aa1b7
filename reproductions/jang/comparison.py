"""Jang's post compared with the author's program and the suite's accepted numbers; its jobs in report and benchmark."""

import pathlib

import numpy as np

from common.evaluation import outcomes
from reproductions.contract import Case, Job, Outcomes, Shown, Speed, Trial
from reproductions.jang import claims, gan
from reproductions.jang.settings import NUM_STEPS, make_settings


def train(settings: gan.Settings, seed: int, runs: int) -> Outcomes:
    """The columns of results.csv and the history of several seeds."""
    table, history, _ = outcomes.train_many(gan, settings, seed, runs, every=20)
    return table, history


CASES = (
    Case('jang', '2016-06', '2016-06', make_settings(), train, claims.COMPARED, 2000, 300, NUM_STEPS, 0,
         tested=150),
    Case(
        'jang', '2016-06', '2016-06_independent', make_settings(sort=False, stratify=False), train, claims.COMPARED,
        2000, 100, NUM_STEPS, tested=60,
    ),
    Case(
        'jang', '2015-12', '2015-12', make_settings('2015-12'), train, claims.COMPARED, 2000, 300, NUM_STEPS, tested=60
    ),
)  # fmt: skip
SPEED = tuple(
    Speed(
        f'Jang 2016-06, {label}', 'jang', {'sort': sort, 'pretrain_steps': 0}, {1: 100_000, 1024: 200},
        ('baselines/session_loop.py', '--post=jang'),
    )
    for label, sort in (('as published', True), ('--nosort', False))
)  # fmt: skip
TRIAL = Trial(tried=50)


def short(_scratch: pathlib.Path) -> list[str]:
    """Flags for a training run that takes seconds."""
    return ['--num_steps=400', '--pretrain_steps=200', '--log_every=10', '--batch_size=20']


def jobs(runs: int, _data: str) -> list[Job]:
    """The report's commands; expected times are for 100 seeds and scale with their number."""
    many, spread = (f'--runs={runs}', '--seed=1000'), 'Where each seed ends, and how it gets there'
    return [
        Job('jang', 'claims', ('--claims', *many), 8.3 * runs, {}),
        Job('jang', 'many', many, 0.4 * runs, {'ensemble.png': spread}),
        Job('jang', '2015-12', ('--variant=2015-12', *many), 0.8 * runs, {
            'ensemble.png': f'{spread}, in the version of 2015-12',
        }),
        Job('jang', 'one', ('--animation',), 30, {
            'figure.png': 'One seed after training', 'animation.gif': 'Its training',
            'losses.png': 'Both objectives during that training',
        }),
    ]  # fmt: skip


def shown(_directory: pathlib.Path) -> list[Shown]:
    """What the report shows of the ensemble."""
    targets = {
        'mean': make_settings().mu,
        'std': make_settings().sigma,
        'd_mean': 0.5,
        'loss_d': 2 * np.log(2),
        'loss_g': np.log(2),
        'pretrain_mse': 0.0,
    }
    stated = {'loss_d': '1.386', 'loss_g': '0.693', 'd_mean': '0.5', 'pretrain_mse': 'about 0.01'}
    settings = make_settings()
    rule = gan.truth(settings), gan.success_threshold(settings)
    return [
        Shown('many', '', targets, stated, claims.original(), claims.COMPARED, *rule),
        Shown('2015-12', '2015-12', targets, {}, claims.original('2015-12'), claims.COMPARED, *rule),
    ]
