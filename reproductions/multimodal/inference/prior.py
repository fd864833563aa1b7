"""What the multi-modal post leaves open, and how likely each possibility was before looking at what the post reports.

Weights within an unknown add up to one. Unknowns are independent, but for modes that would run into each other.
"""

import itertools
from typing import Any, NamedTuple

import numpy as np

from reproductions.multimodal import settings as post
from reproductions.multimodal.settings import PRETRAIN_TARGETS

ALL, FIRST = PRETRAIN_TARGETS


class Unknown(NamedTuple):
    """One thing that the post does not state."""

    what: str
    weights: dict[Any, float]  # {value: probability}
    why: str


UNKNOWNS = {
    'layers': Unknown(
        'hidden layers of the generator', {3: 1 / 3, 4: 1 / 3, 5: 1 / 3},
        'the last two are narrowed and others left, so there are three at least; "many hours" went into their combination',
    ),
    'activation': Unknown(
        'their activation', dict.fromkeys(post.ACTIVATIONS, 1 / 4),
        "softplus is Aylien's, tanh the discriminator's; relu and sigmoid were the other two of the time",
    ),
    'batch_size': Unknown(
        'batch', {12: 0.4, 24: 0.2, 60: 0.2, 120: 0.2},
        "12 is Aylien's default; the others are what numbers of 2017 (20, 32, 64, 100, 128) come to if modes get equally many",
    ),
    'pretrain': Unknown(
        'what the discriminator is pre-trained on', {ALL: 0.5, FIRST: 0.2, 'nothing': 0.3},
        "Aylien's program does, on its one density; with several, one takes all, or edits only what fails; many did not",
    ),
    'learning_rate': Unknown(
        'learning rate', {0.005: 0.4, 0.01: 0.1, 0.03: 0.4, 0.1: 0.1},
        '"the same optimizer": 0.005 in Aylien\'s post, 0.03 in the program of that time; "finding a suitable learning rate is '
        'important"',
    ),
    'noise_range': Unknown(
        'half-range of the noise', {1.0: 1 / 6, 4.0: 1 / 6, 8.0: 1 / 2, 16.0: 1 / 6},
        "Aylien's is 8; 1 is the usual one, 4 the range of the data, 16 the whole width of its figure",
    ),
    'alone': Unknown(
        'mean of one mode', {0.0: 0.3, 2.0: 0.2, 4.0: 0.5}, "Aylien's is 4; 0 and 2 are the centered one and one between"
    ),
    'reach': Unknown(
        'means of two and three modes: at ± this, and 0', {2.0: 0.2, 3.0: 0.2, 4.0: 0.2, 5.0: 0.2, 6.0: 0.2},
        'inside the plotted ±8, with room for the modes',
    ),
    'std': Unknown(
        'standard deviation of each mode', {0.25: 0.25, 0.5: 0.5, 1.0: 0.25}, "Aylien's is 0.5, and half and twice that"
    ),
    'equal_modes': Unknown(
        'modes in a batch', {True: 0.7, False: 0.3}, '"number of points in each Gaussian to be equal", "almost equal"'
    ),
}  # fmt: skip
SHAPES = ('layers', 'activation', 'batch_size')  # those that need a program of their own
LEAST_GAP = 3  # in stds, between means: closer modes do not look like two in a figure
PER_SHAPE = 44  # settings that are drawn for each combination of `SHAPES`: 2,112 in all
SEED = 20_170_403  # of the draws


def shapes() -> list[tuple]:
    """All combinations of `SHAPES`, by batch, since programs of the same batch share the pre-training."""
    found = itertools.product(*(UNKNOWNS[name].weights for name in SHAPES))
    return sorted(found, key=lambda shape: shape[SHAPES.index('batch_size')])


def draw(per_shape: int = PER_SHAPE, seed: int = SEED) -> dict[str, np.ndarray]:
    """Settings from the prior, {unknown: [settings]}: `per_shape` of each shape, shape by shape as in `shapes`.

    The number without pre-training is in proportion in each shape, and these come last. The rest is drawn at random.
    """
    rng, rows = np.random.default_rng(seed), []
    without = round(per_shape * UNKNOWNS['pretrain'].weights['nothing'])
    for shape in shapes():
        for k in range(per_shape):
            row = {name: value_of(rng, UNKNOWNS[name].weights) for name in UNKNOWNS if name not in SHAPES}
            while row['reach'] < LEAST_GAP * row['std']:
                row |= {name: value_of(rng, UNKNOWNS[name].weights) for name in ('reach', 'std')}
            trained = {ALL: UNKNOWNS['pretrain'].weights[ALL], FIRST: UNKNOWNS['pretrain'].weights[FIRST]}
            row['pretrain'] = 'nothing' if k >= per_shape - without else value_of(rng, trained)
            rows.append(row | dict(zip(SHAPES, shape, strict=True)))
    return {name: np.array([row[name] for row in rows]) for name in UNKNOWNS}


def value_of(rng: np.random.Generator, weights: dict[Any, float]) -> Any:
    """One value, drawn in proportion to the weights."""
    bounds = np.cumsum(list(weights.values()))
    return list(weights)[int(np.searchsorted(bounds, rng.random() * bounds[-1], side='right'))]


def shape_weights(settings: dict[str, np.ndarray]) -> np.ndarray:
    """Prior weight of each drawn setting, [settings], sum 1: shapes are drawn equally often, whatever their prior."""
    parts = [[UNKNOWNS[name].weights[value] for value in settings[name].tolist()] for name in SHAPES]
    product = np.prod(np.array(parts), axis=0)
    return product / product.sum()


def means_of(settings: dict[str, np.ndarray], modes: int) -> np.ndarray:
    """Means of the modes, [settings, modes]; the first is the one that a setting may pre-train on alone."""
    if modes == 1:
        return settings['alone'][:, None]
    return settings['reach'][:, None] * np.linspace(-1, 1, modes)


def as_post(settings: dict[str, np.ndarray], row: int, modes: int, **changes: Any) -> post.Settings:
    """One drawn setting as the post's `Settings`."""
    one = {name: values[row].item() for name, values in settings.items()}
    first = one['pretrain'] == FIRST and modes > 1
    return post.make_settings(
        modes=modes, layers=one['layers'], activation=one['activation'], batch_size=one['batch_size'],
        means=tuple(means_of(settings, modes)[row].tolist()), deviations=(one['std'],) * modes,
        learning_rate=one['learning_rate'], noise_range=one['noise_range'],
        pretrain_steps=0 if one['pretrain'] == 'nothing' else None,
        pretrain_weights=(1.0, *[0.0] * (modes - 1)) if first else None, equal_modes=one['equal_modes'] or modes == 1,
        **changes,
    )  # fmt: skip
