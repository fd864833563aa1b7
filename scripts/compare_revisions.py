"""Whether two revisions of the suite give the same, bit for bit: the check for a change that must not move any number.

python scripts/compare_revisions.py HEAD~3                the checkout against a revision
python scripts/compare_revisions.py HEAD~3 --post=jang --list=sums.csv
python scripts/compare_revisions.py HEAD~3 --keep=before.json    a second time, only the checkout's commands run

For every post it runs short commands in a checkout of the revision and in this one: a single seed and --runs=3, each plain,
with every option that has named values, and with all numeric remedies together; a small sweep; the replay of every recorded
run; values that are refused; and --help. Then it compares the exit status, what is printed, the notes and errors, the values in
config.json and the sums (SHA-256) of all other files: for an .npz file, that of its arrays; of directories, and of files.json
whatever it lists, only the name counts. Exit status 1 if anything differs. The options are those of this checkout: one that the
revision does not have fails there. The commands run in turn in processes that have imported TensorFlow (command_worker.py), of
which there are as many as cores.
"""

import argparse
import concurrent.futures
import contextlib
import csv
import difflib
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator

import checkout
from tqdm import tqdm

from common.program.flags import COMMON
from common.settings import FRACTION, POSITIVE, Remedies, numbers
from common.storage import files
from common.storage.directories import LOCK
from reproductions import contract

TRACES = checkout.ROOT / 'tests' / 'data'
AT_ONCE = 12  # trainings in one process, which keeps all that it compiles: up to 0.1 GiB each
INTERRUPTED = 130  # exit status
TOLD = re.compile(r'(error|note|warning|\w+(Error|Warning)): ')  # how a line on stderr begins that is meant for the user
OUTPUT = '--output_dir=<output>'
REMEDIES = [*(f'--{name}=0.1' for name in numbers(Remedies)), '--noise_steps=200']
GENERAL = [['--help'], ['list'], *([name, '--help'] for name in ('report', 'sweep', 'remedies', 'explore'))]


def options(name: str) -> list[str]:
    """Every value of every option of a post that has named values, besides the default, as words of a command line."""
    words = []
    for flag in contract.post(name).flags:
        if flag.kind is bool:
            words += [f'--{flag.name}'] if not flag.default else []
            words += [f'--no{flag.name}'] if flag.default is not False else []
        elif isinstance(flag.kind, tuple):
            words += [f'--{flag.name}={value}' for value in flag.kind if value != flag.default]
    return words


def varied(name: str) -> str:
    """What a sweep of a post varies besides the learning rate: a choice of two texts, else minibatch discrimination."""
    choices = [flag for flag in contract.post(name).flags if isinstance(flag.kind, tuple) and flag.name != 'variant']
    return f'{choices[0].name}={",".join(choices[0].kind[:2])}' if choices else 'minibatch=true,false'


def refused(name: str) -> list[str]:
    """Words that no command of a post accepts: values out of range, empty ones and an unknown flag."""
    table = [*contract.post(name).flags, *COMMON]
    table = [flag for flag in table if flag.kind is not bool and flag.name != 'output_dir']
    positive = [flag for flag in table if flag.kind in (POSITIVE, FRACTION) or (flag.least is not None and flag.least >= 0)]
    return [f'--{flag.name}=-1' for flag in positive] + [f'--{flag.name}=' for flag in table] + ['--no_such_flag']


def commands(name: str, scratch: pathlib.Path) -> list[list[list[str]]]:
    """The words of a post's commands, after `python -m reproductions`, grouped by the process in which they run.

    <output>, <scratch> and <traces> stand for directories, see `run`.
    """
    short = [word.replace(str(scratch), '<scratch>') for word in contract.part(name, 'comparison').short(scratch)]
    differing = [[], *([word] for word in options(name)), REMEDIES]
    trainings = [[name, *short, *more, *runs, OUTPUT] for more in differing for runs in ([], ['--runs=3'])]
    swept = [word for word in short if not re.match('--(log|eval)_every', word)]
    swept += ['--num_steps=20', '--runs=2', '--vary=learning_rate=0.001,0.01', f'--vary={varied(name)}']
    trainings.append(['sweep', name, *swept, OUTPUT])
    quick = [[name, f'--replay=<traces>/{path.name}', OUTPUT] for path in sorted(TRACES.glob(f'{name}_*.npz'))]
    quick += [[name, *short, word, OUTPUT] for word in refused(name)]
    quick += [[name, '--help'], ['sweep', name, '--help']]
    count = -(-len(trainings) // AT_ONCE)
    return [quick, *(trainings[i::count] for i in range(count))]


# --- What a command gives -----------------------------------------------------------------------------------------------------


def replaced(text: str, pairs: Iterable[tuple[str, str]]) -> str:
    """A text in which the first of each pair is replaced by the second."""
    for old, new in pairs:
        text = text.replace(old, new)
    return text


def sum_of(path: pathlib.Path) -> str:
    """A file's sum; of an .npz file, that of its arrays with their names, types and shapes; '-' where only the name counts."""
    if path.is_dir() or path.name in ('config.json', 'files.json'):
        return '-'
    if path.suffix != '.npz':
        return hashlib.sha256(path.read_bytes()).hexdigest()
    total = hashlib.sha256()
    for name, array in sorted(files.read_npz(path).items()):
        total.update(f'{name} {array.dtype.str} {array.shape} '.encode() + array.tobytes())
    return total.hexdigest()


@contextlib.contextmanager
def worker(tree: pathlib.Path, scratch: pathlib.Path) -> Iterator[subprocess.Popen]:
    """A process that runs commands in a checkout until the block ends; see command_worker.py."""
    environment = os.environ | {'MPLBACKEND': 'Agg', 'MATPLOTLIBRC': os.devnull, 'PYTHONUTF8': '1'}
    environment['XDG_CACHE_HOME'] = str(scratch / f'cache of {tree.name}')  # of MNIST's classifier
    command = [sys.executable, checkout.ROOT / 'scripts' / 'command_worker.py']
    pipes = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE, 'encoding': 'utf-8'}
    with subprocess.Popen(command, cwd=tree, env=environment, **pipes) as process:
        yield process


def run(process: subprocess.Popen, words: list[str], tree: pathlib.Path, scratch: pathlib.Path) -> dict:
    """What a command gives: its exit status, {name: value} of config.json, {file: sum}, and lines of stdout and stderr."""
    with tempfile.TemporaryDirectory(dir=scratch) as output:
        places = {'<output>': output, '<traces>': str(TRACES), '<tree>': str(tree), '<scratch>': str(scratch)}
        process.stdin.write(json.dumps([replaced(word, places.items()) for word in words]) + '\n')
        process.stdin.flush()
        status, *texts = json.loads(process.stdout.readline() or '["ended", "", ""]')
        if status in ('ended', INTERRUPTED):
            raise RuntimeError(f'{" ".join(words)} did not end by itself')
        config = pathlib.Path(output, 'config.json')
        texts.append(config.read_text(encoding='utf-8') if config.exists() else '{}')
        stdout, stderr, config = (replaced(text, [(path, mark) for mark, path in places.items()]) for text in texts)
        config = json.loads(config) | {'versions': None}
        flags = config.pop('flags', {})
        return {
            'exit status': status,
            'config.json': config | (flags if isinstance(flags, dict) else {'flags': flags}),
            'files': {path.name: sum_of(path) for path in sorted(pathlib.Path(output).iterdir()) if path.name != LOCK},
            'stdout': stdout.splitlines(),
            'stderr': [line for line in stderr.splitlines() if TOLD.match(line)],
            'end of stderr': stderr[-2000:] if status else '',
        }


def run_group(group: list[list[str]], tree: pathlib.Path, scratch: pathlib.Path, bar: tqdm) -> dict[str, dict]:
    """{command: what it gives} of commands that run in one process."""
    given = {}
    with worker(tree, scratch) as process:
        for words in group:
            given[' '.join(words)] = run(process, words, tree, scratch)
            bar.update()
    return given


def run_all(jobs: list[tuple[pathlib.Path, list[list[str]]]], scratch: pathlib.Path) -> dict[pathlib.Path, dict[str, dict]]:
    """{checkout: {command: what it gives}} of groups of commands, each with the checkout in which they run."""
    given = {tree: {} for tree, _ in jobs}
    with (
        tqdm(total=sum(len(group) for _, group in jobs), unit='command') as bar,
        concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        for (tree, _), some in zip(jobs, pool.map(lambda job: run_group(job[1], job[0], scratch, bar), jobs), strict=True):
            given[tree] |= some
    return given


# --- The comparison -----------------------------------------------------------------------------------------------------------


def differences(there: dict, here: dict, command: str) -> list[str]:
    """Lines that say how what a command gives there differs from what it gives here; text is a unified diff."""
    lines = []
    if there['exit status'] != here['exit status']:
        lines.append(f'differs: exit status of {command}: {there["exit status"]} -> {here["exit status"]}')
        lines += [end for end in (there['end of stderr'], here['end of stderr']) if end]
    for kind in ('config.json', 'files'):
        before, now = ({name: str(value) for name, value in side[kind].items()} for side in (there, here))
        for name in before | now:
            old, new = before.get(name, 'none'), now.get(name, 'none')
            lines += [f'differs: {name} ({kind}) of {command}: {old} -> {new}'] if old != new else []
    for stream in ('stdout', 'stderr'):
        if there[stream] != here[stream]:
            lines.append(f'differs: {stream} of {command}')
            lines += difflib.unified_diff(there[stream], here[stream], 'there', 'here', lineterm='')
    return lines


def read_kept(path: pathlib.Path | None, revision: str) -> dict[str, dict]:
    """{command: what it gave} of a file of --keep, if it is of this revision."""
    kept = json.loads(path.read_text(encoding='utf-8')) if path and path.exists() else {}
    return kept['gave'] if kept.get('revision') == revision else {}


def both(revision: str, kept: dict[str, dict], groups: list, scratch: pathlib.Path) -> tuple[dict[str, dict], dict[str, dict]]:
    """{command: what it gives} in a commit, of which some is `kept`, and in this checkout."""
    tree, git = scratch / 'revision', ['git', '-C', str(checkout.ROOT), 'worktree']
    missing = [[words for words in group if ' '.join(words) not in kept] for group in groups]
    pairs = zip(missing, groups, strict=True)
    jobs = [job for there, here in pairs for job in ((tree, there), (checkout.ROOT, here)) if job[1]]
    subprocess.run([*git, 'add', '--quiet', '--detach', str(tree), revision], check=True)
    try:
        given = run_all(jobs, scratch)
    finally:
        subprocess.run([*git, 'remove', '--force', str(tree)], check=True)
    return kept | given.get(tree, {}), given[checkout.ROOT]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('revision', help='a commit, branch or tag, as git names it')
    parser.add_argument('--post', choices=contract.NAMES, help='only this post')
    parser.add_argument('--list', type=checkout.path, help='a CSV file for all sums')
    parser.add_argument('--keep', type=checkout.path, help='a JSON file for what the revision gives, read if it is of the same')
    args = parser.parse_args()
    git = ['git', '-C', str(checkout.ROOT), 'rev-parse', '--verify', f'{args.revision}^{{commit}}']
    named = subprocess.run(git, capture_output=True, text=True)
    if named.returncode:
        parser.error(f'{args.revision}: {named.stderr.strip().splitlines()[-1]}')
    revision = named.stdout.strip()
    with tempfile.TemporaryDirectory() as directory:
        scratch = pathlib.Path(directory)
        groups = [group for name in contract.NAMES if args.post in (None, name) for group in commands(name, scratch)]
        there, here = both(revision, read_kept(args.keep, revision), [GENERAL, *groups], scratch)
    if args.keep:
        files.write_json(args.keep, {'revision': revision, 'gave': there})
    if args.list:
        rows = [
            (command, file, there[command]['files'].get(file, ''), given['files'].get(file, ''))
            for command, given in here.items()
            for file in there[command]['files'] | given['files']
        ]
        with files.replacing(args.list) as path, open(path, 'w', newline='', encoding='utf-8') as file:
            csv.writer(file).writerows([('command', 'file', args.revision, 'this checkout'), *rows])
    different = [lines for command in here if (lines := differences(there[command], here[command], command))]
    for lines in different:
        print('\n'.join(lines))
    print(f'{len(here) - len(different)} of {len(here)} commands give the same')
    return int(bool(different))


if __name__ == '__main__':
    sys.exit(main())
