"""The post compared with the suite's accepted numbers; its jobs in the report."""

import pathlib

from reproductions.contract import Case, Job, Shown

CASES: tuple[Case, ...] = ()  # settings with accepted numbers


def short(scratch: pathlib.Path) -> list[str]:
    """Flags for a training run that takes seconds."""
    return ['--num_steps=40']


def jobs(runs: int, data: str) -> list[Job]:
    """The report's commands."""
    return [Job('corners', 'claims', ('--claims', f'--runs={runs}'), 60, {})]


def shown(directory: pathlib.Path) -> list[Shown]:
    """What the report shows of the ensembles."""
    return []
