"""Aylien's post compared with its authors' program and the suite's accepted numbers; its jobs in report and benchmark."""

import pathlib

from common.evaluation import outcomes
from reproductions.aylien import claims, gan
from reproductions.aylien.settings import DEFAULT, VARIANTS, make_settings
from reproductions.contract import Case, Job, Outcomes, Shown, Speed, Trial

BRANCHES = {'plain': False, 'minibatch': True}
SEEDS_SHOWN = {'plain': 708, 'minibatch': 998}  # of seeds 0 .. 999, the closest to the data at step 750, as in the gallery


def train(settings: gan.Settings, seed: int, runs: int) -> Outcomes:
    """The columns of results.csv and the history of several seeds."""
    table, history, _ = outcomes.train_many(gan, settings, seed, runs)
    return table, history


CASES = tuple(
    Case(
        'aylien', variant, f'{variant}_{branch}', make_settings(variant, minibatch=minibatch), train, claims.COMPARED,
        runs=1000, num_steps=make_settings(variant).default_steps, shown=SEEDS_SHOWN[branch] if variant == DEFAULT else None,
        tested=300,
    )
    for variant in VARIANTS
    for branch, minibatch in BRANCHES.items()
)  # fmt: skip
SPEED = tuple(
    Speed(
        f'Aylien 2017-06 {"with" if flag else "without"} minibatch discrimination', 'aylien',
        {'variant': '2017-06', 'minibatch': bool(flag)}, {1: 200_000, 1024: 2_000},
        ('baselines/session_loop.py', '--post=aylien', *flag), jax=('baselines/jax_gan.py', *flag),
    )
    for flag in ((), ('--minibatch',))
)  # fmt: skip
TRIAL = Trial(strengths={'d_steps': (2, 5, 10, 20)})


def short(_scratch: pathlib.Path) -> list[str]:
    """Flags for a training run that takes seconds."""
    return ['--num_steps=600', '--pretrain_steps=300', '--log_every=10']


def jobs(runs: int, _data: str) -> list[Job]:
    """The report's commands; expected times are for 100 seeds and scale with their number."""
    many, spread = (f'--runs={runs}', '--seed=1000'), 'Where each seed ends, and how it gets there'
    return [
        Job('aylien', 'claims', ('--claims', *many), 0.8 * runs, {}),
        Job('aylien', 'plain', many, 0.12 * runs, {'ensemble.png': f'{spread}, without minibatch discrimination'}),
        Job('aylien', 'minibatch', ('--minibatch', *many), 0.15 * runs, {
            'ensemble.png': f'{spread}, with minibatch discrimination',
        }),
        Job('aylien', 'one', (f'--seed={SEEDS_SHOWN["plain"]}', '--animation'), 20, {
            'figure.png': 'A seed that behaves as in the post, after training', 'animation.gif': 'Its training',
        }),
    ]  # fmt: skip


def shown(_directory: pathlib.Path) -> list[Shown]:
    """What the report shows of the ensembles."""
    settings = make_settings()
    targets = {'mean': settings.mu, 'std': settings.sigma, 'd_mean': None}
    rule = gan.truth(settings), gan.success_threshold(settings)
    return [
        Shown(name, name, targets, {'mean': 'at 4'}, claims.original(DEFAULT, name), claims.COMPARED, *rule)
        for name in BRANCHES
    ]
