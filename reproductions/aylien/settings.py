"""What Aylien's post and program fix for each variant, and the settings derived from it."""

from typing import Any, NamedTuple

from common import sizes
from common.settings import REMEDY_NUMBERS, Remedies, changed


class Variant(NamedTuple):
    """One published version of the program, https://github.com/AYLIEN/gan-intro."""

    published: str  # commit
    activation: str  # of the discriminator's hidden layers
    optimizer: str
    learning_rate: float
    learning_rate_minibatch: float  # with the minibatch layer
    pretrain_steps: int
    log_floor: float  # losses use log(max(p, floor)); 0: the plain log, which gives inf and then NaN on saturation
    self_distance: float  # minibatch layer: 1 if an identity matrix is added to the distances, so that the self term is e^-1
    batch_size: int
    num_steps: int


VARIANTS = {  # the first is the default
    '2016-08': Variant('bdfa5c3', 'tanh', 'gradient descent', 0.005, 0.005, 1000, 0.0, 1.0, 12, 1200),
    '2016-12': Variant('6fb4cf9', 'tanh', 'gradient descent', 0.03, 0.005, 1000, 0.0, 0.0, 12, 1200),
    '2017-06': Variant('441295e', 'relu', 'adam', 0.001, 0.001, 0, 1e-5, 0.0, 8, 5001),  # its loop runs one step more than 5000
}
DEFAULT, *_ = VARIANTS
SEED = 42  # the program's own, for NumPy and TensorFlow

NOISE_RANGE = 8.0  # noise is stratified over +-8
PRETRAIN_RANGE = 5.0  # the discriminator is pre-trained on x ~ U(-5, 5)
DECAY, DECAY_EVERY = 0.95, 150  # of gradient descent's learning rate, staircase
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # of Adam, TensorFlow 1's defaults
KERNELS, KERNEL_DIMS = 5, 3  # of the minibatch layer
MINIBATCH_STDDEV = 0.02  # of the minibatch layer's weights; all other weights are N(0, 1)
PLOT_POINTS = 10_000  # grid on which the post plots D and G


class Settings(NamedTuple):
    """Everything that determines the results, except the seeds and the number of steps."""

    variant: str
    minibatch: bool
    hidden_size: int
    d_hidden_sizes: tuple[int, ...]
    batch_size: int
    d_steps: int  # updates of D per step
    g_steps: int  # updates of G after those
    learning_rate: float
    d_learning_rate: float | None  # None: `learning_rate`
    g_learning_rate: float | None
    decay: float  # of the learning rate of gradient descent
    beta1: float  # of Adam
    beta2: float
    epsilon: float
    init_scale: float  # initial weights, as a multiple of the post's
    noise_range: float
    pretrain_steps: int
    mu: float
    sigma: float
    remedies: Remedies = Remedies()


NUMBERS = {  # fields of `Settings` that may differ from run to run, with the precision in which they are computed with
    'learning_rate': 'float32', 'd_learning_rate': 'float32', 'g_learning_rate': 'float32', 'decay': 'float32',
    'beta1': 'float64', 'beta2': 'float64', 'epsilon': 'float32', 'init_scale': 'float32', 'noise_range': 'float64',
    'mu': 'float32', 'sigma': 'float32',
} | REMEDY_NUMBERS  # fmt: skip
JUDGED_BY = ('noise_range', 'mu', 'sigma')  # of `NUMBERS`, those that outcomes depend on once a run is trained


def default_steps(settings: Settings) -> int:
    """The number of adversarial steps of a variant."""
    return VARIANTS[settings.variant].num_steps


def group(settings: Any) -> int:
    """Runs that a CPU advances together, of any post with this layer: fewer if every two samples of a batch are compared."""
    if not settings.minibatch:
        return sizes.GROUP
    return max(1, min(sizes.GROUP, sizes.COMPARED // (KERNELS * KERNEL_DIMS * settings.batch_size**2)))


def make_settings(
    variant: str = DEFAULT,
    minibatch: bool = False,
    hidden_size: int = 4,
    d_hidden_sizes: tuple[int, ...] | None = None,
    mu: float = 4.0,
    sigma: float = 0.5,
    **changes: Any,
) -> Settings:
    """The settings of a variant; `changes` may set any other field, None keeps the variant's value."""
    published = VARIANTS[variant]
    settings = Settings(
        variant=variant,
        minibatch=minibatch,
        hidden_size=hidden_size,
        d_hidden_sizes=tuple(d_hidden_sizes or (2 * hidden_size,) * 3),
        batch_size=published.batch_size,
        d_steps=1,
        g_steps=1,
        learning_rate=published.learning_rate_minibatch if minibatch else published.learning_rate,
        d_learning_rate=None,
        g_learning_rate=None,
        decay=DECAY,
        beta1=BETA1,
        beta2=BETA2,
        epsilon=EPSILON,
        init_scale=1.0,
        noise_range=NOISE_RANGE,
        pretrain_steps=published.pretrain_steps,
        mu=mu,
        sigma=sigma,
    )
    return changed(settings, {name: value for name, value in changes.items() if value is not None})
