"""Dev Nag's post beside its author's program and the suite's own accepted numbers, in the report and in the benchmark."""

from reproductions.devnag import claims, gan
from reproductions.posts import Case, Job, Shown, Speed

START = 300  # rounds of the cases of which only the start is held


def train(settings, seed, runs):
    """The columns of results.csv over seeds of the post's own settings, trained in the parts that its claims are."""
    del settings
    return claims.train(seed, runs)[0]


def train_start(settings, seed, runs):
    """The columns of results.csv over seeds after the first rounds."""
    return gan.train_many(settings, seed, runs, num_steps=START).table


CASES = (
    Case('devnag', '2018-11', '2018-11_moments', gan.make_settings(), train, claims.COMPARED, 2000, 64, 5000, 0),
    *(
        Case(
            'devnag', '2018-11', f'2018-11_{view}_start', gan.make_settings(preprocess=view), train_start, claims.COMPARED,
            2000, 32, START,
        )
        for view in gan.VARIANTS['2018-11'].views[1:]
    ),
    Case('devnag', '2017-02', '2017-02_start', gan.make_settings('2017-02'), train_start, claims.COMPARED, 2000, 32, START),
)  # fmt: skip
SPEED = (
    Speed(
        'Dev Nag 2018-11', 'devnag', {}, {1: 5_000, 10: 1_000, 200: 50},
        ('baselines/session_loop.py', '--post=devnag', '--steps=50'), ('baselines/torch_loop.py',), every=1, updates=40,
    ),
)  # fmt: skip


def short(scratch):
    """The flags of a training of seconds."""
    del scratch
    return ['--num_steps=80', '--d_steps=2', '--g_steps=2', '--batch_size=20']


def jobs(runs, data):
    """The commands of the report; times are those of 100 seeds, and grow with them."""
    del data
    many = (f'--runs={runs}', '--seed=1000')
    return [
        Job('devnag', 'claims', ('--claims', *many), 1.15 * runs, {}),
        Job('devnag', 'many', many, 0.75 * runs, {
            'ensemble.png': 'Where every seed ends, and its way there',
            'runs.png': 'The last batch of each of the first ten seeds',
        }),
        Job('devnag', 'one', ('--animation',), 25, {
            'figure.png': 'One seed at the end of its training', 'animation.gif': 'Its training',
        }),
    ]  # fmt: skip


def shown(directory):
    """What the report shows of its ensemble."""
    del directory
    settings = gan.make_settings()
    targets = {'mean': settings.mu, 'std': settings.sigma, 'skewness': 0.0, 'kurtosis': 0.0}
    rule = gan.truth(settings), gan.success_bound(settings)
    return [Shown('many', '', targets, {'success': '8 of 10'}, claims.original(), claims.COMPARED, *rule)]
