"""The multi-modal post beside the suite's own accepted numbers, in the report and in the benchmark."""

from reproductions.multimodal import gan
from reproductions.posts import Case, Job, Shown, Speed

COMPARED = ('mean', 'std', 'wasserstein', 'modes_covered', 'mode_mass_error', 'd_mean')
SEEDS_SHOWN = {1: 1010, 2: 1051, 3: 1160}  # of 1000 .. 1999, the one that converges at the median step, as the gallery chooses
STATED = {1: '20 to 30', 2: '20 to 30', 3: '300'}  # steps within which the post's runs converge


def train(settings, seed, runs):
    """The columns of results.csv over seeds."""
    return gan.train_many(settings, seed, runs).table


CASES = tuple(
    Case(
        'multimodal', '2017-04', f'2017-04_modes{modes}', gan.make_settings(modes), train, COMPARED, runs=200,
        num_steps=gan.NUM_STEPS,
        shown=SEEDS_SHOWN[modes],
    )
    for modes in STATED
)  # fmt: skip
SPEED = (
    Speed(
        'Multi-modal 2017-04, three modes', 'multimodal', {'modes': 3, 'pretrain_steps': 0}, {1: 100_000, 1024: 400},
        ('baselines/session_loop.py', '--post=multimodal'),
    ),
)  # fmt: skip


def short(scratch):
    """The flags of a training of seconds."""
    del scratch
    return ['--num_steps=600', '--pretrain_steps=300', '--log_every=10']


def jobs(runs, data):
    """The commands of the report; times are those of 100 seeds, and grow with them."""
    del data
    many = (f'--runs={runs}', '--seed=1000')
    return [
        Job('multimodal', 'claims', ('--claims', *many), 5.5 * runs, {}),
        *(
            Job('multimodal', f'modes{modes}', (f'--modes={modes}', *many), 0.2 * runs, {
                'ensemble.png': 'Where every seed ends, and its way there',
                'convergence.png': 'When seeds come near the data, and stay',
            })
            for modes in STATED
        ),
        Job('multimodal', 'one', ('--modes=3', '--animation'), 25, {
            'figure.png': 'One seed at the end of its training', 'animation.gif': 'Its training',
        }),
    ]  # fmt: skip


def shown(directory):
    """What the report shows of its ensembles. No outcome of the author's over seeds was published."""
    del directory
    targets = {'convergence_step': None, 'modes_covered': None, 'wasserstein': 0.0, 'peak_height': 1.0}
    return [
        Shown(f'modes{modes}', f'modes{modes}', targets | {'modes_covered': float(modes)}, {'convergence_step': steps})
        for modes, steps in STATED.items()
    ]
