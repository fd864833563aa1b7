"""What all posts' settings have in common; needs no TensorFlow."""

from typing import Any, NamedTuple


class Remedies(NamedTuple):
    """Well-known changes to a GAN's training that often help, each off at 0; see `common/remedies.py`."""

    label_smoothing: float = 0.0  # the label of real samples is 1 - this
    instance_noise: float = 0.0  # initial std of the noise on D's input
    noise_steps: int | None = None  # iterations over which it falls to 0
    gradient_penalty: float = 0.0  # weight gamma of the zero-centered penalty on real samples
    dragan: float = 0.0  # weight lambda of DRAGAN's penalty
    historical_averaging: float = 0.0  # weight of the squared distance to the mean of all earlier parameters
    average: float = 0.0  # decay of the moving average of G's parameters that is judged
    spectral_norm: bool = False  # of D


REMEDY_NUMBERS = {  # those that may differ from run to run, with the precision in which they are computed with
    'label_smoothing': 'float32', 'instance_noise': 'float32', 'gradient_penalty': 'float32', 'dragan': 'float32',
    'historical_averaging': 'float32', 'average': 'float64',
}  # fmt: skip


def flat(settings: Any) -> dict[str, Any]:
    """{name: value} of a post's `Settings`, with its remedies beside the other fields."""
    found = settings._asdict()
    return found | found.pop('remedies')._asdict()


def changed(settings: Any, changes: dict[str, Any]) -> Any:
    """A post's `Settings` with other values of some fields; those of its remedies are named like the others."""
    remedies = {name: value for name, value in changes.items() if name in Remedies._fields}
    own = {name: value for name, value in changes.items() if name not in remedies}
    return settings._replace(**own, remedies=settings.remedies._replace(**remedies))


def is_on(strength: Any) -> bool:
    """Whether a number is not 0; a tensor, one number per run, counts as such."""
    return not isinstance(strength, int | float) or strength != 0
