"""Runs a sweep: its directory, its cells one program after the other, its files."""

import contextlib
import pathlib
from typing import Any

import numpy as np
import tensorflow as tf

from common.devices import cluster
from common.program import command, flags, progress, session
from reproductions import contract
from reproductions.sweeps import cells, results
from reproductions.sweeps import plan as planning
from reproductions.sweeps import vary as varying
from reproductions.sweeps.plan import Outcome, Plan


def execute(plan: Plan, devices: tf.distribute.Strategy, directory: pathlib.Path | None) -> Outcome:
    """Trains the cells that are not done yet; writes the files, if there is a directory.

    Raises:
      UserError: there is nothing to resume. files.CannotWrite: a file; the cells that were written before stay.
    """
    chief = cluster.is_chief(devices)
    writes = directory is not None and chief
    tables = results.earlier(plan, directory) if plan.opts.resume and writes else {}
    done = set(cluster.exchange(devices, [np.array(sorted(tables), np.int64)])[0][0].tolist())  # the chief's
    data = load(plan)
    total, stop = sum(cells.work(cell, plan.opts.runs) for i, cell in enumerate(plan.cells) if i not in done), 0
    with progress.stop_signals() as received, progress.progress_bar(total, 'sweep', 'steps') as bar:

        def tick(steps):
            nonlocal stop
            bar.update(steps)
            stop, _ = session.agree(devices, received, False)
            return stop

        for program in planning.programs(plan, done):
            bar.set_postfix_str(f'{len(tables)} of {len(plan.cells)} cells done', refresh=False)
            found = cells.train(plan, program, devices, data, tick)
            if found is None:
                break
            tables |= found
            if writes:
                results.save(plan, directory, tables)
                results.remove_old(directory)
            if stop:
                break
    outcome = results.collect(plan, tables if chief else {}, stop)
    if writes and outcome.done:
        results.write(plan, directory, tables, outcome)
    return outcome


def load(plan: Plan) -> tuple:
    """The data set of the post, () for one that has none. Raises UserError."""
    opts = flags.given((*plan.post.flags, *flags.COMMON), plan.given)
    return plan.post.load(opts, plan.cells[0].settings)


def sweep(name: str, vary: dict[str, Any], runs: int, given: dict[str, Any]) -> Outcome:
    """`reproductions.sweep`, which see."""
    post = contract.post(name)
    opts = flags.given(planning.table(post), {'runs': runs} | given)
    plan = planning.make_plan(post, opts, varying.of_values(vary.items(), post.flags))
    devices = command.strategy(plan.opts)
    writes = plan.opts.output_dir is not None
    with command.locked_directory(f'sweep_{name}', plan.opts, devices) if writes else contextlib.nullcontext() as directory:
        outcome = execute(plan, devices, directory)
    if outcome.stop:
        raise KeyboardInterrupt
    return outcome
