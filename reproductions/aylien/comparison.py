"""Aylien's post beside its authors' program and the suite's own accepted numbers, in the report and in the benchmark."""

from reproductions.aylien import claims, gan
from reproductions.posts import Case, Job, Shown, Speed

BRANCHES = {'plain': False, 'minibatch': True}
SEEDS_SHOWN = {'plain': 708, 'minibatch': 998}  # of 0 .. 999, the closest to the data at step 750, as the gallery chooses


def train(settings, seed, runs):
    """The columns of results.csv over seeds."""
    return gan.train_many(settings, seed, runs).table


CASES = tuple(
    Case(
        'aylien', variant, f'{variant}_{branch}', gan.make_settings(variant, minibatch), train, claims.COMPARED, runs=1000,
        num_steps=gan.VARIANTS[variant].num_steps, shown=SEEDS_SHOWN[branch] if variant == gan.DEFAULT else None,
    )
    for variant in gan.VARIANTS
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


def short(scratch):
    """The flags of a training of seconds."""
    del scratch
    return ['--num_steps=600', '--pretrain_steps=300', '--log_every=10']


def jobs(runs, data):
    """The commands of the report; times are those of 100 seeds, and grow with them."""
    del data
    many, spread = (f'--runs={runs}', '--seed=1000'), 'Where every seed ends, and its way there'
    return [
        Job('aylien', 'claims', ('--claims', *many), 0.8 * runs, {}),
        Job('aylien', 'plain', many, 0.12 * runs, {'ensemble.png': f'{spread}, without minibatch discrimination'}),
        Job('aylien', 'minibatch', ('--minibatch', *many), 0.15 * runs, {
            'ensemble.png': f'{spread}, with minibatch discrimination',
        }),
        Job('aylien', 'one', (f'--seed={SEEDS_SHOWN["plain"]}', '--animation'), 20, {
            'figure.png': 'A seed that does what the post shows, at its end', 'animation.gif': 'Its training',
        }),
    ]  # fmt: skip


def shown(directory):
    """What the report shows of its ensembles."""
    del directory
    settings = gan.make_settings()
    targets = {'mean': settings.mu, 'std': settings.sigma, 'd_mean': None}
    rule = gan.truth(settings), gan.success_bound(settings)
    return [
        Shown(name, name, targets, {'mean': 'at 4'}, claims.original(gan.DEFAULT, name), claims.COMPARED, *rule)
        for name in BRANCHES
    ]
