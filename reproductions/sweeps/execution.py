"""Runs a sweep: its directory, its cells one program after the other, its files."""

import contextlib
import pathlib
from typing import Any

import numpy as np
import tensorflow as tf

from common.devices import cluster
from common.program import cli, command, flags, progress, session
from reproductions import contract
from reproductions.sweeps import cells, results
from reproductions.sweeps import plan as planning
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
    tools = cells.tools(plan.post, digits_of(plan))
    total, stop = sum(cells.work(cell, plan.opts.runs) for i, cell in enumerate(plan.cells) if i not in done), 0
    with progress.stop_signals() as received, progress.progress_bar(total, 'sweep', 'steps') as bar:

        def tick(steps):
            nonlocal stop
            bar.update(steps)
            stop, _ = session.agree(devices, received, False)
            return stop

        for program in planning.programs(plan, done):
            bar.set_postfix_str(f'{len(tables)} of {len(plan.cells)} cells done', refresh=False)
            found = cells.train(plan, program, devices, tools, tick)
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


def digits_of(plan: Plan) -> Any:
    """The data set of a post that has one, else None. Raises UserError."""
    main = contract.part(plan.post, '__main__')
    if not hasattr(main, 'load_digits'):
        return None
    opts = flags.parse(main.FLAGS, [plan.post, *plan.words], main.__file__)
    return main.load_digits(opts, plan.cells[0].settings)


def sweep(post: str, vary: dict[str, Any], runs: int, given: dict[str, Any]) -> Outcome:
    """`reproductions.sweep`, which see."""
    words = [f'--vary={name}={values if isinstance(values, str) else flags.as_word(values)}' for name, values in vary.items()]
    words += [f'--runs={runs}', *(f'--{name}={flags.as_word(value)}' for name, value in given.items())]
    try:
        if post not in contract.NAMES:
            raise cli.UserError(contract.no_post(repr(post)))
        plan = planning.make_plan(post, words)
        devices = command.strategy(plan.opts)
        writes = plan.opts.output_dir is not None
        with command.locked_directory(f'sweep_{post}', plan.opts, devices) if writes else contextlib.nullcontext() as directory:
            outcome = execute(plan, devices, directory)
    except cli.UserError as error:
        raise ValueError(str(error)) from error
    if outcome.stop:
        raise KeyboardInterrupt
    return outcome
