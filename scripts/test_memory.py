"""How much memory the tests take: runs pytest and adds up what it and all processes it started have, twice a second.

python scripts/test_memory.py                        the tests as `pytest` runs them
python scripts/test_memory.py -- -m '' --durations=9     any arguments of pytest, after the two dashes
python scripts/test_memory.py --log=memory.csv -- tests/test_aylien.py     seconds, GiB and processes of every sample

Prints the peak, the seconds, the CPU seconds and the exit status, which is also its own. A process's memory is its
proportional set size (Pss in /proc/<pid>/smaps_rollup): a page that n processes share counts 1/n in each, so that the sum is
what the machine has to have. Where that cannot be read it is the resident set size, which counts a shared page in full.
"""

import argparse
import contextlib
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parent.parent


def field(process, file, name):
    """The number in the line `name: number` of a file of /proc/<process>. Raises OSError or TypeError if there is none."""
    text = pathlib.Path('/proc', str(process), file).read_text(encoding='utf-8', errors='replace')
    return int(re.search(rf'^{name}:\s*(\d+)', text, re.MULTILINE)[1])


def tree(root):
    """The ids of a process and of all it has started."""
    children = {}
    for directory in pathlib.Path('/proc').glob('[0-9]*'):
        with contextlib.suppress(OSError, TypeError):  # it has just ended
            children.setdefault(field(directory.name, 'status', 'PPid'), []).append(int(directory.name))
    known = [root]
    for process in known:
        known += children.get(process, [])
    return known


def memory(process):
    """Bytes of a process; none once it has ended."""
    for file, name in (('smaps_rollup', 'Pss'), ('status', 'VmRSS')):
        with contextlib.suppress(OSError, TypeError):
            return field(process, file, name) * 1024
    return 0


def samples_of(process, every):
    """(seconds since now, bytes, processes) at every `every` seconds, until a process has ended."""
    begin = time.monotonic()
    while True:
        sizes = [size for size in map(memory, tree(process.pid)) if size]
        yield time.monotonic() - begin, sum(sizes), len(sizes)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(every)
            return


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--every', type=float, default=0.5, metavar='SECONDS', help='between two samples (default: 0.5)')
    parser.add_argument('--log', type=lambda text: pathlib.Path(text).expanduser(), help='a CSV file for the samples')
    parser.add_argument('arguments', nargs='*', help="pytest's, after --")
    args = parser.parse_args()

    begin, before = time.monotonic(), os.times()
    process = subprocess.Popen([sys.executable, '-m', 'pytest', *args.arguments], cwd=ROOT)
    samples = list(samples_of(process, args.every))
    seconds, now = time.monotonic() - begin, os.times()
    cpu = now.children_user + now.children_system - before.children_user - before.children_system
    if args.log:
        rows = ['seconds,GiB,processes', *(f'{t:.1f},{size / 2**30:.3f},{n}' for t, size, n in samples)]
        args.log.write_text('\n'.join(rows) + '\n', encoding='utf-8')
    moment, peak, count = max(samples, key=lambda sample: sample[1])
    print(f'peak {peak / 2**30:.2f} GiB after {moment:.0f} s, in {count} processes')
    print(f'{seconds:.0f} s, {cpu:.0f} CPU s, exit status {process.returncode}')
    return process.returncode


if __name__ == '__main__':
    sys.exit(main())
