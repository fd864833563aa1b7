"""What the MNIST post and its author's programs fix, and the settings derived from it."""

from typing import Any, NamedTuple


class Variant(NamedTuple):
    """One of the programs, all with relu layers and Adam with epsilon 1e-8."""

    what: str  # for --help
    d_widths: tuple[int, ...]  # the first is the number of pixels, and of labels if `conditional`
    g_widths: tuple[int, ...]  # the first is the size of the noise, and the number of labels if `conditional`
    conditional: bool  # both networks are given the label of the digit, as 10 numbers after their other inputs
    batch_size: int
    num_steps: int
    learning_rate: float
    beta1: float
    beta2: float


# Commits of https://github.com/austinpgraham/Recommendations-GAN. `2018-06`: network fbbe4bc with script 175f1d1. `2018-08`:
# network 35280d0 with script c948919, without two things that do nothing there: the network adds noise to the real digits, but
# the script feeds them behind that addition; and the script names an input that this network lacks.
VARIANTS = {  # the first is the default
    'post': Variant(
        "the post's listing, whose digits collapse to one blot", (784, 500, 200, 1), (100, 200, 500, 784), False, 128, 500_000,
        0.001, 0.9, 0.999,
    ),
    '2018-06': Variant(
        "the author's program that draws digits, on request", (794, 128, 1), (110, 128, 784), True, 128, 500_000, 0.001, 0.9,
        0.999,
    ),
    '2018-08': Variant(
        'the same networks with a gentler Adam', (794, 128, 1), (110, 128, 784), True, 128, 500_000, 0.0001, 0.5, 0.9
    ),
}  # fmt: skip
DEFAULT, *_ = VARIANTS
CLASSES = 10
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
    conditional: bool
    batch_size: int
    learning_rate: float
    beta1: float  # Adam's
    beta2: float
    glorot: bool = False  # initial weights of variance 2 / (inputs + outputs), not 2 / inputs


def make_settings(variant: str = DEFAULT, **changes: Any) -> Settings:
    """The settings of a variant; `changes` may set any other field, None keeps the published value."""
    published = VARIANTS[variant]._asdict()
    settings = Settings(variant, **{name: published[name] for name in Settings._fields if name in published})
    return settings._replace(**{name: value for name, value in changes.items() if value is not None})
