"""What Aylien's post and program fix: every setting with its flag, and what each published version changed."""

import functools
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from common import settings
from common.program import checks
from common.program.cli import UserError
from common.settings import (
    BATCH_SIZE,
    D_RATE,
    D_STEPS,
    EPSILON,
    EVALUATED,
    FRACTION,
    G_RATE,
    G_STEPS,
    IMPLIED,
    INIT_SCALE,
    POSITIVE,
    Between,
    Derived,
    OneOf,
    PerRun,
    Remedies,
)
from common.sizes import MOST

VARIANTS = {  # the post's program, and what later commits of https://github.com/AYLIEN/gan-intro changed
    '2016-08': {},  # bdfa5c3
    '2016-12': {'learning_rate': Derived(lambda s: 0.005 if s.minibatch else 0.03), 'self_distance': 0.0},  # 6fb4cf9
    '2017-06': {  # 441295e; its loop runs one step more than 5000
        'activation': 'relu', 'optimizer': 'adam', 'learning_rate': 0.001, 'pretrain_steps': 0, 'log_floor': 1e-5,
        'self_distance': 0.0, 'batch_size': 8, 'default_steps': 5001,
    },
}  # fmt: skip
DEFAULT, *_ = VARIANTS
SEED = 42  # the program's own, for NumPy and TensorFlow
NOISE_RANGE = 8.0  # noise is stratified over +-8
PRETRAIN_RANGE = 5.0  # D is pre-trained on x ~ U(-5, 5)
DECAY_EVERY = 150  # steps between decays of gradient descent's learning rate, staircase
PLOT_POINTS = 10_000  # grid on which the post plots D and G


class Settings(NamedTuple):
    """Everything that determines the results, except the seeds and the number of steps; defaults are the post's."""

    variant: Annotated[str, OneOf(VARIANTS), 'Published version of the program (the post: 2016-08).'] = DEFAULT
    minibatch: Annotated[bool, 'Use minibatch discrimination in D (the post shows both).'] = False
    hidden_size: Annotated[int, Between(1), 'Hidden units h of G; D has 2h per layer (the post: 4).'] = 4
    d_hidden_sizes: Annotated[tuple[int, ...], "Widths of D's hidden layers (the post: 2h,2h,2h)."] = Derived(
        lambda s: (2 * s.hidden_size,) * 3
    )
    learning_rate: Annotated[
        float, POSITIVE, PerRun('float32'), "Initial learning rate (default: the variant's; the post: 0.005)."
    ] = 0.005
    d_learning_rate: D_RATE = None
    g_learning_rate: G_RATE = None
    decay: Annotated[
        float, POSITIVE, Between(None, 1), PerRun('float32'),
        'Factor of the learning rate every 150 steps of gradient descent (the post: 0.95).',
    ] = 0.95  # fmt: skip
    beta1: Annotated[float, FRACTION, PerRun('float64'), "Adam's beta1, for 2017-06 (the post: 0.9)."] = 0.9
    beta2: Annotated[float, FRACTION, PerRun('float64'), "Adam's beta2, for 2017-06 (the post: 0.999)."] = 0.999
    epsilon: EPSILON = 1e-8  # TensorFlow 1's default, like the betas
    init_scale: INIT_SCALE = 1.0
    noise_range: Annotated[float, POSITIVE, PerRun('float64'), EVALUATED, 'Noise covers +- this (the post: 8).'] = NOISE_RANGE
    d_steps: D_STEPS = 1
    g_steps: G_STEPS = 1
    remedies: Remedies = Remedies()
    pretrain_steps: Annotated[
        int, Between(0, MOST), "Steps of D's pre-training (default: the variant's; the post's program: 1000)."
    ] = 1000
    mu: Annotated[float, PerRun('float32'), EVALUATED, 'Mean of the data (the post: 4).'] = 4.0
    sigma: Annotated[float, POSITIVE, PerRun('float32'), EVALUATED, 'Standard deviation of the data (the post: 0.5).'] = 0.5
    batch_size: BATCH_SIZE = 12
    default_steps: Annotated[int, IMPLIED] = 1200
    activation: Annotated[str, IMPLIED] = 'tanh'  # of D's hidden layers
    optimizer: Annotated[str, IMPLIED] = 'gradient descent'
    log_floor: Annotated[float, IMPLIED] = 0.0  # losses use log(max(p, floor)); 0: the plain log, inf and NaN on saturation
    self_distance: Annotated[float, IMPLIED] = 1.0  # the program adds an identity matrix to the minibatch layer's distances


make_settings = functools.partial(settings.make, Settings, VARIANTS)
UNUSED = {'adam': ('decay',), 'gradient descent': ('beta1', 'beta2', 'epsilon')}


def checked(settings: Settings, given: Mapping[str, Any]) -> Settings:
    """The settings, of which the flags `given` were given. Raises UserError if they make no sense."""
    checks.normal(settings)
    checks.unused(given, UNUSED[settings.optimizer], f'the program of {settings.variant} uses {settings.optimizer}')
    if settings.minibatch and len(settings.d_hidden_sizes) < 2:
        raise UserError('--d_hidden_sizes: minibatch discrimination replaces the last of these layers; name two or more')
    checks.minibatch(settings)
    checks.grid(settings, PLOT_POINTS)
    return settings
