"""What the multi-modal post fixes, and the settings that follow from it."""

from typing import NamedTuple

import numpy as np

from reproductions.aylien import settings as aylien

VARIANTS = ('2017-04',)  # the post; no program was published
AYLIEN = '2016-12'  # Aylien's program of the day: D, optimizer, learning rate, pre-training, batch and noise are its own
SEED = 4  # the seed of which the post says that models converge with it

NUM_STEPS = 5000  # the post's limit
RECORD_EVERY = 50
EARLY_RECORDS = tuple(range(1, 402, 5))  # after every fifth step up to the 400th, where the post's convergence happens
REACH = 4.0  # the outermost means of two modes and more lie at +-4, where Aylien's single mean is
SIGMA = 0.5  # Aylien's
MOST_MODES, MOST_UNITS = 100, 1000  # that the command line takes
LEAST_DEVIATION = 1e-3  # likewise: the figures' bins are half as wide, 32,000 of them
ACTIVATIONS = ('tanh', 'softplus', 'relu', 'sigmoid')  # that G's hidden layers may have
SPACING = 8.0  # least distance of the default modes in deviations: three modes at -4, 0, 4 are that far apart


class Settings(NamedTuple):
    """Everything that decides what is computed, but for seeds and the number of steps."""

    means: tuple[float, ...]  # ascending
    deviations: tuple[float, ...]
    hidden_sizes: tuple[int, ...]  # of G
    activation: str  # of G's hidden layers
    minibatch: bool  # minibatch discrimination in D, an extension
    batch_size: int
    noise_range: float
    learning_rate: float
    pretrain_steps: int


def make_settings(modes=3, hidden_size=4, layers=3, minibatch=False, **changes):
    """The settings for so many modes with G's hidden layers all of `hidden_size * modes` units, as the post has them.

    `changes` may name any field, and None stands for the default.
    """
    means, deviations = default_modes(modes)
    base = aylien.make_settings(AYLIEN, minibatch)
    settings = Settings(
        means=means,
        deviations=deviations,
        hidden_sizes=(hidden_size * modes,) * layers,
        activation='tanh',
        minibatch=minibatch,
        batch_size=-(-base.batch_size // modes) * modes,  # 12, or the next number that the modes divide
        noise_range=aylien.NOISE_RANGE,
        learning_rate=base.learning_rate,
        pretrain_steps=base.pretrain_steps,
    )
    return settings._replace(**{name: value for name, value in changes.items() if value is not None})


def default_modes(modes):
    """Means spread evenly and symmetrically about 0, and their deviations: (means, deviations), [modes] each."""
    if modes == 1:
        return (0.0,), (SIGMA,)
    means = np.linspace(-REACH, REACH, modes)
    return tuple(means.tolist()), (min(SIGMA, float(means[1] - means[0]) / SPACING),) * modes
