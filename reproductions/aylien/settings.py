"""What Aylien's post and program fix, variant by variant, and the settings that follow from it."""

from typing import NamedTuple


class Variant(NamedTuple):
    """One published state of the program, AYLIEN/gan-intro on GitHub."""

    published: str  # commit
    activation: str  # of the discriminator's hidden layers
    optimizer: str
    learning_rate: float
    learning_rate_minibatch: float  # with the minibatch layer
    pretrain_steps: int
    log_floor: float  # losses take log(max(p, floor)); 0 for the plain log, which gives inf and then NaN on saturation
    self_distance: float  # minibatch layer: 1 where an identity matrix was added to the distances, making the self term e^-1
    batch_size: int
    num_steps: int


VARIANTS = {  # the first is the default
    '2016-08': Variant('bdfa5c3', 'tanh', 'gradient descent', 0.005, 0.005, 1000, 0.0, 1.0, 12, 1200),
    '2016-12': Variant('6fb4cf9', 'tanh', 'gradient descent', 0.03, 0.005, 1000, 0.0, 0.0, 12, 1200),
    '2017-06': Variant('441295e', 'relu', 'adam', 0.001, 0.001, 0, 1e-5, 0.0, 8, 5001),  # its loop for 5000 runs once more
}
DEFAULT, *_ = VARIANTS
SEED = 42  # the program's own, for NumPy and TensorFlow

NOISE_RANGE = 8.0  # noise is stratified over +-8
PRETRAIN_RANGE = 5.0  # the discriminator is pre-trained on x ~ U(-5, 5)
DECAY, DECAY_EVERY = 0.95, 150  # of gradient descent's learning rate, staircase
KERNELS, KERNEL_DIMS = 5, 3  # of the minibatch layer
MINIBATCH_STDDEV = 0.02  # of the minibatch layer's weights; all other weights are N(0, 1)
PLOT_POINTS = 10_000  # on which the post draws D and G


class Settings(NamedTuple):
    """Everything that decides what is computed, but for seeds and the number of steps."""

    variant: str
    minibatch: bool
    hidden_size: int
    d_hidden_sizes: tuple[int, ...]
    batch_size: int
    learning_rate: float
    pretrain_steps: int
    mu: float
    sigma: float


def make_settings(variant=DEFAULT, minibatch=False, hidden_size=4, d_hidden_sizes=None, mu=4.0, sigma=0.5, **changes):
    """The settings of a variant; `changes` may name any other field, and None stands for the variant's own value."""
    published = VARIANTS[variant]
    settings = Settings(
        variant=variant,
        minibatch=minibatch,
        hidden_size=hidden_size,
        d_hidden_sizes=tuple(d_hidden_sizes or (2 * hidden_size,) * 3),
        batch_size=published.batch_size,
        learning_rate=published.learning_rate_minibatch if minibatch else published.learning_rate,
        pretrain_steps=published.pretrain_steps,
        mu=mu,
        sigma=sigma,
    )
    return settings._replace(**{name: value for name, value in changes.items() if value is not None})
