"""What Jang's post and program fix: every setting with its flag, and what the earlier version had instead."""

import functools
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from common import settings
from common.program import checks
from common.settings import (
    BATCH_SIZE,
    D_RATE,
    D_STEPS,
    EVALUATED,
    FRACTION,
    G_RATE,
    G_STEPS,
    INIT_SCALE,
    OF_ALL,
    POSITIVE,
    Between,
    OneOf,
    PerRun,
    Remedies,
)
from common.sizes import MOST

VARIANTS = {  # commits of https://github.com/ericjang/genadv_tutorial
    '2016-06': {},  # 52322e0, the post's
    '2015-12': {'batch_size': 1000, 'sort': False},  # d35a9db
}
DEFAULT, *_ = VARIANTS
HALF_RANGE = 5.0  # noise, the samples of the pre-training and the axes of the figures cover +-5
NUM_STEPS = 10_000
DECAYS = 4  # the learning rate is multiplied by `decay` every quarter of the iterations, staircase
PLOT_POINTS = 5000  # grid on which the post plots D and G


class Settings(NamedTuple):
    """Everything that determines the results, except the seeds; defaults are the post's."""

    variant: Annotated[str, OneOf(VARIANTS), 'Published version of the program (the post: 2016-06).'] = DEFAULT
    sort: Annotated[bool, "Sort the samples of each batch (default: the variant's; the post: yes)."] = True
    stratify: Annotated[bool, 'Use stratified noise, on a jittered grid, instead of independent noise (the post: yes).'] = True
    activation: Annotated[str, OneOf(['tanh', 'relu']), 'Activation of the hidden layers (the post: tanh).'] = 'tanh'
    hidden_sizes: Annotated[tuple[int, ...], 'Widths of the hidden layers, the same for D and G (the post: 6,5).'] = (6, 5)
    learning_rate: Annotated[float, POSITIVE, PerRun('float32'), 'Initial learning rate (the post: 0.001).'] = 0.001
    d_learning_rate: D_RATE = None
    g_learning_rate: G_RATE = None
    momentum: Annotated[float, FRACTION, PerRun('float32'), 'Momentum of gradient descent (the post: 0.6).'] = 0.6
    decay: Annotated[
        float, POSITIVE, Between(None, 1), PerRun('float32'),
        'Factor of the learning rate after each quarter of training (the post: 0.95).',
    ] = 0.95  # fmt: skip
    init_scale: INIT_SCALE = 1.0
    noise_range: Annotated[float, POSITIVE, PerRun('float64'), EVALUATED, 'Noise covers +- this (the post: 5).'] = HALF_RANGE
    output_scale: Annotated[float, POSITIVE, PerRun('float32'), EVALUATED, "G's samples lie within +- this (the post: 5)."] = (
        5.0  # its last layer also ends in tanh
    )
    clamp: Annotated[
        float, Between(0, 0.49), PerRun('float64'), EVALUATED,
        "D's probabilities are clipped to clamp .. 1 - clamp (the post: 0.01).",
    ] = 0.01  # the gradient outside is zero  # fmt: skip
    mu: Annotated[float, PerRun('float32'), EVALUATED, 'Mean of the data (the post: -1).'] = -1.0
    sigma: Annotated[float, POSITIVE, PerRun('float32'), EVALUATED, 'Standard deviation of the data (the post: 1).'] = 1.0
    d_steps: D_STEPS = 1
    g_steps: G_STEPS = 1
    minibatch: Annotated[bool, 'Use minibatch discrimination in D (the post: no).'] = False
    remedies: Remedies = Remedies()
    pretrain_steps: Annotated[int, Between(0, MOST), "Steps of D's pre-training (the post: 1000)."] = 1000
    batch_size: BATCH_SIZE = 200  # M in the post
    num_steps: Annotated[int, OF_ALL] = NUM_STEPS  # also sets the decay of the learning rate

    @property
    def default_steps(self) -> int:
        """The number of adversarial iterations."""
        return self.num_steps


make_settings = functools.partial(settings.make, Settings, VARIANTS)


def checked(settings: Settings, given: Mapping[str, Any]) -> Settings:
    """The settings, of which the flags `given` were given. Raises UserError if they make no sense."""
    checks.normal(settings)
    checks.minibatch(settings)
    return settings
