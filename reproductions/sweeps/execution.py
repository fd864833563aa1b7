"""Runs a sweep: its directory, its cells one program after the other, its files."""

import contextlib
from typing import Any

import numpy as np
import tensorflow as tf

from common.devices import cluster
from common.program import command, flags, progress, session
from common.storage import directories
from reproductions import contract, declaration
from reproductions.sweeps import cells, results
from reproductions.sweeps import plan as planning
from reproductions.sweeps import vary as varying
from reproductions.sweeps.plan import Outcome, Plan


def execute(plan: Plan, devices: tf.distribute.Strategy, directory: directories.Held | None) -> Outcome:
    """Trains the cells that are not done yet; writes the files, if there is a directory.

    Raises:
      UserError: there is nothing to resume. files.CannotWrite: a file; the cells that were written before stay.
    """
    chief = cluster.is_chief(devices)
    writes = directory is not None and chief
    data, resume_key = declaration.data_of(plan.post, plan.given, plan.cells[0].settings)
    whose = results.identity(plan, resume_key)
    tables = results.earlier(directory.path, whose) if plan.opts.resume and writes else {}
    done = set(cluster.exchange(devices, [np.array(sorted(tables), np.int64)])[0][0].tolist())  # the chief's
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
                results.save(plan, directory, whose, results.collect(plan, tables, 0))
            if stop:
                break
    outcome = results.collect(plan, tables if chief else {}, stop)
    if writes and outcome.done:
        results.write(plan, directory, whose, outcome)
    return outcome


def sweep(name: str, vary: dict[str, Any], runs: int, given: dict[str, Any]) -> Outcome:
    """Trains a post over a grid of settings; arguments as for `reproductions.sweep`, its other flags as {name: value}."""
    post = contract.post(name)
    opts = flags.given(planning.table(post), {'runs': runs} | given)
    plan = planning.make_plan(post, opts, varying.of_values(vary.items(), post.flags))
    devices = command.strategy(plan.opts)
    writes = plan.opts.output_dir is not None
    with command.opened(f'sweep_{name}', plan.opts, 'sweep', devices) if writes else contextlib.nullcontext() as held:
        return execute(plan, devices, held)
