"""What the MNIST post fixes, and the settings derived from it."""

from typing import Any, NamedTuple


class Variant(NamedTuple):
    """The program as the post lists it."""

    d_widths: tuple[int, ...]
    g_widths: tuple[int, ...]  # the first is the size of the noise
    batch_size: int
    num_steps: int
    learning_rate: float
    beta1: float


VARIANTS = {  # the first is the default
    'post': Variant((784, 500, 200, 1), (100, 200, 500, 784), 128, 500_000, 0.001, 0.9)
}
DEFAULT, *_ = VARIANTS
HELD_OUT = 12  # the first twelfth of the training digits is held out: TensorFlow 1's reader holds out 5,000 of 60,000

CALL = 400  # seed-iterations per compiled call: one to three seconds
GROUP = 1  # runs that a CPU advances together: the 16 MB of one fill its caches, and eight at once are a ninth slower
CLAIM_RUNS, CLAIM_STEPS = 8, 50_000  # default seeds and iterations for measuring the claims
ANIMATION_FRAMES = 120  # about as many sample grids are recorded at most, besides those of the evaluations
MOST_BETWEEN = 100  # iterations between records, at most


class Settings(NamedTuple):
    """Everything that determines the results, except seeds, data and the number of iterations."""

    variant: str
    d_widths: tuple[int, ...]
    g_widths: tuple[int, ...]
    batch_size: int
    learning_rate: float
    beta1: float  # Adam's


def make_settings(variant: str = DEFAULT, **changes: Any) -> Settings:
    """The settings of a variant; `changes` may set any other field, None keeps the post's value."""
    published = VARIANTS[variant]
    settings = Settings(
        variant, published.d_widths, published.g_widths, published.batch_size, published.learning_rate, published.beta1
    )
    return settings._replace(**{name: value for name, value in changes.items() if value is not None})
