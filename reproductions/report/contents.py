"""The contents of the report: outcomes beside the authors', figures and claims."""

import json
import pathlib
from typing import Any

import numpy as np

from common.evaluation import metrics, two_sample
from common.storage import files
from reproductions import contract, overview
from reproductions.contract import Job
from reproductions.explorer import contents as explored
from reproductions.explorer import page as explorer
from reproductions.report import jobs as report_jobs
from reproductions.result import Result

BY_QUANTILES = 'success by quantiles'  # the authors' runs are only known by their quantiles


def describe(values: Any) -> dict[str, float] | None:
    """Median and quartiles of the finite values among [n]: {'median', 'low', 'high', 'n'}; None if there are none."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return {'median': float(middle), 'low': float(low), 'high': float(high), 'n': int(values.size)}


def rate(values: Any) -> dict[str, float]:
    """Fraction of ones among [n] values: {'share', 'n'}."""
    return {'share': float(np.mean(values)), 'n': len(values)}


def compared(shown: contract.Shown, ours: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Rows of the table that compares our outcomes with the author's program and the post.

    Args:
      shown: `contract.Shown`.
      ours: {column: [runs]} of results.csv.
    """
    theirs = shown.theirs
    if theirs:
        ours, theirs = (success_by_quantiles(table, shown.truth, shown.bound) for table in (ours, theirs))
    p_values = two_sample.compare(ours, theirs, shown.columns, ('finite', BY_QUANTILES)) if theirs else {}
    kept = {'ours': ours} | ({'authors': theirs} if theirs else {})
    rows = []
    rates = [name for name in ('finite', 'success', BY_QUANTILES, 'collapsed') if name in ours]
    for name in (*rates, *shown.targets):
        summary = rate if name in rates else describe
        found = {who: summary(table[name]) if name in table else None for who, table in kept.items()}
        row = {'setting': shown.setting, 'quantity': name, 'authors': None, **found, 'p': p_values.get(name)}
        rows.append(row | {'target': shown.targets.get(name), 'stated': shown.stated.get(name)})
    return rows


def success_by_quantiles(outcomes: dict[str, np.ndarray], truth: Any, bound: float) -> dict[str, np.ndarray]:
    """Adds the column `BY_QUANTILES` to a table: whether each run succeeds by its quantiles alone."""
    success = (outcomes['finite'] == 1) & (metrics.quantile_distance(outcomes, truth) < bound)
    return outcomes | {BY_QUANTILES: success.astype(int)}


def comparison(post: str, directory: pathlib.Path) -> list[dict[str, Any]]:
    """The rows of `compared` for a post's ensembles in `directory`; ensembles without results are skipped."""
    rows = []
    for shown in contract.part(post, 'comparison').shown(directory):
        path = directory / shown.job / 'results.csv'
        if path.exists():
            rows += compared(shown, files.read_csv(path))
    return rows


def write_explorers(jobs: list[Job], directory: pathlib.Path) -> None:
    """Writes explore.html beside the files of every ensemble among these jobs, none of which has failed."""
    for path in (directory / job.place for job in jobs):
        result = Result(path) if (path / 'history.npz').exists() else None
        if result and len(result.seeds) > 1:
            explorer.write_into(path, explored.of_training(result))


def collect(chosen: list[str], jobs: list[Job], directory: pathlib.Path, failed: dict[tuple[str, str], str]) -> dict[str, Any]:
    """The contents of the page, and of report.json."""
    recorded = overview.recorded_claims()
    found = []
    for post in chosen:
        path = directory / post / 'claims' / 'claims.json'
        accepted = {claim['claim']: claim for claim in recorded[post]}
        measured = json.loads(path.read_text(encoding='utf-8')) if path.exists() and (post, 'claims') not in failed else []
        own = [job for job in jobs if job.post == post]
        found.append(
            overview.page_parts(post)
            | {
                'post': post,
                'claims': [
                    claim
                    | {'reason': overview.without_links(claim['reason']), 'recorded': summary_of(accepted[claim['claim']])}
                    for claim in measured
                ],
                'comparison': comparison(post, directory / post),
                'jobs': [
                    {
                        'name': job.name,
                        'command': job.command,
                        'failed': failed.get((post, job.name)),
                        'explore': str(job.place / explorer.NAME) if (directory / job.place / explorer.NAME).exists() else None,
                        'figures': [
                            {'file': str(job.place / file), 'caption': caption}
                            for file, caption in job.figures.items()
                            if (directory / job.place / file).exists()
                        ],
                    }
                    for job in own
                ],
            }
        )
    return {'versions': report_jobs.versions_used(), 'posts': found}


def summary_of(claim: dict[str, Any]) -> dict[str, Any]:
    """An accepted claim's verdict, and the number of runs behind its first number."""
    return {'verdict': claim['verdict'], 'n': next(iter(claim['measured'].values()))['n']}
