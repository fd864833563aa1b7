"""What Jang's post and program fix, variant by variant, and the settings that follow from it."""

from typing import NamedTuple


class Variant(NamedTuple):
    """One published state of the program, ericjang/genadv_tutorial on GitHub."""

    published: str  # commit
    batch_size: int  # M in the post
    sort: bool  # the real samples of a batch


VARIANTS = {  # the first is the default
    '2016-06': Variant('52322e0', 200, True),
    '2015-12': Variant('d35a9db', 1000, False),
}
DEFAULT, *_ = VARIANTS

MU, SIGMA = -1.0, 1.0  # of the data
HALF_RANGE = 5.0  # noise, the samples of the pre-training and the axes of the figures cover +-5
OUTPUT_SCALE = 5.0  # of G, whose last layer ends in tanh as well
CLAMP = (0.01, 0.99)  # D's probabilities are kept inside, without a gradient outside
NUM_STEPS = 10_000
LEARNING_RATE, MOMENTUM = 0.001, 0.6
DECAY, DECAYS = 0.95, 4  # the learning rate is multiplied by 0.95 every quarter of the iterations, staircase
PLOT_POINTS = 5000  # at which the post draws D and G


class Settings(NamedTuple):
    """Everything that decides what is computed, but for seeds."""

    variant: str
    sort: bool
    stratify: bool
    activation: str
    hidden_sizes: tuple[int, ...]
    batch_size: int
    learning_rate: float
    pretrain_steps: int
    num_steps: int  # it decides the decay of the rate as well


def make_settings(variant=DEFAULT, **changes):
    """The settings of a variant; `changes` may name any other field, and None stands for the post's own value."""
    published = VARIANTS[variant]
    settings = Settings(
        variant=variant,
        sort=published.sort,
        stratify=True,
        activation='tanh',
        hidden_sizes=(6, 5),
        batch_size=published.batch_size,
        learning_rate=LEARNING_RATE,
        pretrain_steps=1000,
        num_steps=NUM_STEPS,
    )
    return settings._replace(**{name: value for name, value in changes.items() if value is not None})
