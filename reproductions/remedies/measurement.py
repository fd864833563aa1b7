"""Chooses the strength of a remedy, trains held-out seeds with it, and compares them with the post as published."""

import pathlib
from typing import Any

import numpy as np
import scipy.stats

from common.evaluation import claims, two_sample
from common.program.flags import spelled
from common.storage import files
from reproductions import contract
from reproductions.remedies.plan import CHOICE_SEED, FRESH_SEED, PART, PUBLISHED, Remedy, remedies_of, seeds_of
from reproductions.sweeps import execution
from reproductions.sweeps.plan import Outcome

LEVEL = 0.05  # chance of any false finding in the whole table


class Stopped(Exception):
    """A signal stopped the training, whose number is the argument."""


def complete(directory: pathlib.Path, post: str, remedy: Remedy, runs: int, given: dict[str, Any]) -> dict[str, np.ndarray]:
    """What `measure` finds of all seeds of a post with a remedy, where --runs is `runs`.

    The strength is saved as soon as it is chosen, the outcomes after each `PART` of the seeds.
    """
    wanted, found, path = seeds_of(post, runs), begun(directory, post, remedy), path_of(directory, post, remedy)
    files.prepare_directory(path.parent)
    if not found:
        found = choose(post, remedy, given)
        files.write_npz(path, found)
    while count(found) < wanted:
        found = measure(post, remedy, min(wanted, count(found) + PART), given, found)
        files.write_npz(path, found)
    return found


def measure(
    post: str, remedy: Remedy, seeds: int, given: dict[str, Any], before: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The outcomes of held-out seeds at the chosen strength.

    Args:
      post: its name.
      remedy: with the strengths to choose from.
      seeds: how many.
      given: {flag: value} of all its commands.
      before: what `choose` returned, or this function for fewer seeds; only the others are trained.

    Returns:
      `before` and {'run/<column>': [seeds]}, those of `kept`.
    """
    done, vary = count(before), {remedy.flag: [str(before['strength'])]}
    fresh = sweep(post, vary, seeds - done, given | {'seed': FRESH_SEED + done})
    columns = {f'run/{name}': fresh.results[name] for name in kept(post)}
    return before | {name: np.concatenate([before.get(name, values[:0]), values]) for name, values in columns.items()}


def choose(post: str, remedy: Remedy, given: dict[str, Any]) -> dict[str, np.ndarray]:
    """The best strength of a remedy, and how each did: {'strength', 'tried/<column>': [strengths], columns of sweep.csv}."""
    best, *others = remedy.strengths
    if not others:
        return {'strength': np.array(spelled(best))}
    tried = sweep(post, {remedy.flag: list(remedy.strengths)}, contract.trial_of(post).tried, given | {'seed': CHOICE_SEED})
    found = {f'tried/{name}': values for name, values in tried.cells.items()}
    return found | {'strength': np.array(spelled(remedy.strengths[better(tried.cells, contract.post(post).columns.distance)]))}


def sweep(post: str, vary: dict[str, Any], runs: int, given: dict[str, Any]) -> Outcome:
    """The outcome of a sweep, without files. Raises Stopped."""
    outcome = execution.sweep(post, vary, runs, given)
    if outcome.stop:
        raise Stopped(outcome.stop)
    return outcome


def kept(post: str) -> tuple[str, ...]:
    """The columns of results.csv that are kept of every seed."""
    columns = contract.post(post).columns
    return ('seed', 'success', 'finite', columns.distance, *filter(None, [columns.covered]))


def better(cells: dict[str, np.ndarray], distance: str) -> int:
    """The row of sweep.csv with the most successes, of equal ones that with the smallest median distance."""
    medians = cells[f'{distance}_median']
    return int(np.lexsort((np.where(np.isfinite(medians), medians, np.inf), -cells['success']))[0])


def path_of(directory: pathlib.Path, post: str, remedy: Remedy) -> pathlib.Path:
    """Where the outcomes of a post with a remedy are."""
    return directory / post / f'{remedy.name}.npz'


def begun(directory: pathlib.Path, post: str, remedy: Remedy) -> dict[str, np.ndarray]:
    """What `measure` found of a post with a remedy, over however many seeds; {} if nothing."""
    path = path_of(directory, post, remedy)
    return files.read_npz(path) if path.exists() else {}


def count(found: dict[str, np.ndarray]) -> int:
    """The number of seeds of what `measure` found."""
    return len(found.get('run/seed', ()))


def measured(directory: pathlib.Path, post: str, runs: int) -> dict[str, dict[str, np.ndarray]]:
    """{name of a remedy: what `measure` found}, of those that are done, for the first seeds, as many as --runs asks for."""
    found, wanted = {}, seeds_of(post, runs)
    for remedy in remedies_of(post):
        arrays = begun(directory, post, remedy)
        if count(arrays) >= wanted:
            found[remedy.name] = {key: each[:wanted] if key.startswith('run/') else each for key, each in arrays.items()}
    return found


def rows_of(post: str, found: dict[str, dict[str, np.ndarray]]) -> list[dict[str, Any]]:
    """The rows of remedies.csv of a post, each with two p-values against the published setting, not corrected."""
    rows, published, columns = [], found.get(PUBLISHED.name), contract.post(post).columns
    distance, covered = columns.distance, columns.covered
    for remedy in remedies_of(post):
        if remedy.name not in found:
            continue
        run = {name.removeprefix('run/'): values for name, values in found[remedy.name].items() if name.startswith('run/')}
        finite = run['finite'] == 1
        strength = str(found[remedy.name]['strength']) if remedy != PUBLISHED else ''
        row = {'post': post, 'remedy': remedy.name, 'strength': strength, 'runs': len(finite)}
        row |= estimate('success', claims.proportion(run['success'] == 1)) | estimate('finite', claims.proportion(finite))
        row |= estimate('distance', claims.median(infinite(run[distance], finite)))
        row['covered'] = float(run[covered][finite].mean()) if covered and finite.any() else np.nan
        row |= {'p_success': np.nan, 'p_distance': np.nan}
        if published and remedy != PUBLISHED:
            other = published['run/finite'] == 1
            p = two_sample.compare(run, {'success': published['run/success'], 'finite': other}, (), ('success',))
            samples = infinite(run[distance], finite), infinite(published[f'run/{distance}'], other)
            row |= {'p_success': p['success'], 'p_distance': float(scipy.stats.mannwhitneyu(*samples).pvalue)}
        rows.append(row)
    return rows


def infinite(distances: np.ndarray, finite: np.ndarray) -> np.ndarray:
    """Distances with infinity for runs that are not finite."""
    return np.where(finite & np.isfinite(distances), distances, np.inf)


def estimate(name: str, found: claims.Estimate) -> dict[str, float]:
    """An estimate as three columns."""
    return {name: found.value, f'{name}_low': found.low, f'{name}_high': found.high}


def corrected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All rows of the table, with `success_differs` and `distance_differs`: 1 where Holm's procedure finds a difference."""
    p = {(i, of): row[f'p_{of}'] for i, row in enumerate(rows) for of in ('success', 'distance')}
    real = set(two_sample.rejected({key: value for key, value in p.items() if not np.isnan(value)}, LEVEL))
    return [row | {f'{of}_differs': int((i, of) in real) for of in ('success', 'distance')} for i, row in enumerate(rows)]
