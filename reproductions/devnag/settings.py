"""What Dev Nag's post and program fix: every setting with its flag, and what the earlier version had instead."""

import functools
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from common import settings
from common.program import checks
from common.program.cli import UserError
from common.settings import (
    BATCH_SIZE,
    D_RATE,
    EPSILON,
    EVALUATED,
    FRACTION,
    G_RATE,
    IMPLIED,
    INIT_SCALE,
    POSITIVE,
    Between,
    OneOf,
    PerRun,
    Remedies,
)

VARIANTS = {  # commits of https://github.com/devnag/pytorch-generative-adversarial-networks
    '2018-11': {},  # 26db8c9, the post's
    '2017-02': {  # a01e362
        'preprocess': 'variances', 'views': ('variances',), 'g_hidden_size': 50, 'd_hidden_size': 50,
        'g_activations': ('elu', 'sigmoid'), 'd_activations': ('elu', 'elu'), 'optimizer': 'adam', 'learning_rate': 0.0002,
        'batch_size': 100, 'default_steps': 30_000, 'd_steps': 1, 'g_steps': 1,
    },
}  # fmt: skip
DEFAULT, *_ = VARIANTS
VIEWS = ('moments', 'raw', 'variances', 'diffs')  # what D can see of a batch; the first was the published default
MOST_UPDATES = 10_000  # of a network per round: a round is at least one compiled call, which cannot be stopped
DRAWS = 10_000  # samples of U(0, 1) on which the final G is evaluated


class Settings(NamedTuple):
    """Everything that determines the results, except the seeds and the number of rounds; defaults are the post's."""

    variant: Annotated[str, OneOf(VARIANTS), 'Published version of the program (the post: 2018-11).'] = DEFAULT
    preprocess: Annotated[
        str, OneOf(VIEWS),
        "What D sees of a batch (default: the variant's; the post: moments; 2017-02 has only variances).",
    ] = 'moments'  # fmt: skip
    d_steps: Annotated[int, Between(1, MOST_UPDATES), "Updates of D per round (default: the variant's; the post: 20)."] = 20
    g_steps: Annotated[int, Between(1, MOST_UPDATES), "Updates of G per round (default: the variant's; the post: 20)."] = 20
    learning_rate: Annotated[float, POSITIVE, PerRun('float32'), "Learning rate (default: the variant's; the post: 0.001)."] = (
        0.001
    )
    d_learning_rate: D_RATE = None
    g_learning_rate: G_RATE = None
    momentum: Annotated[float, FRACTION, PerRun('float32'), 'Momentum of gradient descent (the post: 0.9).'] = 0.9
    beta1: Annotated[float, FRACTION, PerRun('float64'), "Adam's beta1, for 2017-02 (that program: 0.9)."] = 0.9
    beta2: Annotated[float, FRACTION, PerRun('float64'), "Adam's beta2, for 2017-02 (that program: 0.999)."] = 0.999
    epsilon: EPSILON = 1e-8  # PyTorch's default, like beta2
    init_scale: INIT_SCALE = 1.0  # of biases, too
    noise_range: Annotated[float, POSITIVE, PerRun('float32'), EVALUATED, 'Noise is uniform from 0 to this (the post: 1).'] = (
        1.0
    )
    remedies: Remedies = Remedies()
    minibatch: Annotated[
        bool, IMPLIED, 'Refused: minibatch discrimination compares the samples that D decides on one by one, but this D '
        'decides on a whole batch and sees its spread already.',
    ] = False  # fmt: skip
    mu: Annotated[float, PerRun('float32'), EVALUATED, 'Mean of the data (the post: 4).'] = 4.0
    sigma: Annotated[float, POSITIVE, PerRun('float32'), EVALUATED, 'Standard deviation of the data (the post: 1.25).'] = 1.25
    batch_size: BATCH_SIZE = 500
    default_steps: Annotated[int, IMPLIED] = 5000  # rounds
    views: Annotated[tuple[str, ...], IMPLIED] = VIEWS  # that the program has
    g_hidden_size: Annotated[int, IMPLIED] = 5
    d_hidden_size: Annotated[int, IMPLIED] = 10
    g_activations: Annotated[tuple[str, ...], IMPLIED] = ('tanh', 'tanh')  # of the two hidden layers; G's output is linear
    d_activations: Annotated[tuple[str, ...], IMPLIED] = ('sigmoid', 'sigmoid')  # likewise; D's output is a sigmoid
    optimizer: Annotated[str, IMPLIED] = 'momentum'


make_settings = functools.partial(settings.make, Settings, VARIANTS)
UNUSED = {'adam': ('momentum',), 'momentum': ('beta1', 'beta2', 'epsilon')}


def checked(settings: Settings, given: Mapping[str, Any]) -> Settings:
    """The settings, of which the flags `given` were given. Raises UserError if they make no sense."""
    checks.normal(settings)
    if settings.preprocess not in settings.views:
        raise UserError(f'--preprocess={settings.preprocess}: the program of {settings.variant} has only variances')
    if settings.minibatch:
        raise UserError('--minibatch is not defined here: D decides on a whole batch, whose spread it sees; leave it out')
    checks.unused(given, UNUSED[settings.optimizer], f'the program of {settings.variant} uses {settings.optimizer}')
    if settings.batch_size < 2:
        raise UserError(f'--batch_size={settings.batch_size}: D needs the spread of a batch; use 2 or more')
    if settings.batch_size > DRAWS:
        raise UserError(f'--batch_size={settings.batch_size} is more than the {DRAWS:,} samples that G is evaluated on')
    return settings
