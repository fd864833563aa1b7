"""A setting is declared once: as a field of a post's `Settings`, whose annotation says what all others need. No TensorFlow.

  learning_rate: Annotated[float, POSITIVE, PerRun('float32'), 'Initial learning rate (the post: 0.005).'] = 0.005

From the fields follow the flags with their bounds and --help (`common.program.flags`), which numbers a sweep may vary within
one compiled program (`PerRun`), what the evaluation reads (`EVALUATED`) and what identifies a training (`identity`). A default
is the post's; a variant is a table of differences from it. A field without a text has no flag.
"""

import enum
import functools
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, NamedTuple

from common.sizes import MOST


class Kind(enum.Enum):
    """Kinds of values besides int, float, bool, str and one of some texts; each with how --help shows it."""

    POSITIVE = 'FLOAT (above 0)'
    FRACTION = 'FLOAT (0 to below 1)'
    PATH = 'PATH'
    WIDTHS = 'INT,INT,...'  # of the layers of a network
    NUMBERS = 'FLOAT,FLOAT,...'
    NAMES = 'NAME,NAME,...'
    REPEATED = 'NAME=VALUES'  # any number of times


POSITIVE, FRACTION = Kind.POSITIVE, Kind.FRACTION
KINDS = {tuple[int, ...]: Kind.WIDTHS, tuple[float, ...]: Kind.NUMBERS}


class Mark(enum.Enum):
    """What an annotation says besides kind, bounds and text."""

    EVALUATED = 'outcomes depend on it once a run is trained'
    IMPLIED = 'other fields say the same, so it does not identify a training'
    OF_ALL = 'all posts have its flag'


EVALUATED, IMPLIED, OF_ALL = Mark


class Between(NamedTuple):
    """The numbers that a setting may be, bounds included; None: no bound."""

    least: float | None = None
    most: float | None = None


class PerRun(NamedTuple):
    """A number that may differ from run to run; it is then computed in this dtype, as the constant that it replaces is."""

    dtype: str


class OneOf(NamedTuple):
    """The texts that a setting may be."""

    names: Iterable[str]


class Derived(NamedTuple):
    """A default that follows from other fields: `rule` of the settings, whose earlier fields are final."""

    rule: Callable[[Any], Any]


class Field(NamedTuple):
    """A setting as its annotation declares it."""

    name: str
    kind: Any  # int, float, bool, str, a `Kind`, or the allowed texts
    default: Any
    text: str = ''  # for --help
    bounds: Between = Between()
    dtype: str | None = None  # of `PerRun`
    marks: frozenset[Mark] = frozenset()

    @property
    def has_flag(self) -> bool:
        """Whether there is a flag of its name."""
        return bool(self.text) or OF_ALL in self.marks


class Remedies(NamedTuple):
    """Well-known changes to a GAN's training that often help, each off at 0; see `common/remedies.py`."""

    label_smoothing: Annotated[
        float, FRACTION, PerRun('float32'), "D's label for real samples is 1 - this (Salimans et al. 2016: 0.1; the post: 0)."
    ] = 0.0
    instance_noise: Annotated[
        float, Between(0, 1000), PerRun('float32'), 'Std of normal noise on all that D is given, falling linearly to 0 over '
        'the training (Sonderby et al. 2017; the post: 0).',
    ] = 0.0  # fmt: skip
    noise_steps: Annotated[int, Between(1, MOST), 'Iterations over which --instance_noise falls to 0 (default: all).'] = None
    gradient_penalty: Annotated[
        float, Between(0, 1e6), PerRun('float32'), "Weight gamma of R1, a penalty on the norm of D's gradient at real samples "
        '(Mescheder et al. 2018: 10; the post: 0).',
    ] = 0.0  # fmt: skip
    dragan: Annotated[
        float, Between(0, 1e6), PerRun('float32'), "Weight of DRAGAN's penalty, on gradient norms other than 1 near real "
        'samples (Kodali et al. 2017: 10; the post: 0).',
    ] = 0.0  # fmt: skip
    historical_averaging: Annotated[
        float, Between(0, 1e6), PerRun('float32'), 'Weight of the squared distance of all parameters to their mean so far '
        '(Salimans et al. 2016; the post: 0).',
    ] = 0.0  # fmt: skip
    average: Annotated[
        float, FRACTION, PerRun('float64'), "Decay of a moving average of G's parameters, which is judged in G's place "
        '(Yazici et al. 2019: 0.9999; the post: 0).',
    ] = 0.0  # fmt: skip
    spectral_norm: Annotated[bool, "Divide D's weights by their largest singular value (Miyato et al. 2018)."] = False


# Annotations of settings that several posts share.
BATCH_SIZE = Annotated[int, OF_ALL]
D_RATE = Annotated[float, POSITIVE, PerRun('float32'), "D's learning rate (default: --learning_rate, as in the post)."]
G_RATE = Annotated[float, POSITIVE, PerRun('float32'), "G's learning rate (default: --learning_rate, as in the post)."]
EPSILON = Annotated[float, POSITIVE, PerRun('float32'), "Adam's epsilon (the post: 1e-8)."]
INIT_SCALE = Annotated[float, POSITIVE, PerRun('float32'), "Initial weights, as a multiple of the post's (the post: 1)."]
D_STEPS = Annotated[int, Between(1, 1000), 'Updates of D per step (the post: 1).']
G_STEPS = Annotated[int, Between(1, 1000), 'Updates of G per step (the post: 1).']


# --- What follows from a declaration ------------------------------------------------------------------------------------------


@functools.cache
def fields(settings: type) -> Mapping[str, Field]:
    """{name: `Field`} of a post's `Settings`, its remedies among them in their place; all in the order of --help."""
    declared = {}
    for name, hint in typing.get_type_hints(settings, include_extras=True).items():
        if hint is Remedies:
            declared |= fields(Remedies)
            continue
        kind, *annotations = typing.get_args(hint) if typing.get_origin(hint) is Annotated else (hint,)
        given = {type(each): each for each in annotations}
        kind = given.get(Kind, tuple(given[OneOf].names) if OneOf in given else KINDS.get(kind, kind))
        marks = frozenset(each for each in annotations if isinstance(each, Mark))
        dtype = given[PerRun].dtype if PerRun in given else None
        default = settings._field_defaults[name]
        declared[name] = Field(name, kind, default, given.get(str, ''), given.get(Between, Between()), dtype, marks)
    return types.MappingProxyType(declared)


@functools.cache
def numbers(settings: type) -> Mapping[str, str]:
    """{field: dtype} of the settings that may differ from run to run (numbers, or tensors [runs, 1, 1] inside a loop)."""
    return types.MappingProxyType({name: field.dtype for name, field in fields(settings).items() if field.dtype})


def make(settings: type, variants: Mapping[str, Mapping[str, Any]], variant: str | None = None, **changes: Any) -> Any:
    """The settings of a variant, the first by default; `changes` may set any other field, None keeps the variant's value."""
    variant = next(iter(variants)) if variant is None else variant
    given = {name: value for name, value in changes.items() if value is not None}
    made = changed(settings(), {'variant': variant} | dict(variants[variant]) | given)
    for name in settings._fields:
        if isinstance(value := getattr(made, name), Derived):
            made = made._replace(**{name: value.rule(made)})
    return made


def flat(settings: Any) -> dict[str, Any]:
    """{name: value} of a post's `Settings`, with its remedies beside the other fields."""
    values = settings._asdict()
    return values | values.pop('remedies')._asdict()


def identity(settings: Any) -> dict[str, Any]:
    """{name: value} of the settings that identify a training."""
    declared = fields(type(settings))
    return {name: value for name, value in flat(settings).items() if IMPLIED not in declared[name].marks}


def recorded(settings: Any) -> dict[str, Any]:
    """{name: value} of the settings for config.json: those that have a flag, and those that identify a training."""
    declared = fields(type(settings))
    return {name: value for name, value in flat(settings).items() if declared[name].has_flag} | identity(settings)


def changed(settings: Any, changes: Mapping[str, Any]) -> Any:
    """A post's `Settings` with other values of some fields; those of its remedies are named like the others."""
    remedies = {name: value for name, value in changes.items() if name in Remedies._fields}
    own = {name: value for name, value in changes.items() if name not in remedies}
    return settings._replace(**own, remedies=settings.remedies._replace(**remedies))


def learning_rate(settings: Any, name: str) -> float:
    """What `d_learning_rate` or `g_learning_rate` amounts to: None stands for the common rate."""
    rate = getattr(settings, name)
    return settings.learning_rate if rate is None else rate


def is_on(strength: Any) -> bool:
    """Whether a number is not 0; a tensor, one number per run, counts as such."""
    return not isinstance(strength, int | float) or strength != 0
