"""What the MNIST post and its author's programs fix, and the settings derived from it."""

from typing import Any, NamedTuple

from common.settings import REMEDY_NUMBERS, Remedies, changed


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
    gradient_penalty: float = 0.0  # weight of R1, see `common/remedies.py`


# Commits of https://github.com/austinpgraham/Recommendations-GAN. `2018-06`: network fbbe4bc with script 175f1d1. `2018-08`:
# network 35280d0 with script c948919, without two things that do nothing there: the network adds noise to the real digits, but
# the script feeds them behind that addition; and the script names an input that this network lacks. `repaired` is ours: of the
# remedies tried on the listing (docs/remedies.md), the only one so far that kept ten classes in every run.
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
    'repaired': Variant(
        "the listing with R1's penalty, a small change that keeps its digits", (784, 500, 200, 1), (100, 200, 500, 784), False,
        128, 10_000, 0.001, 0.9, 0.999, gradient_penalty=1.0,
    ),
}  # fmt: skip
DEFAULT, *_ = VARIANTS
EPSILON = 1e-8  # Adam's, TensorFlow 1's default
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
    d_learning_rate: float | None  # None: `learning_rate`
    g_learning_rate: float | None
    beta1: float  # Adam's
    beta2: float
    epsilon: float
    init_scale: float  # initial weights, as a multiple of the post's
    noise_range: float
    glorot: bool  # initial weights of variance 2 / (inputs + outputs), not 2 / inputs
    d_steps: int = 1  # updates of D per iteration
    g_steps: int = 1  # updates of G after those; with one of each, as published, they share noise and labels
    minibatch: bool = False  # minibatch discrimination in D, not in the post
    remedies: Remedies = Remedies()

    @property
    def hidden_sizes(self) -> tuple[int, ...]:
        """D's hidden layers, as in --hidden_sizes."""
        return self.d_widths[1:-1]


NUMBERS = {  # fields of `Settings` that may differ from run to run, with the precision in which they are computed with
    'learning_rate': 'float32', 'd_learning_rate': 'float32', 'g_learning_rate': 'float32', 'beta1': 'float64',
    'beta2': 'float64', 'epsilon': 'float32', 'init_scale': 'float32', 'noise_range': 'float32',
} | REMEDY_NUMBERS  # fmt: skip
JUDGED_BY = ('noise_range',)  # of `NUMBERS`, those that outcomes depend on once a run is trained


def default_steps(settings: Settings) -> int:
    """The number of iterations of a variant."""
    return VARIANTS[settings.variant].num_steps


def make_settings(variant: str = DEFAULT, hidden_sizes: tuple[int, ...] = (), **changes: Any) -> Settings:
    """The settings of a variant; `changes` may set any other field, None keeps the published value.

    `hidden_sizes` are D's, () the variant's; G has the same in reverse.
    """
    published = VARIANTS[variant]._asdict()
    rest = {'d_learning_rate': None, 'g_learning_rate': None, 'epsilon': EPSILON, 'init_scale': 1.0, 'noise_range': 1.0}
    named = {name: published[name] for name in Settings._fields if name in published}
    remedies = Remedies(gradient_penalty=published['gradient_penalty'])
    settings = Settings(variant=variant, glorot=False, remedies=remedies, **named, **rest)
    if hidden_sizes:
        (pixels, *_), (size, *_, out) = settings.d_widths, settings.g_widths
        settings = settings._replace(d_widths=(pixels, *hidden_sizes, 1), g_widths=(size, *hidden_sizes[::-1], out))
    return changed(settings, {name: value for name, value in changes.items() if value is not None})
