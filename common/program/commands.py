"""What the commands of all posts do besides training: devices and directory, replay, claims, files, summary."""

import pathlib
import sys

import numpy as np

from common.devices import cluster, distribution
from common.evaluation import claims, replay
from common.program import cli, progress
from common.storage import checkpoints, files, locks, versions

MOST_CLAIM_RUNS = 100_000  # the report's bound too


def output_directory(opts, post, devices=None):
    """The directory of --output_dir, made, locked and known to be writable before anything is trained.

    Of several workers (`devices`, the strategy) only the chief writes into it.
    """
    path = pathlib.Path(opts.output_dir or f'output/{post}')
    if devices is not None and not cluster.is_chief(devices):
        return path
    try:
        if opts.resume and not path.is_dir():
            raise cli.UserError(f'--resume: there is no directory {path}; run without --resume first')
        files.prepare_directory(path)
        locks.take(path)
        for place in (path, path / checkpoints.FOLDER):
            files.remove_partial(place)
    except locks.Taken as error:
        raise cli.UserError(f'--output_dir={path} is in use by another process; wait for its end or name another') from error
    except OSError as error:
        raise cli.UserError(
            f'--output_dir={path} cannot be written to ({error.strerror}); name a directory that can'
        ) from error
    return path


def strategy(opts, batch_size=None):
    """The strategy of --strategy and --logical_devices, to be made before anything else of TensorFlow.

    `batch_size`: of a post whose losses are means over the batch, which a single run then shares out over the devices.
    """
    if opts.strategy == 'multiworker':
        print('waiting for all workers of TF_CONFIG', file=sys.stderr)
    try:
        shares = batch_size if batch_size and opts.runs == 1 else opts.runs
        return distribution.make_strategy(opts.strategy, shares, opts.logical_devices)
    except ValueError as error:
        raise cli.UserError(f'--strategy={opts.strategy}: {error}') from error


def run_replay(opts, post, replay_trace, decided):
    """--replay: writes replay.csv, prints the verdict; returns the exit status.

    Args:
      opts, post: the command line, and the post's name.
      replay_trace: path -> columns of replay.csv; raises `replay.BadTrace`.
      decided: names of flags that a trace decides, and which therefore may not be given beside it.
    """
    for name in decided:
        if opts[name].present:
            raise cli.UserError(f'--{name} cannot be given beside --replay: the trace says how it was recorded')
    try:
        columns = replay_trace(opts.replay)
    except replay.BadTrace as error:
        raise cli.UserError(f'--replay={opts.replay} {error}; name a trace recorded from the {post} program') from error
    directory = output_directory(opts, post)
    files.write_csv(directory / 'replay.csv', columns)
    for quantity in dict.fromkeys(columns['quantity']):
        errors = [e for q, e in zip(columns['quantity'], columns['relative_error'], strict=True) if q == quantity]
        judged = max(errors[: replay.JUDGED])
        print(f'{quantity}: {len(errors)} steps; largest relative error {judged:.1e} in the first {replay.JUDGED}, '
              f'{max(errors):.1e} over all')  # fmt: skip
    worst = replay.worst_judged(columns)
    passed = worst <= replay.TOLERANCE
    print(f'{"agrees" if passed else "DIFFERS"}: {worst:.1e} against a tolerance of {replay.TOLERANCE:.0e}')
    print(f'files in {directory}/')
    return 0 if passed else 1


def run_claims(opts, post, measure, ensembles, default_runs=500, times=1):
    """--claims: measures, prints a Markdown table and writes claims.json and claims.md; returns the exit status.

    Args:
      opts, post: the command line, and the post's name.
      measure: (first seed, runs, tick) -> list of `claims.Measurement`, calling `tick` after each ensemble.
      ensembles: int, how many there are.
      default_runs: int, seeds where --runs is not given.
      times: int, so many times the seeds are in the largest ensemble.
    """
    if opts['runs'].present and opts.runs < 100:
        raise cli.UserError(f'--runs={opts.runs} is too few to judge a claim by; use 100 or more')
    if not opts['runs'].present:
        opts.runs = default_runs
    if opts.runs > MOST_CLAIM_RUNS:
        raise cli.UserError(f'--runs={opts.runs} is more than a claim needs; use {MOST_CLAIM_RUNS:,} or fewer')
    cli.seeds(opts, times)
    directory = output_directory(opts, post)
    with progress.progress_bar(ensembles, 'claims', 'ensembles') as bar:
        rows = measure(opts.seed, opts.runs, bar.update)
    files.write_json(directory / 'claims.json', claims.as_json(rows))
    files.write_text(directory / 'claims.md', claims.as_markdown(rows))
    print(claims.as_markdown(rows) + f'files in {directory}/')
    return 0


def write_results(opts, post, directory, effective, trained, table):
    """Writes config.json, results.csv and history.npz.

    Args:
      opts, post, directory: the command line, the post's name, and where the files go.
      effective: {flag: value} for the flags whose value was left to the variant.
      trained: `session.Trained`.
      table: {column: [runs]}.
    """
    files.write_json(
        directory / 'config.json',
        {
            'post': post,
            'variant': opts.variant,
            'flags': opts.flag_values_dict() | effective | {'output_dir': str(directory)},
            'devices': list(trained.devices.extended.worker_devices),
            'strategy': type(trained.devices).__name__,
            'iterations': int(trained.players.step),
            'versions': versions.versions(),
        },
    )
    files.write_csv(directory / 'results.csv', table)
    files.write_npz(directory / 'history.npz', trained.history)


def summary(table, targets):
    """Prints what came out beside the target: a solo run's numbers, or medians and quartiles over seeds.

    Args:
      table: {column: [runs]} of results.csv.
      targets: {column: target}.
    """
    runs, finite, success = len(table['seed']), table['finite'] == 1, table['success'] == 1
    if runs == 1:
        outcome = 'success' if success[0] else 'not converged' if finite[0] else 'not finite (NaN or inf)'
        print(f'\nseed {table["seed"][0]}: {outcome}\n{"":14}{"ours":>10}{"target":>10}')
        for column, target in targets.items():
            print(f'{column:14}{table[column][0]:10.4g}{target:10.4g}')
        return
    for label, flag in (('finite', finite), ('success', success)):
        estimate = claims.proportion(flag)
        print(f'{label}: {flag.sum():,} of {runs:,} = {estimate.value:.1%} [{estimate.low:.1%}, {estimate.high:.1%}]')
    if not finite.any():
        print('every run diverged: there is nothing finite to summarise or to draw')
    else:
        print(f'\nover finite runs{"median":>12}{"quartiles":>24}{"target":>10}')
        for column, target in targets.items():
            low, middle, high = np.quantile(table[column][finite], [0.25, 0.5, 0.75])
            print(f'{column:16}{middle:12.4g}{f"{low:.4g} .. {high:.4g}":>24}{target:10.4g}')
