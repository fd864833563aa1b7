"""The tables and files of a sweep."""

import json
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from common.evaluation import claims
from common.program.cli import UserError
from common.program.flags import spelled
from common.settings import identity as same
from common.storage import files, versions
from reproductions.sweeps import figures, vary
from reproductions.sweeps.plan import Outcome, Plan

# --- Tables -------------------------------------------------------------------------------------------------------------------


def collect(plan: Plan, tables: dict[int, dict[str, np.ndarray]], stop: int) -> Outcome:
    """The outcome of a sweep from {number of a cell: columns [runs] of the post}."""
    done = sorted(tables)
    if not done:
        return Outcome({}, {}, [], stop)
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
    rows = [
        {one.name: part[one.name][0] for one in plan.varied} | summary(part, plan.post.columns.summarized) for part in parts
    ]
    cells = {name: np.array([row.get(name, np.nan) for row in rows]) for name in dict.fromkeys(n for row in rows for n in row)}
    return Outcome(results, cells, done, stop)


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


def identity(plan: Plan) -> dict[str, Any]:
    """What a resumed sweep must share with the one before, as JSON gives it back."""
    found = {
        'post': plan.post.name,
        'vary': {one.name: [spelled(value) for value in one.values] for one in plan.varied},
        'seed': plan.opts.seed,
        'runs': plan.opts.runs,
        'flags': plan.words,
        'settings': [same(cell.settings) | {'num_steps': cell.num_steps} for cell in plan.cells[:1]],
    }
    return json.loads(json.dumps(found))


def save(
    plan: Plan, directory: pathlib.Path, tables: dict[int, dict[str, np.ndarray]], more: dict[str, Any] | None = None
) -> None:
    """Writes sweep.npz, the numbers with whose they are and `more` arrays, then config.json. Raises files.CannotWrite."""
    results = collect(plan, tables, 0).results
    arrays = {'run/cell': np.repeat(sorted(tables), plan.opts.runs)} | {f'run/{name}': v for name, v in results.items()}
    files.write_npz(directory / 'sweep.npz', {'identity': np.array(json.dumps(identity(plan)))} | arrays | (more or {}))
    files.write_json(directory / 'config.json', identity(plan) | {'versions': versions.versions()})


def remove_old(directory: pathlib.Path) -> None:
    """Removes the tables and the map of fewer cells, or of another sweep, until `write` makes them anew."""
    for name in ('results.csv', 'sweep.csv', 'map.png'):
        (directory / name).unlink(missing_ok=True)


def read(directory: pathlib.Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """(`identity`, {name: array}) of a sweep. An older one's identity is in its config.json alone.

    Raises OSError, ValueError, KeyError or files.BadArchive for a directory that holds none.
    """
    arrays = files.read_npz(directory / 'sweep.npz')
    if 'identity' in arrays:
        return json.loads(str(arrays.pop('identity'))), arrays
    return json.loads((directory / 'config.json').read_text(encoding='utf-8')), arrays


def earlier(plan: Plan, directory: pathlib.Path) -> dict[int, dict[str, np.ndarray]]:
    """{number of a cell: its columns} for the cells that are done. Raises UserError if the directory holds another sweep."""
    try:
        theirs, arrays = read(directory)
        cell = arrays.pop('run/cell')
    except (OSError, ValueError, KeyError, files.BadArchive) as error:
        raise UserError(f'--resume: {directory} holds no sweep that can go on; run without --resume') from error
    for name, value in identity(plan).items():
        if theirs.get(name) != value:
            raise UserError(f'--resume: {directory} holds a sweep with another {name}; give the same flags as before')
    varied = [one.name for one in plan.varied]
    columns = {name.removeprefix('run/'): values for name, values in arrays.items() if name.startswith('run/')}
    return {
        number: {name: values[cell == number] for name, values in columns.items() if name not in varied}
        for number in np.unique(cell).tolist()
    }


def write(plan: Plan, directory: pathlib.Path, tables: dict[int, dict[str, np.ndarray]], outcome: Outcome) -> None:
    """Writes all files of a sweep. Raises files.CannotWrite."""
    files.write_csv(directory / 'results.csv', outcome.results)
    files.write_csv(directory / 'sweep.csv', outcome.cells)
    save(plan, directory, tables, figures.arrays_of(plan, outcome))
    figures.draw(directory / 'map.png', directory / 'sweep.npz')
