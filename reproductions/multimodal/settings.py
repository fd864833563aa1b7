"""What the multi-modal post fixes, and the settings derived from it."""

from typing import Any, NamedTuple

import numpy as np

from common.settings import REMEDY_NUMBERS, Remedies, changed
from reproductions.aylien import settings as aylien

AYLIEN = '2016-12'  # Aylien's program of that time: D, optimizer, decay, pre-training and noise are taken from it
SEED = 4  # the seed with which, the post says, models converge

NUM_STEPS = 5000  # the post's limit
RECORD_EVERY = 50
EARLY_RECORDS = tuple(range(1, 402, 5))  # every fifth step up to the 400th, when the post's runs converge
REACH = 4.0  # the outer means lie at +-4
SIGMA = 0.5  # Aylien's
MOST_MODES, MOST_UNITS = 100, 1000  # limits of the command line
LEAST_STD = 1e-3  # likewise: bins of the figures are half as wide, so there are 32,000
ACTIVATIONS = ('tanh', 'softplus', 'relu', 'sigmoid')  # of G's hidden layers
PRETRAIN_TARGETS = ('all', 'first')  # densities that D can be pre-trained on: the data's, or that of the first mode alone
SPACING = 8.0  # minimum distance of the default modes in stds: that of three modes at -4, 0, 4


class Variant(NamedTuple):
    """Values for what the post leaves open. No program was published."""

    what: str
    batch_size: int  # or the next multiple of the number of modes
    learning_rate: float  # without minibatch discrimination; with it, Aylien's for it
    alone: float  # mean of a single mode


PUBLISHED = False  # so maps mark our default, not where the post stands
DEFAULT = 'inferred'
VARIANTS = {
    'inferred': Variant('of 2,112 possible programs the one that agrees best with the post', 60, 0.1, 4.0),
    'guessed': Variant("Aylien's batch and learning rate of that time, and a single mode in the middle", 12, 0.03, 0.0),
}


class Settings(NamedTuple):
    """Everything that determines the results, except the seeds and the number of steps."""

    means: tuple[float, ...]  # ascending
    deviations: tuple[float, ...]
    hidden_sizes: tuple[int, ...]  # of G
    activation: str  # of G's hidden layers
    minibatch: bool  # minibatch discrimination in D, not in the post
    batch_size: int
    d_steps: int  # updates of D per step
    g_steps: int  # updates of G after those
    learning_rate: float
    d_learning_rate: float | None  # None: `learning_rate`
    g_learning_rate: float | None
    decay: float  # of the learning rate
    init_scale: float  # initial weights, as a multiple of the default's
    noise_range: float
    pretrain_steps: int
    equal_modes: bool = True  # a batch has equally many samples of every mode; else each sample's mode is drawn at random
    pretrain_weights: tuple[float, ...] | None = None  # of the modes in the density that D is pre-trained on; None: equal
    remedies: Remedies = Remedies()

    @property
    def modes(self) -> int:
        """As in --modes."""
        return np.shape(self.means)[-1]


NUMBERS = {  # fields of `Settings` that may differ from run to run, with the precision in which they are computed with
    'learning_rate': 'float32', 'd_learning_rate': 'float32', 'g_learning_rate': 'float32', 'decay': 'float32',
    'init_scale': 'float32', 'noise_range': 'float64',
} | REMEDY_NUMBERS  # fmt: skip
JUDGED_BY = ('noise_range',)  # of `NUMBERS`, those that outcomes depend on once a run is trained


def default_steps(settings: Settings) -> int:
    """The number of adversarial steps, the same for all settings."""
    del settings
    return NUM_STEPS


def make_settings(
    modes: int = 3, hidden_size: int = 4, layers: int = 3, minibatch: bool = False, variant: str = DEFAULT, **changes: Any
) -> Settings:
    """The settings for a number of modes; all hidden layers of G have `hidden_size * modes` units, as in the post.

    `changes` may set any field, None keeps the default.
    """
    means, stds = default_modes(modes, variant)
    base, chosen = aylien.make_settings(AYLIEN, minibatch), VARIANTS[variant]
    settings = Settings(
        means=means,
        deviations=stds,
        hidden_sizes=(hidden_size * modes,) * layers,
        activation='tanh',
        minibatch=minibatch,
        batch_size=-(-chosen.batch_size // modes) * modes,
        d_steps=1,
        g_steps=1,
        learning_rate=base.learning_rate if minibatch else chosen.learning_rate,
        d_learning_rate=None,
        g_learning_rate=None,
        decay=base.decay,
        init_scale=1.0,
        noise_range=base.noise_range,
        pretrain_steps=base.pretrain_steps,
    )
    return changed(settings, {name: value for name, value in changes.items() if value is not None})


def default_modes(modes: int, variant: str = DEFAULT) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The variant's mean of one mode, or several evenly spaced around 0, and their stds: (means, stds), [modes] each."""
    if modes == 1:
        return (VARIANTS[variant].alone,), (SIGMA,)
    means = np.linspace(-REACH, REACH, modes)
    return tuple(means.tolist()), (min(SIGMA, float(means[1] - means[0]) / SPACING),) * modes
