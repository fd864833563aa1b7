"""Trains possible programs of the multi-modal post: all settings of a shape, with many seeds each, in one compiled program.

A shape needs programs of its own; everything else differs from run to run. What is trained is kept in a file per shape, so that
a measurement can be stopped at any time and goes on from there.
"""

import functools
import inspect
import pathlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from common import training, varied
from common.devices import distribution, processes
from common.evaluation import metrics, outcomes
from common.nn import sorting
from common.settings import Remedies
from common.storage import files
from reproductions.aylien import gan as aylien
from reproductions.aylien.settings import make_settings as aylien_settings
from reproductions.multimodal import gan
from reproductions.multimodal.inference import evidence, prior
from reproductions.multimodal.settings import AYLIEN, default_modes, make_settings

RUNS = 16  # seeds per setting, 0 .. 15
POINTS = 256  # of G, as in the records of the post's own training
PEAK = 13  # of these, the share whose narrowest interval stands for the height of the peak: a twentieth
EVERY = {60: 5, 300: 5, 600: 5, evidence.LIMIT: 25}  # steps between records, by the number of steps
AYLIEN_RUNS, AYLIEN_SEED = 512, 0
LARGE = 60_000  # about the largest number of half precision


class Possible(NamedTuple):
    """A program with the numbers of each run: fields of `gan.Settings`, and what its outcomes are compared with."""

    means: Any
    deviations: Any
    hidden_sizes: tuple[int, ...]
    activation: str
    batch_size: int
    pretrain_steps: int
    learning_rate: Any = None
    noise_range: Any = None
    equal_modes: Any = True
    pretrain_weights: Any = None
    quantiles: Any = None  # of the data, at the midpoints of `POINTS` equal parts
    remedies: Remedies = Remedies()


NUMBERS = {  # that differ from run to run, with their precision
    'means': 'float32', 'deviations': 'float32', 'learning_rate': 'float32', 'noise_range': 'float64', 'equal_modes': 'bool',
    'pretrain_weights': 'float32', 'quantiles': 'float32',
}  # fmt: skip


def make_experiment(possible: Possible) -> training.Experiment:
    """The post's experiment, which records how far each run is from its data and how tall its peak is."""
    fields = possible._asdict()
    quantiles, _ = fields.pop('quantiles'), fields.pop('remedies')
    settings = make_settings(modes=np.shape(possible.means)[-1], **fields)
    experiment = inspect.unwrap(gan.make_experiment)(settings)
    return experiment._replace(measure=lambda state: measure(settings, quantiles, state.g))


def measure(settings: gan.Settings, quantiles: tf.Tensor, g: Any) -> dict[str, tf.Tensor]:
    """Wasserstein distance in stds of a mode, and height of G's peak over the data's, [runs] each; NaN if not finite.

    `quantiles` [runs, 1, POINTS] of the data. The peak is the twentieth of the samples that lies closest together.
    """
    samples = sorting.ascending(gan.generator(settings, g, outcomes.middles(POINTS, settings.noise_range)))
    distance = metrics.wasserstein_to_quantiles(samples, quantiles) / settings.deviations[:, 0, 0]
    peak = narrowest(quantiles) / tf.maximum(narrowest(samples), np.float32(1e-6))
    return {'distance': distance, 'peak': tf.where(tf.math.is_finite(distance), peak, np.nan)}


def narrowest(ascending: tf.Tensor) -> tf.Tensor:
    """Width of the narrowest interval that holds `PEAK` of the sorted points, [runs, 1, points] -> [runs]."""
    return tf.reduce_min(ascending[:, 0, PEAK - 1 :] - ascending[:, 0, : 1 - PEAK], axis=1)


@functools.cache
def program(modes: int, hidden_sizes: tuple[int, ...], activation: str, batch_size: int, pretrain: bool = False) -> Any:
    """The compiled program for `varied.Runs` with `NUMBERS`."""
    means, stds = default_modes(modes)
    steps = make_settings(modes=modes).pretrain_steps if pretrain else 0
    return varied.make_experiment(make_experiment, Possible(means, stds, hidden_sizes, activation, batch_size, steps), NUMBERS)


def runs_of(settings: dict[str, np.ndarray], modes: int, seed: int = 0, runs: int = RUNS) -> varied.Runs:
    """All seeds of all settings, setting by setting."""
    means = prior.means_of(settings, modes)
    stds = np.repeat(settings['std'][:, None], modes, axis=1)
    first = (settings['pretrain'] == prior.FIRST)[:, None]
    weights = np.where(first, np.eye(modes)[0], np.full(modes, 1 / modes))
    numbers = {
        'means': means, 'deviations': stds, 'learning_rate': settings['learning_rate'], 'noise_range': settings['noise_range'],
        'equal_modes': settings['equal_modes'], 'pretrain_weights': weights,
        'quantiles': np.stack([quantiles(*row) for row in zip(map(tuple, means), map(tuple, stds), strict=True)])
    }  # fmt: skip
    repeated = {name: np.repeat(values.astype(np.float64), runs, axis=0) for name, values in numbers.items()}
    return varied.Runs(np.tile(np.arange(seed, seed + runs, dtype=np.uint32), len(means)), repeated)


@functools.cache
def quantiles(means: tuple[float, ...], stds: tuple[float, ...]) -> np.ndarray:
    """The data's quantiles, [POINTS]."""
    return metrics.midpoint_quantiles(gan.mixture(means, stds), POINTS)


def pretrained(settings: dict[str, np.ndarray], modes: int, seed: int = 0, runs: int = RUNS) -> list[np.ndarray]:
    """D's parameters after pre-training, flat, [settings * runs, ...]; the settings have one batch, and all pre-train."""
    size = int(settings['batch_size'][0])
    experiment = program(modes, (4,), 'tanh', size, pretrain=True)  # of the generator nothing is used
    chosen = runs_of(settings, modes, seed, runs)
    strategy = distribution.make_strategy('cpu', len(chosen.seeds))
    state = None
    for state, _ in training.train(experiment, strategy, chosen, 0, experiment.pretrain_steps):  # noqa: B007
        pass
    return tf.nest.flatten(training.to_host(strategy, state).pretrain_state.params)


def widths(name: str, layers: int) -> tuple[int, ...]:
    """Hidden layers of the generator of an arm, where the post's has `layers` of them; h = 4."""
    modes = evidence.ARMS[name].modes
    return {
        'fewer': (4,) * (layers - 1), 'narrow': (12,) * (layers - 2) + (8, 8), 'own1': (4,), 'own3': (4,),
    }.get(name, (4 * modes,) * layers)  # fmt: skip


def train_arm(
    name: str, settings: dict[str, np.ndarray], d: list[np.ndarray] | None, seed: int = 0, runs: int = RUNS
) -> dict[str, np.ndarray]:
    """Trains an arm of settings of one shape.

    `d`: parameters of the pre-trained networks, of the first settings; the others are not pre-trained.

    Returns:
      {'step': [records], 'distance': [settings, runs, records] in stds, 'peak': the same}.
    """
    arm, own = evidence.ARMS[name], name.startswith('own')
    layers, size = int(settings['layers'][0]), int(settings['batch_size'][0])
    activation = 'softplus' if own else str(settings['activation'][0])
    experiment = program(arm.modes, widths(name, layers), activation, size)
    chosen = runs_of(settings, arm.modes, seed, runs)
    strategy = distribution.make_strategy('cpu', len(chosen.seeds))
    state = training.initial_state(experiment, strategy, chosen)
    if d:
        start = state.train_state.d
        flat = [np.r_[new, old[len(new) :]] for new, old in zip(d, tf.nest.flatten(start), strict=True)]
        state = state._replace(train_state=state.train_state._replace(d=tf.nest.pack_sequence_as(start, flat)))
    parts = [records for _, records in training.train(experiment, strategy, chosen, arm.horizon, EVERY[arm.horizon], state)]
    records = training.join_records(parts)
    shape = [len(settings['batch_size']), runs, -1]
    return {'step': records['step']} | {name: records[name].reshape(shape) for name in ('distance', 'peak')}


# --- Files --------------------------------------------------------------------------------------------------------------------


def rows_of(settings: dict[str, np.ndarray], rows: Any) -> dict[str, np.ndarray]:
    """Some of the settings."""
    return {name: values[rows] for name, values in settings.items()}


def with_pretraining(settings: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The settings that pre-train, which come first."""
    return rows_of(settings, settings['pretrain'] != 'nothing')


def train_shape(
    path: pathlib.Path, settings: dict[str, np.ndarray], names: tuple[str, ...], seed: int = 0, runs: int = RUNS
) -> None:
    """Trains the arms of these names for settings of one shape and writes `path`: {'<arm>/<array>': values}."""
    found, d = {}, {}
    for name in names:
        modes = evidence.ARMS[name].modes
        if modes not in d:
            some = with_pretraining(settings)
            d[modes] = pretrained(some, modes, seed, runs) if len(some['std']) else None
        values = train_arm(name, settings, d[modes], seed, runs)
        found |= {f'{name}/step': values['step']}
        found |= {f'{name}/{key}': np.minimum(values[key], LARGE).astype(np.float16) for key in ('distance', 'peak')}
    files.write_npz(path, found)


def aylien_converged(rate: float) -> dict[str, np.ndarray]:
    """Records of Aylien's program of that time with a learning rate: {'step': [records], 'distance': [runs, records]}."""
    settings = aylien_settings(AYLIEN, learning_rate=rate)
    history = outcomes.train_many(aylien, settings, AYLIEN_SEED, AYLIEN_RUNS, every=10).history
    return {'step': history['step'], 'distance': history['wasserstein'] / settings.sigma}


class Task(NamedTuple):
    """Arms of settings of one shape, kept in <name>.npz."""

    name: str
    rows: np.ndarray  # of the settings
    arms: tuple[str, ...]


def all_shapes(settings: dict[str, np.ndarray]) -> list[Task]:
    """All settings with the arms that need few steps."""
    return [Task('_'.join(map(str, shape)), rows, evidence.FOR_ALL) for shape, rows in by_shape(settings)]


def the_rest(settings: dict[str, np.ndarray], chosen: np.ndarray) -> list[Task]:
    """The other arms for chosen rows. Aylien's own generator has no shape but the batch, so it is trained a batch at once."""
    found = []
    for shape, rows in by_shape(settings):
        if (some := rows[np.isin(rows, chosen)]).size:
            found.append(Task(f'narrow_{"_".join(map(str, shape))}', some, ('narrow',)))
    for size in np.unique(settings['batch_size'][chosen]).tolist():
        rows = chosen[settings['batch_size'][chosen] == size]
        untrained = settings['pretrain'][rows] == 'nothing'  # last, as `train_arm` wants them
        found.append(Task(f'own_{size}', rows[np.argsort(untrained, kind='stable')], ('own1', 'own3')))
    return found


def by_shape(settings: dict[str, np.ndarray]) -> Iterator[tuple[tuple, np.ndarray]]:
    """(shape, rows of the settings that have it) in the order of `prior.shapes`."""
    keys = list(zip(*(settings[name].tolist() for name in prior.SHAPES), strict=True))
    for shape in prior.shapes():
        yield shape, np.array([row for row, key in enumerate(keys) if key == shape], int)


def train(directory: pathlib.Path, settings: dict[str, np.ndarray], tasks: list[Task], seed: int = 0, runs: int = RUNS) -> None:
    """Trains the tasks that have no file yet, a process per core."""
    directory.mkdir(parents=True, exist_ok=True)
    left = [task for task in tasks if not (directory / f'{task.name}.npz').exists()]
    calls = [(directory / f'{task.name}.npz', rows_of(settings, task.rows), task.arms, seed, runs) for task in left]
    processes.on_all_cores(train_shape, calls, 'possible programs', ' shapes')
