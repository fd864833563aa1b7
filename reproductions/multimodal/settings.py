"""What the multi-modal post fixes, and the settings derived from it."""

from typing import Any, NamedTuple

import numpy as np

from reproductions.aylien import settings as aylien

VARIANTS = ('2017-04',)  # the post; no program was published
AYLIEN = (
    '2016-12'  # Aylien's program of that time: D, optimizer, learning rate, pre-training, batch and noise are taken from it
)
SEED = 4  # the seed with which, the post says, models converge

NUM_STEPS = 5000  # the post's limit
RECORD_EVERY = 50
EARLY_RECORDS = tuple(range(1, 402, 5))  # every fifth step up to the 400th, when the post's runs converge
REACH = 4.0  # the outer means lie at +-4; Aylien's single mean is 4
SIGMA = 0.5  # Aylien's
MOST_MODES, MOST_UNITS = 100, 1000  # limits of the command line
LEAST_STD = 1e-3  # likewise: bins of the figures are half as wide, so there are 32,000
ACTIVATIONS = ('tanh', 'softplus', 'relu', 'sigmoid')  # of G's hidden layers
SPACING = 8.0  # minimum distance of the default modes in stds: that of three modes at -4, 0, 4


class Settings(NamedTuple):
    """Everything that determines the results, except the seeds and the number of steps."""

    means: tuple[float, ...]  # ascending
    deviations: tuple[float, ...]
    hidden_sizes: tuple[int, ...]  # of G
    activation: str  # of G's hidden layers
    minibatch: bool  # minibatch discrimination in D, not in the post
    batch_size: int
    noise_range: float
    learning_rate: float
    pretrain_steps: int


def make_settings(modes: int = 3, hidden_size: int = 4, layers: int = 3, minibatch: bool = False, **changes: Any) -> Settings:
    """The settings for a number of modes; all hidden layers of G have `hidden_size * modes` units, as in the post.

    `changes` may set any field, None keeps the default.
    """
    means, stds = default_modes(modes)
    base = aylien.make_settings(AYLIEN, minibatch)
    settings = Settings(
        means=means,
        deviations=stds,
        hidden_sizes=(hidden_size * modes,) * layers,
        activation='tanh',
        minibatch=minibatch,
        batch_size=-(-base.batch_size // modes) * modes,  # 12, or the next multiple of the number of modes
        noise_range=aylien.NOISE_RANGE,
        learning_rate=base.learning_rate,
        pretrain_steps=base.pretrain_steps,
    )
    return settings._replace(**{name: value for name, value in changes.items() if value is not None})


def default_modes(modes: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Means evenly spaced around 0, and their stds: (means, stds), [modes] each."""
    if modes == 1:
        return (0.0,), (SIGMA,)
    means = np.linspace(-REACH, REACH, modes)
    return tuple(means.tolist()), (min(SIGMA, float(means[1] - means[0]) / SPACING),) * modes
