"""Kills runs of every post with SIGKILL at random moments and resumes them: do they end like the uninterrupted run?

python scripts/kill_test.py                             20 kills per post, and a table
python scripts/kill_test.py --post=aylien --kills=4     fewer

results.csv and history.npz must match byte for byte. The moments are uniform over the whole run, start-up and figures included.
Half of the kills come at that moment, the others as soon as a temporary file exists after it, that is, during a write. Then the
script does what a user would be told to do: it resumes, or starts over if there is no checkpoint yet. Each run is a process of
its own, forked before TensorFlow's first operation, which saves the time of the import.
"""

import argparse
import contextlib
import os
import pathlib
import random
import signal
import tempfile
import time
from typing import NamedTuple

from checkout import ROOT

from common import training
from common.program import cli
from common.storage import checkpoints, files
from reproductions import contract


class Kill(NamedTuple):
    """What happened to one killed run."""

    moment: float  # seconds after the start
    writing: bool  # a temporary file existed
    checkpoint: int  # number of the newest one, or -1
    identical: bool  # after resuming


def start(post, arguments, directory, log):
    """Forks a process that runs a post's command line, with its output appended to the file `log`; returns its id."""
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        with open(log, 'a', encoding='utf-8') as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        status = cli.call(contract.part(post, '__main__').main, [post, *arguments, f'--output_dir={directory}'])
    finally:
        os._exit(status)


def finish(child):
    """Waits for a process of `start`; returns its exit status."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def partial_files(directory):
    """Names of the files that are being written."""
    found = []
    for folder in (directory, directory / checkpoints.FOLDER):
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            found += [entry.name for entry in entries if entry.name.startswith(files.PARTIAL)]
    return found


def kill_at(child, moment, directory, in_a_write):
    """Kills a process `moment` seconds from now, or in the first write after that; returns (it was still running, seconds)."""
    begin = time.monotonic()
    time.sleep(moment)
    while in_a_write and not partial_files(directory) and not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        pass
    running = os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    seconds = time.monotonic() - begin
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return running, seconds


def outcome_of(directory):
    """The bytes that must match."""
    return [(directory / name).read_bytes() for name in ('results.csv', 'history.npz')]


def one_kill(post, arguments, moment, in_a_write, whole, directory):
    """Starts a run, kills it, resumes it to its end and compares it with the uninterrupted one in the directory `whole`.

    Returns a `Kill`, or None if the run had ended before. Raises RuntimeError if it cannot be resumed.
    """
    log = directory.with_suffix('.log')
    running, seconds = kill_at(start(post, arguments, directory, log), moment, directory, in_a_write)
    if not running:
        return None
    writing, found = bool(partial_files(directory)), checkpoints.paths(directory)
    status = finish(start(post, [*arguments, *['--resume'] * bool(found)], directory, log))
    if status:
        raise RuntimeError(f'status {status} after a kill at {seconds:.2f} s: {log.read_text(encoding="utf-8")[-2000:]}')
    number = int(found[-1].stem.removeprefix(checkpoints.PREFIX)) if found else -1
    left = partial_files(directory)
    return Kill(seconds, writing, number, outcome_of(directory) == outcome_of(whole) and not left)


def kill_often(name, kills, seed, scratch):
    """Kills a post `kills` times; returns (seconds of the uninterrupted run, number of its checkpoints, [`Kill`])."""
    arguments = [*contract.part(name, 'comparison').short(scratch), '--runs=2', '--checkpoint_every=0']
    finish(start(name, arguments, scratch / 'first', scratch / 'first.log'))  # fills the caches: MNIST's classifier, bytecode
    whole, begin = scratch / f'{name}-whole', time.monotonic()
    if finish(start(name, arguments, whole, whole.with_suffix('.log'))):
        raise RuntimeError(whole.with_suffix('.log').read_text(encoding='utf-8'))
    seconds, count = time.monotonic() - begin, int(checkpoints.paths(whole)[-1].stem.removeprefix(checkpoints.PREFIX)) + 1
    moments, found = random.Random(f'{name} {seed}'), []
    while len(found) < kills:
        directory = pathlib.Path(tempfile.mkdtemp(prefix=f'{name}-', dir=scratch))
        kill = one_kill(name, arguments, moments.uniform(0, seconds), len(found) % 2 == 1, whole, directory)
        found += [kill] if kill else []
    return seconds, count, found


def row(name, seconds, count, found):
    """A row of the table, as text."""
    before, writing = sum(kill.checkpoint < 0 for kill in found), sum(kill.writing for kill in found)
    identical = sum(kill.identical for kill in found)
    return f'| {name} | {seconds:.1f} | {count} | {len(found)} | {before} | {writing} | {identical} |'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--post', choices=contract.NAMES, help='only this post')
    parser.add_argument('--kills', type=int, default=20, help='kills per post (default 20)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the random moments (default 0)')
    args = parser.parse_args()
    print('| post | seconds per run | checkpoints | kills | before the first one | during a write | identical at the end |')
    print('|---|---|---|---|---|---|---|', flush=True)
    passed = True
    with tempfile.TemporaryDirectory() as scratch:
        os.environ['XDG_CACHE_HOME'] = scratch
        for name in [args.post] if args.post else contract.NAMES:
            seconds, count, found = kill_often(name, args.kills, args.seed, pathlib.Path(scratch))
            print(row(name, seconds, count, found), flush=True)
            passed &= all(kill.identical for kill in found)
    raise SystemExit(0 if passed else 1)


if __name__ == '__main__':
    os.chdir(ROOT)
    training.MOST_RECORDS = 1  # per compiled call: many short calls, and as many checkpoints
    main()
