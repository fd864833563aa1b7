"""What the post fixes: every setting with its flag, and what each published version changed."""

import functools
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from common import settings
from common.settings import (
    BATCH_SIZE,
    D_RATE,
    D_STEPS,
    EVALUATED,
    G_RATE,
    G_STEPS,
    IMPLIED,
    POSITIVE,
    Between,
    OneOf,
    PerRun,
    Remedies,
)  # fmt: skip

VARIANTS = {'2020-01': {}, '2020-06': {'learning_rate': 0.002}}  # the post's, and what a later version changed
DEFAULT, *_ = VARIANTS
MEANS = ((-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0))
STD = 0.1


class Settings(NamedTuple):
    """Everything that determines the results, except the seeds and the number of steps; defaults are the post's."""

    variant: Annotated[str, OneOf(VARIANTS), 'Published version of the program (the post: 2020-01).'] = DEFAULT
    hidden_size: Annotated[int, Between(1, 1000), 'Units of the hidden layers (the post: 16).'] = 16
    learning_rate: Annotated[float, POSITIVE, PerRun('float32'), 'Learning rate of Adam (the post: 0.005).'] = 0.005
    d_learning_rate: D_RATE = None
    g_learning_rate: G_RATE = None
    noise_range: Annotated[float, POSITIVE, PerRun('float32'), EVALUATED, 'Noise covers +- this (the post: 1).'] = 1.0
    d_steps: D_STEPS = 1
    g_steps: G_STEPS = 1
    remedies: Remedies = Remedies()
    batch_size: BATCH_SIZE = 64
    default_steps: Annotated[int, IMPLIED] = 2000


make_settings = functools.partial(settings.make, Settings, VARIANTS)


def checked(settings: Settings, given: Mapping[str, Any]) -> Settings:
    """The settings, of which the flags `given` were given. Raises UserError if they make no sense."""
    return settings
