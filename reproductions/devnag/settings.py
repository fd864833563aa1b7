"""What Dev Nag's post and program fix, variant by variant, and the settings that follow from it."""

from typing import NamedTuple


class Variant(NamedTuple):
    """One published state of the program, devnag/pytorch-generative-adversarial-networks on GitHub."""

    published: str  # commit
    views: tuple[str, ...]  # what D can be given of a batch; the first is the one that was published switched on
    g_hidden_size: int
    d_hidden_size: int
    g_activations: tuple[str, str]  # of the two hidden layers; G's output is linear
    d_activations: tuple[str, str]  # likewise; D's output is a sigmoid
    optimizer: str
    learning_rate: float
    batch_size: int
    num_steps: int  # rounds
    d_steps: int  # updates of D in a round
    g_steps: int  # updates of G after them


VARIANTS = {  # the first is the default
    '2018-11': Variant(
        '26db8c9', ('moments', 'raw', 'variances', 'diffs'), 5, 10, ('tanh', 'tanh'), ('sigmoid', 'sigmoid'),
        'momentum', 0.001, 500, 5000, 20, 20,
    ),
    '2017-02': Variant(
        'a01e362', ('variances',), 50, 50, ('elu', 'sigmoid'), ('elu', 'elu'), 'adam', 0.0002, 100, 30_000, 1, 1
    ),
}  # fmt: skip
DEFAULT, *_ = VARIANTS
SEED = 0  # the post has none

MOST_UPDATES = 10_000  # of a network in a round, which is one compiled call at least: some seconds, in which nothing stops it
DRAWS = 10_000  # samples of U(0, 1), on which the final G is evaluated


class Settings(NamedTuple):
    """Everything that decides what is computed, but for seeds and the number of rounds."""

    variant: str
    preprocess: str
    batch_size: int
    d_steps: int
    g_steps: int
    learning_rate: float
    momentum: float
    mu: float
    sigma: float


def make_settings(variant=DEFAULT, **changes):
    """The settings of a variant; `changes` may name any other field, and None stands for the variant's own value."""
    published = VARIANTS[variant]
    settings = Settings(
        variant=variant,
        preprocess=published.views[0],
        batch_size=published.batch_size,
        d_steps=published.d_steps,
        g_steps=published.g_steps,
        learning_rate=published.learning_rate,
        momentum=0.9,
        mu=4.0,
        sigma=1.25,
    )
    return settings._replace(**{name: value for name, value in changes.items() if value is not None})
