"""Kills every post with SIGKILL at random moments and goes on with --resume: does it end as the uninterrupted run?

python scripts/kill_test.py                             20 kills of each post, and a table
python scripts/kill_test.py --post=aylien --kills=4     fewer

results.csv and history.npz must be the same to the last byte. Half of the kills come at a moment drawn uniformly from the
whole time of the run, start and figures included, the others while a file is being written: at such a moment the next temporary
file is waited for. What a user would be told to do is done: where there is no checkpoint yet, the run is begun again without
--resume. Each run is a process of its own, forked before TensorFlow's first operation, which saves the time of its import.
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
from reproductions import posts


class Kill(NamedTuple):
    """What became of one killed run."""

    moment: float  # seconds after its start
    writing: bool  # a temporary file was there
    checkpoint: int  # number of the newest whole one, or -1
    identical: bool  # once it had gone on


def start(post, arguments, directory, log):
    """Forks a process that runs a post's command line, its output appended to the file `log`: its id."""
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        with open(log, 'a', encoding='utf-8') as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        status = cli.call(posts.part(post, '__main__').main, [post, *arguments, f'--output_dir={directory}'])
    finally:
        os._exit(status)


def finish(child):
    """Waits for a process of `start`: its exit status."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def partial_files(directory):
    """Names of the files that are being written."""
    found = []
    for place in (directory, directory / checkpoints.FOLDER):
        with contextlib.suppress(OSError), os.scandir(place) as entries:
            found += [entry.name for entry in entries if entry.name.startswith(files.PARTIAL)]
    return found


def kill_at(child, moment, directory, in_a_write):
    """Kills a process `moment` seconds from now, or in the first write after that: (it was still there, seconds)."""
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
    """The bytes that must be the same."""
    return [(directory / name).read_bytes() for name in ('results.csv', 'history.npz')]


def one_kill(post, arguments, moment, in_a_write, whole, directory):
    """Begins a run, kills it, goes on to its end and compares it with that in the directory `whole`: `Kill`, or None if it
    had ended before. Raises RuntimeError if it cannot go on."""
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
    """`kills` kills of a post: (seconds of the uninterrupted run, its checkpoints, [`Kill`])."""
    arguments = [*posts.part(name, 'comparison').short(scratch), '--runs=2', '--checkpoint_every=0']
    finish(start(name, arguments, scratch / 'first', scratch / 'first.log'))  # fills the caches: MNIST's classifier, bytecode
    whole, begin = scratch / f'{name}-whole', time.monotonic()
    if finish(start(name, arguments, whole, whole.with_suffix('.log'))):
        raise RuntimeError(whole.with_suffix('.log').read_text(encoding='utf-8'))
    seconds, count = time.monotonic() - begin, int(checkpoints.paths(whole)[-1].stem.removeprefix(checkpoints.PREFIX)) + 1
    draws, found = random.Random(f'{name} {seed}'), []
    while len(found) < kills:
        directory = pathlib.Path(tempfile.mkdtemp(prefix=f'{name}-', dir=scratch))
        kill = one_kill(name, arguments, draws.uniform(0, seconds), len(found) % 2 == 1, whole, directory)
        found += [kill] if kill else []
    return seconds, count, found


def row(name, seconds, count, found):
    """A row of the table, as text."""
    before, writing = sum(kill.checkpoint < 0 for kill in found), sum(kill.writing for kill in found)
    identical = sum(kill.identical for kill in found)
    return f'| {name} | {seconds:.1f} s | {count} | {len(found)} | {before} | {writing} | {identical} |'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--post', choices=posts.NAMES, help='only this post')
    parser.add_argument('--kills', type=int, default=20, help='of each post (default 20)')
    parser.add_argument('--seed', type=int, default=0, help='of the moments (default 0)')
    args = parser.parse_args()
    print('| post | a run takes | checkpoints | kills | before the first one | inside a write | identical in the end |')
    print('|---|---|---|---|---|---|---|', flush=True)
    passed = True
    with tempfile.TemporaryDirectory() as scratch:
        os.environ['XDG_CACHE_HOME'] = scratch
        for name in [args.post] if args.post else posts.NAMES:
            seconds, count, found = kill_often(name, args.kills, args.seed, pathlib.Path(scratch))
            print(row(name, seconds, count, found), flush=True)
            passed &= all(kill.identical for kill in found)
    raise SystemExit(0 if passed else 1)


if __name__ == '__main__':
    os.chdir(ROOT)
    training.MOST_RECORDS = 1  # in a compiled call: many short calls, and as many checkpoints
    main()
