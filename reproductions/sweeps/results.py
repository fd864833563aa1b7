"""The tables and files of a sweep."""

import json
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from common import settings
from common.evaluation import claims
from common.program.cli import UserError
from common.program.flags import spelled
from common.storage import directories, files, versions
from reproductions import contract
from reproductions.sweeps import figures, vary
from reproductions.sweeps.plan import Outcome, Plan

# --- Tables -------------------------------------------------------------------------------------------------------------------


def collect(plan: Plan, tables: dict[int, dict[str, np.ndarray]], stop: int) -> Outcome:
    """The outcome of a sweep from {number of a cell: columns [runs] of the post}."""
    done = sorted(tables)
    if not done:
        return Outcome({}, {}, [], stop, {})
    parts = []
    for number in done:
        table = dict(tables[number])
        given = {
            one.name: np.repeat(value, plan.opts.runs) for one, value in zip(plan.varied, values_of(plan, number), strict=True)
        }
        parts.append({'seed': table.pop('seed')} | given | table)
    names = dict.fromkeys(name for part in parts for name in part)
    nothing = np.full(plan.opts.runs, np.nan)  # for a column that another variant has
    results = {name: np.concatenate([part.get(name, nothing) for part in parts]) for name in names}
    cells = cells_of(results, np.repeat(done, plan.opts.runs), [one.name for one in plan.varied], plan.post.columns.summarized)
    outcome = Outcome(results, cells, done, stop, {})
    return outcome._replace(map=figures.arrays_of(plan, outcome))


def cells_of(
    results: dict[str, np.ndarray], cell: np.ndarray, varied: Sequence[str], summarized: Sequence[str]
) -> dict[str, np.ndarray]:
    """The columns of sweep.csv from those of results.csv; `cell` [rows] is the number of the cell of each."""
    rows = []
    for number in np.unique(cell):
        own = {name: values[cell == number] for name, values in results.items()}
        rows.append({name: own[name][0] for name in varied} | summary(own, summarized))
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def values_of(plan: Plan, number: int) -> list[Any]:
    """The varied values of a cell: float64 numbers, or texts if one of the values is no number."""
    columns = [vary.as_numbers([vary.shown(value) for value in one.values]) for one in plan.varied]
    pairs = zip(plan.varied, plan.cells[number].values, strict=True)
    return [column[one.values.index(value)] for column, (one, value) in zip(columns, pairs, strict=True)]


def summary(table: dict[str, np.ndarray], summarized: Sequence[str]) -> dict[str, float]:
    """The numbers of a row of sweep.csv: shares with Wilson's interval, and quartiles over the finite runs, NaN without any."""
    finite = table['finite'] == 1
    share = claims.proportion(table['success'] == 1)
    found = {'runs': len(finite), 'finite': float(finite.mean())}
    found |= {'success': share.value, 'success_low': share.low, 'success_high': share.high}
    for name in summarized:
        if name in table:
            values = table[name][finite & np.isfinite(table[name])]
            quartiles = np.quantile(values, [0.25, 0.5, 0.75]) if len(values) else [np.nan] * 3
            found |= dict(zip((f'{name}_q25', f'{name}_median', f'{name}_q75'), map(float, quartiles), strict=True))
    return found


# --- Files --------------------------------------------------------------------------------------------------------------------


def identity(plan: Plan, resume_key: dict[str, Any]) -> dict[str, Any]:
    """What a resumed sweep must share with the one before, as JSON gives it back; `resume_key` is that of its data set."""
    found = {
        'post': plan.post.name,
        'vary': {one.name: [spelled(value) for value in one.values] for one in plan.varied},
        'seed': plan.opts.seed,
        'runs': plan.opts.runs,
        'flags': plan.words,
        'settings': [settings.identity(cell.settings) | {'num_steps': cell.num_steps} for cell in plan.cells[:1]],
    } | resume_key
    return json.loads(json.dumps(found))


def save(plan: Plan, directory: directories.Held, whose: dict[str, Any], outcome: Outcome) -> None:
    """Writes sweep.npz, the numbers with their `identity`, then config.json. Raises files.CannotWrite.

    The tables and the map of fewer cells, or of another sweep, are removed until `write` makes them anew.
    """
    runs = {'cell': np.repeat(outcome.done, plan.opts.runs)} | outcome.results
    arrays = {'identity': np.array(json.dumps(whose))} | {f'run/{name}': values for name, values in runs.items()} | outcome.map
    files.write_npz(directory.path / 'sweep.npz', arrays)
    files.write_json(directory.path / 'config.json', whose | {'versions': versions.versions()})
    directories.settle(directory, whose)


def write(plan: Plan, directory: directories.Held, whose: dict[str, Any], outcome: Outcome) -> None:
    """Writes all files of a sweep. Raises files.CannotWrite."""
    save(plan, directory, whose, outcome)
    for name, table in (('results.csv', outcome.results), ('sweep.csv', outcome.cells)):
        varied = {
            one.name: [vary.shown(value) for value in table[one.name].tolist()] for one in plan.varied if one.name in table
        }
        files.write_csv(directory.path / name, table | varied)  # all digits of what was varied
    figures.draw(directory.path / 'map.png', directory.path / 'sweep.npz')
    directories.settle(directory, whose)


def read(directory: pathlib.Path) -> tuple[dict[str, Any], dict[str, np.ndarray], dict[str, np.ndarray]]:
    """(`identity`, columns of results.csv and `cell`, numbers of the map) of a sweep.

    An older one's identity is in its config.json alone.

    Raises ValueError for a directory that holds none.
    """
    try:
        arrays = files.read_npz(directory / 'sweep.npz')
        if 'identity' in arrays:
            whose = json.loads(str(arrays.pop('identity')))
        else:
            whose = json.loads((directory / 'config.json').read_text(encoding='utf-8'))
        columns = {name.removeprefix('run/'): arrays.pop(name) for name in list(arrays) if name.startswith('run/')}
        if not {'post', 'vary', 'runs', 'flags'} <= set(whose) or 'cell' not in columns:
            raise ValueError('sweep.npz is not one of this suite')
    except (OSError, ValueError, TypeError, files.BadArchive) as error:
        raise ValueError(f'{directory} is not the directory of a finished sweep ({error})') from error
    return whose, columns, arrays


def load(directory: pathlib.Path) -> Outcome:
    """The outcome of a sweep that is in a directory. Raises ValueError for a directory that holds none."""
    whose, results, shown = read(directory)
    cell = results.pop('cell')
    cells = cells_of(results, cell, list(whose['vary']), contract.post(whose['post']).columns.summarized)
    return Outcome(results, cells, np.unique(cell).tolist(), 0, shown)


def earlier(directory: pathlib.Path, whose: dict[str, Any]) -> dict[int, dict[str, np.ndarray]]:
    """{number of a cell: its columns} for the cells that are done. Raises UserError if the directory holds another sweep."""
    try:
        theirs, columns, _ = read(directory)
    except ValueError as error:
        raise UserError(f'--resume: {directory} holds no sweep that can go on; run without --resume') from error
    for name, value in whose.items():
        if theirs.get(name) != value:
            raise UserError(f'--resume: {directory} holds a sweep with another {name}; give the same flags as before')
    cell = columns.pop('cell')
    return {
        number: {name: values[cell == number] for name, values in columns.items() if name not in whose['vary']}
        for number in np.unique(cell).tolist()
    }
