"""Whether two revisions of the suite give the same numbers, bit for bit: the check for a change that must not move any.

python scripts/compare_revisions.py HEAD~3                the checkout against a revision
python scripts/compare_revisions.py v1.0 --post=jang --list=sums.csv

For every post it runs short commands in a checkout of the revision and in this one: a single seed and --runs=3, each plain and
with every option that has named values, and the replay of every recorded run. Then it compares the sums (SHA-256) of the arrays
of history.npz, of results.csv and of replay.csv. Exit status 1 if a sum differs or a command fails in one of the two alone.
Options are those of this checkout: one that the revision does not have fails there.
"""

import argparse
import csv
import hashlib
import pathlib
import subprocess
import sys
import tempfile

import checkout
from tqdm import tqdm

from common.storage import files
from reproductions import contract

WRITTEN = ('results.csv', 'history.npz', 'replay.csv')


def options(name: str) -> list[str]:
    """Every value of every option of a post that has named values, besides the default, as words of a command line."""
    words = []
    for flag in contract.part(name, '__main__').FLAGS:
        if flag.kind is bool:
            words += [f'--{flag.name}'] if not flag.default else []
            words += [f'--no{flag.name}'] if flag.default is not False else []
        elif isinstance(flag.kind, tuple):
            words += [f'--{flag.name}={value}' for value in flag.kind if value != flag.default]
    return words


def commands(name: str, scratch: pathlib.Path) -> list[list[str]]:
    """The words of a post's commands, without the directory for their files."""
    short = contract.part(name, 'comparison').short(scratch)
    trainings = [[*short, *more, *runs] for more in ([], *([word] for word in options(name))) for runs in ([], ['--runs=3'])]
    traces = sorted((checkout.ROOT / 'tests' / 'data').glob(f'{name}_*.npz'))
    return trainings + [[f'--replay={path}'] for path in traces]


def sum_of(path: pathlib.Path) -> str:
    """The sum of a file; of an .npz file, of the names, types, shapes and values of its arrays."""
    if path.suffix != '.npz':
        return hashlib.sha256(path.read_bytes()).hexdigest()
    total = hashlib.sha256()
    for name, array in sorted(files.read_npz(path).items()):
        total.update(f'{name} {array.dtype.str} {array.shape} '.encode() + array.tobytes())
    return total.hexdigest()


def sums(tree: pathlib.Path, name: str, words: list[str]) -> dict[str, str]:
    """{file: sum} of what a command writes when it runs in a checkout, and its exit status."""
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, '-m', f'reproductions.{name}', *words, f'--output_dir={directory}']
        status = subprocess.run(command, cwd=tree, capture_output=True).returncode
        written = [pathlib.Path(directory, file) for file in WRITTEN]
        return {'exit status': str(status)} | {path.name: sum_of(path) for path in written if path.exists()}


def compare(tree: pathlib.Path, names: list[str], scratch: pathlib.Path) -> list[tuple[str, str, str, str]]:
    """(command, file, sum there, sum here) for every file of every command; '' where there is no such file."""
    rows = []
    with tqdm([(name, words) for name in names for words in commands(name, scratch)], unit='command') as bar:
        for name, words in bar:
            there, here = (sums(place, name, words) for place in (tree, checkout.ROOT))
            command = ' '.join([name, *words]).replace(f'{scratch}/', '').replace(f'{checkout.ROOT}/', '')
            rows += [(command, file, there.get(file, ''), here.get(file, '')) for file in there | here]
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('revision', help='a commit, branch or tag, as git names it')
    parser.add_argument('--post', choices=contract.NAMES, help='only this post')
    parser.add_argument('--list', type=lambda text: pathlib.Path(text).expanduser(), help='a CSV file for all sums')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        tree = pathlib.Path(scratch, 'revision')
        git = ['git', '-C', str(checkout.ROOT), 'worktree']
        added = subprocess.run([*git, 'add', '--quiet', '--detach', str(tree), args.revision], capture_output=True, text=True)
        if added.returncode:
            parser.error(f'{args.revision}: {added.stderr.strip().splitlines()[-1]}')
        try:
            rows = compare(tree, [args.post] if args.post else list(contract.NAMES), pathlib.Path(scratch))
        finally:
            subprocess.run([*git, 'remove', '--force', str(tree)], check=True)
    if args.list:
        with files.replacing(args.list) as path, open(path, 'w', newline='', encoding='utf-8') as file:
            csv.writer(file).writerows([('command', 'file', args.revision, 'this checkout'), *rows])
    different = [row for row in rows if row[2] != row[3]]
    for command, file, *_ in different:
        print(f'differs: {file} of {command}')
    print(f'{len(rows) - len(different)} of {len(rows)} sums are the same')
    return int(bool(different))


if __name__ == '__main__':
    sys.exit(main())
