"""What the multi-modal post fixes, and values for what it leaves open: every setting with its flag."""

import functools
import itertools
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import numpy as np

from common import settings
from common.evaluation import MODE_REACH
from common.program import checks
from common.program.cli import UserError
from common.program.flags import spelled
from common.settings import (
    BATCH_SIZE,
    D_RATE,
    D_STEPS,
    EVALUATED,
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
from reproductions.aylien.settings import NOISE_RANGE, PLOT_POINTS
from reproductions.aylien.settings import make_settings as aylien_settings

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
VARIANTS = {  # values for what the post leaves open, since no program was published
    'inferred': {},
    'guessed': {
        'batch_size': Derived(lambda s: multiple_of(s.modes, 12)),
        'learning_rate': Derived(lambda s: aylien_settings(AYLIEN, minibatch=s.minibatch).learning_rate),
        'alone': 0.0,
    },
}
DEFAULT, *_ = VARIANTS
WHAT = {
    'inferred': 'of 2,112 possible programs the one that agrees best with the post',
    'guessed': "Aylien's batch and learning rate of that time, and a single mode in the middle",
}


def multiple_of(modes: int, batch_size: int) -> int:
    """The smallest multiple of the number of modes that is no less than a batch size."""
    return -(-batch_size // modes) * modes


def default_modes(modes: int, alone: float = 4.0) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """One mode at `alone`, or several evenly spaced around 0, and their stds: (means, stds), [modes] each."""
    if modes == 1:
        return (alone,), (SIGMA,)
    means = np.linspace(-REACH, REACH, modes)
    return tuple(means.tolist()), (min(SIGMA, float(means[1] - means[0]) / SPACING),) * modes


class Settings(NamedTuple):
    """Everything that determines the results, except the seeds and the number of steps."""

    variant: Annotated[
        str, OneOf(VARIANTS), IMPLIED, 'Values for what the post leaves open, since its program is lost: '
        f'{"; ".join(f"{name}, {what}" for name, what in WHAT.items())}.',
    ] = DEFAULT  # fmt: skip
    alone: Annotated[float, IMPLIED] = 4.0  # mean of a single mode
    modes: Annotated[
        int, Between(1, MOST_MODES), IMPLIED, 'Number of Gaussian modes of the data (default: 3; the post: 1, 2 and 3).'
    ] = Derived(lambda s: 3 if isinstance(s.means, settings.Derived) else np.shape(s.means)[-1])
    means: Annotated[
        tuple[float, ...], 'Means of the modes (default: 4 for one, 0 if guessed; else evenly spaced over +-4; the post: lost '
        'image).',
    ] = Derived(lambda s: default_modes(s.modes, s.alone)[0])  # fmt: skip
    deviations: Annotated[
        tuple[float, ...], 'Standard deviations of the modes, one for all or one per mode (default: 0.5, or less for modes '
        'closer than 8 stds; the post: lost image).',
    ] = Derived(lambda s: default_modes(s.modes, s.alone)[1])  # fmt: skip
    hidden_size: Annotated[int, Between(1), IMPLIED, 'h: each hidden layer of G has h units per mode (the post: 4).'] = 4
    layers: Annotated[
        int, Between(1, 10), IMPLIED, 'Number of hidden layers of G (the post: not stated, but at least three).'
    ] = 3
    hidden_sizes: Annotated[
        tuple[int, ...], "Widths of G's hidden layers, one by one; replaces --hidden_size and --layers."
    ] = Derived(lambda s: (s.hidden_size * s.modes,) * s.layers)
    activation: Annotated[
        str, OneOf(ACTIVATIONS), "Activation of G's hidden layers (the post: not stated; Aylien's: softplus)."
    ] = 'tanh'
    minibatch: Annotated[bool, 'Use minibatch discrimination in D (the post: no).'] = False
    noise_range: Annotated[
        float, POSITIVE, PerRun('float64'), EVALUATED, "Noise covers +- this (the post: not stated; Aylien's: 8)."
    ] = NOISE_RANGE
    learning_rate: Annotated[
        float, POSITIVE, PerRun('float32'), "Initial learning rate (the post: not stated; default: Aylien's of that time, "
        '0.03, or 0.005 with --minibatch).',
    ] = Derived(lambda s: aylien_settings(AYLIEN, minibatch=True).learning_rate if s.minibatch else 0.1)  # fmt: skip
    d_learning_rate: D_RATE = None
    g_learning_rate: G_RATE = None
    decay: Annotated[
        float, POSITIVE, Between(None, 1), PerRun('float32'),
        "Factor of the learning rate every 150 steps (Aylien's: 0.95; the post: not stated).",
    ] = 0.95  # fmt: skip
    init_scale: INIT_SCALE = 1.0  # as a multiple of Aylien's
    d_steps: D_STEPS = 1
    g_steps: G_STEPS = 1
    remedies: Remedies = Remedies()
    pretrain_steps: Annotated[
        int, Between(0, MOST), "Steps of D's pre-training (the post: not stated; default: Aylien's, 1000)."
    ] = 1000
    pretrain_target: Annotated[
        str, OneOf(PRETRAIN_TARGETS), IMPLIED, "Density that D is pre-trained on: all modes', or the first mode's alone (the "
        "post: not stated; Aylien's has one mode).",
    ] = 'all'  # fmt: skip
    equal_modes: Annotated[
        bool, 'Batches of equally many samples per mode (the post: "almost equal"), or of modes drawn at random.'
    ] = True
    batch_size: BATCH_SIZE = Derived(lambda s: multiple_of(s.modes, 60))
    pretrain_weights: tuple[float, ...] = Derived(  # of the modes in the density that D is pre-trained on; None: equal
        lambda s: (1.0, *[0.0] * (s.modes - 1)) if s.pretrain_target == 'first' else None
    )
    default_steps: Annotated[int, IMPLIED] = NUM_STEPS


make_settings = functools.partial(settings.make, Settings, VARIANTS)


def checked(settings: Settings, given: Mapping[str, Any]) -> Settings:
    """The settings, modes in ascending order; the flags `given` were given. Raises UserError if they make no sense."""
    if 'means' in given and len(settings.means) > MOST_MODES:
        raise UserError(f'--means names {len(settings.means):,} modes; use {MOST_MODES} or fewer')
    if 'means' in given and 'modes' in given and settings.modes != len(settings.means):
        named = f'--means={spelled(settings.means)} names {len(settings.means)}'
        raise UserError(f'--modes={settings.modes} but {named}; leave out --modes')
    settings = with_modes(settings, given)
    if settings.modes == 1:
        checks.unused(given, ('pretrain_target', 'equal_modes'), 'there is one mode')
    if settings.pretrain_steps == 0:
        checks.unused(given, ('pretrain_target',), 'D is not pre-trained')
    if 'hidden_sizes' in given and ('layers' in given or 'hidden_size' in given):
        named = f'--hidden_sizes={spelled(settings.hidden_sizes)} sets every width'
        raise UserError(f'{named}; leave out --hidden_size and --layers')
    checks.minibatch(settings)
    checks.grid(settings, PLOT_POINTS)
    if max(settings.hidden_sizes) > MOST_UNITS:
        raise UserError(f'hidden layers of {max(settings.hidden_sizes):,} units are too wide; use {MOST_UNITS:,} or fewer')
    return settings


def with_modes(settings: Settings, given: Mapping[str, Any]) -> Settings:
    """Means in ascending order with an std for each. Raises UserError if modes overlap or leave the plotted range."""
    means, stds = settings.means, settings.deviations
    if 'means' in given and 'deviations' not in given:
        stds = (SIGMA,)
    if len(stds) not in (1, len(means)) or min(stds) < LEAST_STD:
        raise UserError(
            f'--deviations={spelled(given.get("deviations", ()))} must be one number of at least {LEAST_STD:g}, '
            f'or {len(means)} of them, one per mode'
        )
    modes = sorted(zip(means, stds * (len(means) // len(stds)), strict=True))
    for (low, std_low), (high, std_high) in itertools.pairwise(modes):
        if high - low < MODE_REACH * (std_low + std_high):
            raise UserError(
                f'modes at {low:g} and {high:g} overlap; set --means and --deviations so that neighbors are apart '
                f'by {MODE_REACH:g} stds of each, here {MODE_REACH * (std_low + std_high):g}'
            )
    for mean, std in modes:
        if abs(mean) + MODE_REACH * std > NOISE_RANGE:
            raise UserError(
                f'the mode at {mean:g} with std {std:g} leaves the figure; keep each of --means at least '
                f'{MODE_REACH:g} of its --deviations inside +-{NOISE_RANGE:g}'
            )
    means, stds = zip(*modes, strict=True)
    return settings._replace(means=means, deviations=stds)
