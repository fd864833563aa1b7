"""What Dev Nag's post and program fix for each variant, and the settings derived from it."""

from typing import Any, NamedTuple

from common.settings import REMEDY_NUMBERS, Remedies, changed


class Variant(NamedTuple):
    """One published version of the program, https://github.com/devnag/pytorch-generative-adversarial-networks."""

    published: str  # commit
    views: tuple[str, ...]  # what D can see of a batch; the first was the published default
    g_hidden_size: int
    d_hidden_size: int
    g_activations: tuple[str, str]  # of the two hidden layers; G's output is linear
    d_activations: tuple[str, str]  # likewise; D's output is a sigmoid
    optimizer: str
    learning_rate: float
    batch_size: int
    num_steps: int  # rounds
    d_steps: int  # updates of D per round
    g_steps: int  # updates of G after those


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
MOMENTUM = 0.9  # of gradient descent
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # of Adam; the last two are PyTorch's defaults

MOST_UPDATES = (
    10_000  # updates of a network per round: a round is at least one compiled call, which takes seconds and cannot be stopped
)
DRAWS = 10_000  # samples of U(0, 1) on which the final G is evaluated


class Settings(NamedTuple):
    """Everything that determines the results, except the seeds and the number of rounds."""

    variant: str
    preprocess: str
    batch_size: int
    d_steps: int
    g_steps: int
    learning_rate: float
    d_learning_rate: float | None  # None: `learning_rate`
    g_learning_rate: float | None
    momentum: float
    beta1: float  # of Adam
    beta2: float
    epsilon: float
    init_scale: float  # initial weights and biases, as a multiple of the post's
    noise_range: float  # noise is U(0, noise_range)
    mu: float
    sigma: float
    remedies: Remedies = Remedies()


NUMBERS = {  # fields of `Settings` that may differ from run to run, with the precision in which they are computed with
    'learning_rate': 'float32', 'd_learning_rate': 'float32', 'g_learning_rate': 'float32', 'momentum': 'float32',
    'beta1': 'float64', 'beta2': 'float64', 'epsilon': 'float32', 'init_scale': 'float32', 'noise_range': 'float32',
    'mu': 'float32', 'sigma': 'float32',
} | REMEDY_NUMBERS  # fmt: skip
JUDGED_BY = ('noise_range', 'mu', 'sigma')  # of `NUMBERS`, those that outcomes depend on once a run is trained


def default_steps(settings: Settings) -> int:
    """The number of rounds of a variant."""
    return VARIANTS[settings.variant].num_steps


def make_settings(variant: str = DEFAULT, **changes: Any) -> Settings:
    """The settings of a variant; `changes` may set any other field, None keeps the variant's value."""
    published = VARIANTS[variant]
    settings = Settings(
        variant=variant,
        preprocess=published.views[0],
        batch_size=published.batch_size,
        d_steps=published.d_steps,
        g_steps=published.g_steps,
        learning_rate=published.learning_rate,
        d_learning_rate=None,
        g_learning_rate=None,
        momentum=MOMENTUM,
        beta1=BETA1,
        beta2=BETA2,
        epsilon=EPSILON,
        init_scale=1.0,
        noise_range=1.0,
        mu=4.0,
        sigma=1.25,
    )
    return changed(settings, {name: value for name, value in changes.items() if value is not None})
