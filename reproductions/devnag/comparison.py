"""Dev Nag's post compared with the author's program and the suite's accepted numbers; its jobs in report and benchmark."""

import pathlib

from common.evaluation import outcomes
from reproductions.contract import Case, Job, Outcomes, Shown, Speed, Trial
from reproductions.devnag import claims, gan
from reproductions.devnag.settings import DEFAULT, make_settings

START = 300  # rounds of the cases that only test the start of training


def train(settings: gan.Settings, seed: int, runs: int) -> Outcomes:
    """The columns of results.csv and the history of seeds of a variant as published, in the same parts as for the claims."""
    table, history, _ = claims.train(seed, runs, variant=settings.variant, every=1 if settings.variant == DEFAULT else 10)
    return table, history


def train_start(settings: gan.Settings, seed: int, runs: int) -> Outcomes:
    """The columns of results.csv and the history of several seeds after `START` rounds."""
    table, history, _ = outcomes.train_many(gan, settings, seed, runs, num_steps=START)
    return table, history


CASES = (
    Case('devnag', '2018-11', '2018-11_moments', make_settings(), train, claims.COMPARED, 2000, 64, 5000, 0),
    *(
        Case(
            'devnag', '2018-11', f'2018-11_{view}_start', make_settings(preprocess=view), train_start, claims.COMPARED,
            2000, 32, START,
        )
        for view in make_settings('2018-11').views[1:]
    ),
    Case('devnag', '2017-02', '2017-02', make_settings('2017-02'), train, claims.COMPARED, 2000, 200, 30_000, tested=64),
)  # fmt: skip
SPEED = (
    Speed(
        'Dev Nag 2018-11', 'devnag', {}, {1: 5_000, 10: 1_000, 200: 50},
        ('baselines/session_loop.py', '--post=devnag', '--steps=50'), ('baselines/torch_loop.py',), every=1, updates=40,
    ),
)  # fmt: skip
TRIAL = Trial(  # its D decides on whole batches, and both networks have 20 updates each as published
    tried=20,  # these take a minute of a core for each strength
    strengths={'minibatch': (), 'd_steps': (10, 40), 'g_steps': (10, 40)},
)


def short(_scratch: pathlib.Path) -> list[str]:
    """Flags for a training run that takes seconds."""
    return ['--num_steps=80', '--d_steps=2', '--g_steps=2', '--batch_size=20']


def jobs(runs: int, _data: str) -> list[Job]:
    """The report's commands; expected times are for 100 seeds and scale with their number."""
    many, spread = (f'--runs={runs}', '--seed=1000'), 'Where each seed ends, and how it gets there'
    return [
        Job('devnag', 'claims', ('--claims', *many), 4 * runs, {}),
        Job('devnag', 'many', many, 0.75 * runs, {
            'ensemble.png': spread,
            'runs.png': 'The last batch of each of the first ten seeds',
        }),
        Job('devnag', '2017-02', ('--variant=2017-02', '--log_every=10', *many), 3 * runs, {
            'ensemble.png': f'{spread}, in the version of 2017-02',
        }),
        Job('devnag', 'one', ('--animation',), 25, {
            'figure.png': 'One seed after training', 'animation.gif': 'Its training',
        }),
    ]  # fmt: skip


def shown(_directory: pathlib.Path) -> list[Shown]:
    """What the report shows of the ensemble."""
    settings = make_settings()
    targets = {'mean': settings.mu, 'std': settings.sigma, 'skewness': 0.0, 'kurtosis': 0.0}
    rule = gan.truth(settings), gan.success_threshold(settings)
    return [
        Shown('many', '', targets, {'success': '8 of 10'}, claims.original(), claims.COMPARED, *rule),
        Shown('2017-02', '2017-02', targets, {}, claims.original('2017-02'), claims.COMPARED, *rule),
    ]
