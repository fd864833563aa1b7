"""What the MNIST post and its author's programs fix: every setting with its flag, and what each program has instead."""

import functools
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from common import settings
from common.evaluation import Columns
from common.program import checks
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
    Derived,
    OneOf,
    PerRun,
    Remedies,
)

# The listing, and commits of https://github.com/austinpgraham/Recommendations-GAN. `2018-06`: network fbbe4bc with script
# 175f1d1. `2018-08`: network 35280d0 with script c948919, without two things that do nothing there: the network adds noise to
# the real digits, but the script feeds them behind that addition; and the script names an input that this network lacks.
# `repaired` is ours: of the remedies tried on the listing (docs/remedies.md), the only one so far that kept ten classes in
# every run. All have relu layers and Adam with epsilon 1e-8.
DRAWS = {'hidden_sizes': (128,), 'conditional': True}
VARIANTS = {
    'post': {},
    '2018-06': DRAWS,
    '2018-08': DRAWS | {'learning_rate': 0.0001, 'beta1': 0.5, 'beta2': 0.9},
    'repaired': {'gradient_penalty': 1.0, 'default_steps': 10_000},
}
DEFAULT, *_ = VARIANTS
WHAT = {
    'post': "the post's listing, whose digits collapse to one blot",
    '2018-06': "the author's program that draws digits, on request",
    '2018-08': 'the same networks with a gentler Adam',
    'repaired': "the listing with R1's penalty, a small change that keeps its digits",
}
CLASSES, PIXELS, NOISE = 10, 784, 100
HELD_OUT = 12  # the first twelfth of the training digits is held out: TensorFlow 1's reader holds out 5,000 of 60,000

CALL = 400  # seed-iterations per compiled call: one to three seconds
GROUP = 1  # runs that a CPU advances together: the 16 MB of one fill its caches, and eight at once are a ninth slower
CLAIM_RUNS, CLAIM_STEPS = 8, 50_000  # default seeds and iterations for measuring the claims
ANIMATION_FRAMES = 120  # about as many sample grids are recorded at most, besides those of the evaluations
MOST_BETWEEN = 100  # iterations between records, at most
COLUMNS = Columns(
    distance='frechet',
    title='Fréchet distance',
    axes=(('frechet', 'recognized'), ('frechet', 'classes_covered')),
    summarized=('frechet', 'classes_covered', 'confidence', 'recognized'),
    followed=('frechet', 'recognized', 'classes_covered'),
    covered='classes_covered',
)


class Settings(NamedTuple):
    """Everything that determines the results, except seeds, data and the number of iterations; defaults are the listing's."""

    variant: Annotated[str, OneOf(VARIANTS), f'Program: {"; ".join(f"{name}, {what}" for name, what in WHAT.items())}.'] = (
        DEFAULT
    )
    learning_rate: Annotated[
        float, POSITIVE, PerRun('float32'), 'Learning rate of Adam, for both networks (the post: 0.001; 2018-08: 0.0001).'
    ] = 0.001
    d_learning_rate: D_RATE = None
    g_learning_rate: G_RATE = None
    beta1: Annotated[float, FRACTION, PerRun('float64'), "Adam's beta1, for both networks (the post: 0.9; 2018-08: 0.5)."] = 0.9
    beta2: Annotated[float, FRACTION, PerRun('float64'), "Adam's beta2, for both networks (the post: 0.999; 2018-08: 0.9)."] = (
        0.999
    )
    epsilon: EPSILON = 1e-8  # TensorFlow 1's default
    init_scale: INIT_SCALE = 1.0
    noise_range: Annotated[float, POSITIVE, PerRun('float32'), EVALUATED, 'Noise is uniform over +- this (the post: 1).'] = 1.0
    hidden_sizes: Annotated[
        tuple[int, ...], IMPLIED, "Widths of D's hidden layers; G has the same in reverse (the post: 500,200)."
    ] = (500, 200)
    d_steps: D_STEPS = 1
    g_steps: G_STEPS = 1  # with one of each, as published, they share noise and labels
    minibatch: Annotated[bool, 'Use minibatch discrimination in D (the post: no).'] = False
    remedies: Remedies = Remedies()
    batch_size: BATCH_SIZE = 128
    conditional: bool = False  # both networks are given the label of the digit, as 10 numbers after their other inputs
    d_widths: tuple[int, ...] = Derived(lambda s: (PIXELS + CLASSES * s.conditional, *s.hidden_sizes, 1))
    g_widths: tuple[int, ...] = Derived(lambda s: (NOISE + CLASSES * s.conditional, *s.hidden_sizes[::-1], PIXELS))
    glorot: bool = False  # initial weights of variance 2 / (inputs + outputs), not 2 / inputs
    default_steps: Annotated[int, IMPLIED] = 500_000


make_settings = functools.partial(settings.make, Settings, VARIANTS)


def checked(settings: Settings, given: Mapping[str, Any]) -> Settings:
    """The settings, of which the flags `given` were given. Raises UserError if they make no sense."""
    checks.minibatch(settings)
    return settings
