"""Networks by name in the arrays of a file: a tuple of `layers.Linear` as <prefix>/0/w, <prefix>/0/b, <prefix>/1/w, ..."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from common.nn.layers import Linear


def named(prefix: str, linears: Sequence[Linear]) -> dict[str, Any]:
    """{name: array} of a network's layers."""
    return {f'{prefix}/{i}/{part}': value for i, layer in enumerate(linears) for part, value in layer._asdict().items()}


def found(prefix: str, arrays: Mapping[str, np.ndarray], where: Any = ...) -> tuple[Linear, ...]:
    """The layers of a network, each array at the index `where`; () if there are none."""
    count = next(i for i in itertools.count() if f'{prefix}/{i}/w' not in arrays)
    return tuple(Linear(*(arrays[f'{prefix}/{i}/{part}'][where] for part in Linear._fields)) for i in range(count))
