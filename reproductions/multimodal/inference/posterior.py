"""How probable each possible program is, given what the multi-modal post states.

Rules written before any program was trained:

- All drawn settings are judged by the statements that need few steps. The likeliest of them, which hold `HELD` of the weight on
  average over all readings, `MOST` at most, are then judged by all statements; the others count as excluded, and what they
  could hold is stated.
- The `BEST` most compatible settings, and the default of that time (now the variant `guessed`), are trained again with `FRESH`
  held-out seeds. The best becomes the candidate (now `inferred`). It replaces the default if, over `FRESH` other seeds,
  the post is at least `FACTOR` times as probable with it, and if it is more probable under `AGREEING` of all readings.
"""

import pathlib
from typing import Any

import numpy as np

from common.storage import files
from reproductions.multimodal.inference import evidence, prior, simulation
from reproductions.multimodal.inference.evidence import ARMS, Arm, Reading
from reproductions.multimodal.settings import make_settings

HELD, MOST = 0.95, 120
BEST, FRESH, FIRST_FRESH, FACTOR, AGREEING = 10, 100, 1000, 20, 0.9
Records = dict[str, dict[str, np.ndarray]]  # {arm: {'step' [records], 'distance' and 'peak' [settings, runs, records]}}


# --- Records and hits ---------------------------------------------------------------------------------------------------------


def load(directory: pathlib.Path, count: int, tasks: list[simulation.Task], runs: int = simulation.RUNS) -> Records:
    """The records of `simulation.train` of `count` settings; NaN for settings that an arm was not trained with."""
    found = {}
    for task in tasks:
        arrays = files.read_npz(directory / f'{task.name}.npz')
        for arm in task.arms:
            steps = arrays[f'{arm}/step']
            empty = {key: np.full([count, runs, len(steps)], np.nan, np.float16) for key in ('distance', 'peak')}
            own = found.setdefault(arm, {'step': steps} | empty)
            for key in ('distance', 'peak'):
                own[key][task.rows] = arrays[f'{arm}/{key}']
    return found


def hits_of(
    records: Records, reading: Reading, arms: dict[str, Arm] = ARMS, seeds: slice = slice(None)
) -> dict[str, np.ndarray]:
    """How many seeds of each setting agree with each statement, {arm: [settings]}."""
    return {
        name: evidence.agrees(
            arms[name], values['step'], values['distance'][:, seeds], values['peak'][:, seeds], reading
        ).sum(axis=1)
        for name, values in records.items()
    }  # fmt: skip


# --- Weights ------------------------------------------------------------------------------------------------------------------


def weights(
    settings: dict[str, np.ndarray],
    hits: dict[str, np.ndarray],
    reading: Reading,
    aylien: dict[float, float] | None = None,
    runs: int = simulation.RUNS,
) -> np.ndarray:
    """Posterior probability of each setting, [settings], sum 1; `aylien` as from `evidence.aylien_log_likelihood`."""
    log = np.log(prior.shape_weights(settings)) + evidence.log_likelihood(hits, runs, reading)
    if aylien:
        log = log + np.array([aylien[rate] for rate in settings['learning_rate'].tolist()])
    raised = np.exp(log - log.max())
    return raised / raised.sum()


def likeliest(all_weights: np.ndarray) -> np.ndarray:
    """Rows of the settings that are judged by all statements, ascending; `all_weights` [readings, settings]."""
    mean = all_weights.mean(axis=0)
    order = np.argsort(-mean, kind='stable')
    needed = int(np.searchsorted(np.cumsum(mean[order]), HELD)) + 1
    return np.sort(order[: min(needed, MOST)])


def marginal(settings: dict[str, np.ndarray], weight: np.ndarray, name: str) -> np.ndarray:
    """Weight of each value of an unknown, in the order of `prior.UNKNOWNS`, [values]."""
    return np.array([weight[settings[name] == value].sum() for value in prior.UNKNOWNS[name].weights])


def prior_marginal(settings: dict[str, np.ndarray], name: str) -> np.ndarray:
    """The same before the evidence, as drawn: modes that would run into each other are left out."""
    return marginal(settings, prior.shape_weights(settings), name)


def bits(after: np.ndarray, before: np.ndarray) -> float:
    """Information gained about an unknown: relative entropy of its weights after and before, in bits."""
    some = after > 0
    return float((after[some] * np.log2(after[some] / before[some])).sum())


# --- Does it find a program that is known? ------------------------------------------------------------------------------------


def arms_of(records: Records, row: int, seeds: slice, reading: Reading) -> dict[str, Arm]:
    """Statements as a post about a known setting would make them: the median step at which its runs converge, or never."""
    found = {}
    for name, values in records.items():
        steps = values['step']
        record = evidence.converged_at(steps, values['distance'][row, seeds], reading.eye, reading.held)
        stated = np.median(np.r_[steps, np.inf][record])
        found[name] = ARMS[name]._replace(stated=max(float(stated), 5.0), early=False)
    return found


def recovery(settings: dict[str, np.ndarray], records: Records, known: np.ndarray, reading: Reading) -> dict[str, Any]:
    """Takes known settings for the lost one, states what half of their seeds do, and weighs all settings by the other half.

    Returns:
      {'rank': [known], 0 if the known setting has the largest weight of all, and by unknown the weight of its true value,
      [known]}.
    """
    half = records[next(iter(records))]['distance'].shape[1] // 2
    alone = reading._replace(tries=1)
    found = {'rank': []} | {name: [] for name in prior.UNKNOWNS}
    for row in known.tolist():
        arms = arms_of(records, row, slice(half, None), alone)
        weight = weights(settings, hits_of(records, alone, arms, slice(half)), alone, runs=half)
        found['rank'].append(int((weight > weight[row]).sum()))
        for name in prior.UNKNOWNS:
            found[name].append(weight[settings[name] == settings[name][row]].sum())
    return {name: np.array(values) for name, values in found.items()}


# --- The default --------------------------------------------------------------------------------------------------------------


def guessed_row() -> dict[str, np.ndarray]:
    """The variant `guessed`, which was the default when this was measured, as one drawn setting, {unknown: [1]}."""
    one, three = make_settings(modes=1, variant='guessed'), make_settings(modes=3, variant='guessed')
    values = {
        'layers': len(three.hidden_sizes), 'activation': three.activation, 'batch_size': three.batch_size,
        'pretrain': prior.ALL if three.pretrain_steps else 'nothing', 'learning_rate': three.learning_rate,
        'noise_range': three.noise_range, 'alone': one.means[0], 'reach': three.means[-1], 'std': three.deviations[0],
        'equal_modes': three.equal_modes,
    }  # fmt: skip
    return {name: np.array([value]) for name, value in values.items()}


def stacked(rows: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Settings one after the other."""
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def clearly_better(ratio: float, readings_better: np.ndarray) -> bool:
    """The rule for a new default: `ratio` of the probabilities, and whether it is more probable under each reading."""
    return bool(ratio >= FACTOR and readings_better.mean() >= AGREEING)
