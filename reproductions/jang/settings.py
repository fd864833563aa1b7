"""What Jang's post and program fix for each variant, and the settings derived from it."""

from typing import Any, NamedTuple

from common.settings import REMEDY_NUMBERS, Remedies, changed


class Variant(NamedTuple):
    """One published version of the program, https://github.com/ericjang/genadv_tutorial."""

    published: str  # commit
    batch_size: int  # M in the post
    sort: bool  # whether the real samples of a batch are sorted


VARIANTS = {  # the first is the default
    '2016-06': Variant('52322e0', 200, True),
    '2015-12': Variant('d35a9db', 1000, False),
}
DEFAULT, *_ = VARIANTS

MU, SIGMA = -1.0, 1.0  # of the data
HALF_RANGE = 5.0  # noise, the samples of the pre-training and the axes of the figures cover +-5
OUTPUT_SCALE = 5.0  # of G, whose last layer also ends in tanh
CLAMP = 0.01  # D's probabilities are clipped to 0.01 .. 0.99; the gradient outside is zero
NUM_STEPS = 10_000
LEARNING_RATE, MOMENTUM = 0.001, 0.6
DECAY, DECAYS = 0.95, 4  # the learning rate is multiplied by 0.95 every quarter of the iterations, staircase
PLOT_POINTS = 5000  # grid on which the post plots D and G


class Settings(NamedTuple):
    """Everything that determines the results, except the seeds."""

    variant: str
    sort: bool
    stratify: bool
    activation: str
    hidden_sizes: tuple[int, ...]
    batch_size: int
    d_steps: int  # updates of D per iteration
    g_steps: int  # updates of G after those
    learning_rate: float
    d_learning_rate: float | None  # None: `learning_rate`
    g_learning_rate: float | None
    momentum: float
    decay: float  # of the learning rate
    init_scale: float  # initial weights, as a multiple of the post's
    noise_range: float
    output_scale: float  # of G
    clamp: float  # D's probabilities are clipped to clamp .. 1 - clamp
    mu: float
    sigma: float
    pretrain_steps: int
    num_steps: int  # also sets the decay of the learning rate
    minibatch: bool = False  # minibatch discrimination in D, not in the post
    remedies: Remedies = Remedies()


NUMBERS = {  # fields of `Settings` that may differ from run to run, with the precision in which they are computed with
    'learning_rate': 'float32', 'd_learning_rate': 'float32', 'g_learning_rate': 'float32', 'momentum': 'float32',
    'decay': 'float32', 'init_scale': 'float32', 'noise_range': 'float64', 'output_scale': 'float32', 'clamp': 'float64',
    'mu': 'float32', 'sigma': 'float32',
} | REMEDY_NUMBERS  # fmt: skip
JUDGED_BY = ('noise_range', 'output_scale', 'clamp', 'mu', 'sigma')  # those that outcomes depend on once a run is trained


def default_steps(settings: Settings) -> int:
    """The number of adversarial iterations."""
    return settings.num_steps


def make_settings(variant: str = DEFAULT, **changes: Any) -> Settings:
    """The settings of a variant; `changes` may set any other field, None keeps the post's value."""
    published = VARIANTS[variant]
    settings = Settings(
        variant=variant,
        sort=published.sort,
        stratify=True,
        activation='tanh',
        hidden_sizes=(6, 5),
        batch_size=published.batch_size,
        d_steps=1,
        g_steps=1,
        learning_rate=LEARNING_RATE,
        d_learning_rate=None,
        g_learning_rate=None,
        momentum=MOMENTUM,
        decay=DECAY,
        init_scale=1.0,
        noise_range=HALF_RANGE,
        output_scale=OUTPUT_SCALE,
        clamp=CLAMP,
        mu=MU,
        sigma=SIGMA,
        pretrain_steps=1000,
        num_steps=NUM_STEPS,
    )
    return changed(settings, {name: value for name, value in changes.items() if value is not None})
