"""The multi-modal post compared with the suite's accepted numbers; its jobs in report and benchmark."""

import pathlib

from common.evaluation import outcomes
from reproductions.contract import Case, Job, Outcomes, Shown, Speed, Trial
from reproductions.multimodal import gan
from reproductions.multimodal.settings import NUM_STEPS, make_settings

COMPARED = ('mean', 'std', 'wasserstein', 'modes_covered', 'mode_mass_error', 'd_mean')
SEEDS_SHOWN = {1: 2261, 2: 2054, 3: 2609}  # of seeds 2000 .. 2999, as `gallery.train_shown` finds it
STATED = {1: '20 to 30', 2: '20 to 30', 3: '300'}  # steps within which the post's runs converge


def train(settings: gan.Settings, seed: int, runs: int) -> Outcomes:
    """The columns of results.csv and the history of several seeds."""
    table, history, _ = outcomes.train_many(gan, settings, seed, runs)
    return table, history


def accepted(modes: int, variant: str, seed: int, shown: int | None = None) -> Case:
    """200 accepted seeds of a variant with a number of modes."""
    return Case(
        'multimodal', variant, f'{variant}_modes{modes}', make_settings(variant, modes=modes), train, COMPARED, seed, 200,
        NUM_STEPS, shown, tested=100,
    )  # fmt: skip


CASES = (  # a learning rate of 0.1 magnifies rounding
    *(accepted(modes, 'inferred', 2000, SEEDS_SHOWN[modes])._replace(agreeing=0.25) for modes in STATED),
    accepted(3, 'guessed', 1000),
)
SPEED = (
    Speed(
        'Multi-modal, three modes, batch 12', 'multimodal', {'modes': 3, 'variant': 'guessed', 'pretrain_steps': 0},
        {1: 100_000, 1024: 400}, ('baselines/session_loop.py', '--post=multimodal'),
    ),
)  # fmt: skip
TRIAL = Trial()


def short(_scratch: pathlib.Path) -> list[str]:
    """Flags for a training run that takes seconds."""
    return ['--num_steps=600', '--pretrain_steps=300', '--log_every=10']


def jobs(runs: int, _data: str) -> list[Job]:
    """The report's commands; expected times are for 100 seeds and scale with their number."""
    many = (f'--runs={runs}', '--seed=2000')
    return [
        Job('multimodal', 'claims', ('--claims', *many), 5.5 * runs, {}),
        *(
            Job('multimodal', f'modes{modes}', (f'--modes={modes}', *many), 0.2 * runs, {
                'ensemble.png': 'Where each seed ends, and how it gets there',
                'convergence.png': 'When seeds come close to the data, and when they stay close',
            })
            for modes in STATED
        ),
        Job('multimodal', 'one', ('--modes=3', '--animation'), 25, {
            'figure.png': 'One seed after training', 'animation.gif': 'Its training',
        }),
    ]  # fmt: skip


def shown(_directory: pathlib.Path) -> list[Shown]:
    """What the report shows of the ensembles. The author published no outcomes over seeds."""
    targets = {'convergence_step': None, 'modes_covered': None, 'wasserstein': 0.0, 'peak_height': 1.0}
    return [
        Shown(f'modes{modes}', f'modes{modes}', targets | {'modes_covered': float(modes)}, {'convergence_step': steps})
        for modes, steps in STATED.items()
    ]
