"""What the MNIST post fixes, and the settings that follow from it."""

from typing import NamedTuple


class Variant(NamedTuple):
    """The program as the post lists it."""

    d_widths: tuple[int, ...]
    g_widths: tuple[int, ...]  # the first is the noise
    batch_size: int
    num_steps: int
    learning_rate: float
    beta1: float


VARIANTS = {  # the first is the default
    'post': Variant((784, 500, 200, 1), (100, 200, 500, 784), 128, 500_000, 0.001, 0.9)
}
DEFAULT, *_ = VARIANTS
HELD_OUT = 12  # one training digit in so many is held out, at the head: TensorFlow 1's reader holds out 5,000 of 60,000

CALL = 400  # seed-iterations in a compiled call: one to three seconds
GROUP = 1  # runs that a CPU advances together: the 16 MB of one fill its caches; eight at once were a ninth slower
CLAIM_RUNS, CLAIM_STEPS = 8, 50_000  # seeds and iterations that the claims are measured over, unless told otherwise
FILM_FRAMES = 120  # at most about so many sample grids are kept, beside those of the evaluations
MOST_BETWEEN = 100  # iterations from record to record


class Settings(NamedTuple):
    """Everything that decides what is computed, but for seeds, data and the number of iterations."""

    variant: str
    d_widths: tuple[int, ...]
    g_widths: tuple[int, ...]
    batch_size: int
    learning_rate: float
    beta1: float  # Adam's, of its first moment


def make_settings(variant=DEFAULT, **changes):
    """The settings of a variant; `changes` may name any other field, and None stands for the post's own value."""
    published = VARIANTS[variant]
    settings = Settings(
        variant, published.d_widths, published.g_widths, published.batch_size, published.learning_rate, published.beta1
    )
    return settings._replace(**{name: value for name, value in changes.items() if value is not None})
