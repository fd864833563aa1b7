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

    early: bool  # before the first checkpoint
    writing: bool  # a temporary file existed
    identical: bool  # after resuming


def start(post, arguments, directory):
    """Forks a process that runs a post's command line, with its output appended to <directory>.log; returns its id."""
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        with open(directory.with_suffix('.log'), 'a', encoding='utf-8') as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        status = cli.call(contract.part(post, '__main__').main, [post, *arguments, f'--output_dir={directory}'])
    finally:
        os._exit(status)


def finish(post, arguments, directory):
    """Runs a post's command line to its end. Raises RuntimeError with its output if it fails."""
    status = os.waitstatus_to_exitcode(os.waitpid(start(post, arguments, directory), 0)[1])
    if status:
        log = directory.with_suffix('.log').read_text(encoding='utf-8')
        raise RuntimeError(f'status {status} of {" ".join(arguments)}: {log[-2000:]}')


def partial_files(directory):
    """Names of the files that are being written."""
    names = []
    for folder in (directory, directory / checkpoints.FOLDER):
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            names += [entry.name for entry in entries if entry.name.startswith(files.PARTIAL)]
    return names


def is_running(child):
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def kill_at(child, moment, directory, in_a_write):
    """Kills a process `moment` seconds from now, or in the first write after that; returns whether it was still running."""
    time.sleep(moment)
    while in_a_write and not partial_files(directory) and is_running(child):
        pass
    running = is_running(child)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return running


def one_kill(post, arguments, moment, in_a_write, whole, directory):
    """Starts a run, kills it, resumes it to its end and compares it with the uninterrupted one in the directory `whole`.

    Returns a `Kill`, or None if the run had ended before. Raises RuntimeError if it cannot be resumed.
    """
    if not kill_at(start(post, arguments, directory), moment, directory, in_a_write):
        return None
    writing, early = bool(partial_files(directory)), not checkpoints.paths(directory)
    finish(post, arguments if early else [*arguments, '--resume'], directory)
    same = all((directory / name).read_bytes() == (whole / name).read_bytes() for name in ('results.csv', 'history.npz'))
    return Kill(early, writing, same and not partial_files(directory))


def kill_often(name, kills, seed, scratch):
    """Kills a post `kills` times; returns (seconds of the uninterrupted run, number of its checkpoints, [`Kill`])."""
    arguments = [*contract.part(name, 'comparison').short(scratch), '--runs=2', '--checkpoint_every=0']
    finish(name, arguments, scratch / 'first')  # fills the caches: MNIST's classifier, bytecode
    whole, begin = scratch / f'{name}-whole', time.monotonic()
    finish(name, arguments, whole)
    seconds, last = time.monotonic() - begin, checkpoints.paths(whole)[-1].stem.removeprefix(checkpoints.PREFIX)
    moments, done = random.Random(f'{name} {seed}'), []
    while len(done) < kills:
        directory = pathlib.Path(tempfile.mkdtemp(prefix=f'{name}-', dir=scratch))
        kill = one_kill(name, arguments, moments.uniform(0, seconds), len(done) % 2 == 1, whole, directory)
        done += [kill] if kill else []
    return seconds, int(last) + 1, done


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
            seconds, count, done = kill_often(name, args.kills, args.seed, pathlib.Path(scratch))
            early, writing, identical = map(sum, zip(*done, strict=True))
            print(f'| {name} | {seconds:.1f} | {count} | {len(done)} | {early} | {writing} | {identical} |', flush=True)
            passed &= identical == len(done)
    raise SystemExit(0 if passed else 1)


if __name__ == '__main__':
    os.chdir(ROOT)
    training.MOST_RECORDS = 1  # per compiled call: many short calls, and as many checkpoints
    main()
