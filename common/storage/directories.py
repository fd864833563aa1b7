"""A directory of results: what the suite wrote there, and whose it is.

files.json names the kind of the command (a training, a sweep), what determines its numbers, and its files with the sums of
their contents. So whoever reads a file there recognizes one of another command, and a command removes what an earlier one left.
Nothing else is ever removed: not what the user put there or changed since, nor the files of --claims and --replay.
"""

import contextlib
import hashlib
import json
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import filelock

from common.storage import files

LISTING, LOCK, CHECKPOINTS = 'files.json', '.lock', 'checkpoint'


class Taken(Exception):
    """Another command writes to the directory."""


class Held(NamedTuple):
    """A directory in which this command alone writes."""

    path: pathlib.Path
    kind: str  # 'training', 'sweep', ...
    before: Mapping[str, tuple[int, ...]]  # its files as the command began, see `_seen`


class Contents(NamedTuple):
    """What files.json says."""

    kind: str  # '' if the directory has no such list
    identity: Mapping[str, Any]  # what determines the numbers: post, settings, seeds, steps, data set
    files: Mapping[str, str]  # {name: sum of its contents}


@contextlib.contextmanager
def held(path: pathlib.Path, kind: str) -> Iterator[Held]:
    """Creates a directory and locks it until the block ends, or the process, however that happens.

    It removes what a killed command was writing. Raises Taken, or OSError if the directory cannot be written to.
    """
    files.prepare_directory(path)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(filelock.FileLock(path / LOCK, timeout=0))
        except filelock.Timeout as error:
            raise Taken from error
        except NotImplementedError:  # this file system has no locks
            pass
        for folder in (path, path / CHECKPOINTS):
            files.remove_partial(folder)
        yield Held(path, kind, _seen(path))


def settle(directory: Held, identity: Mapping[str, Any], goes_on: bool = False) -> None:
    """Makes a directory that of this command: removes what an earlier one left, and lists what this one has written so far.

    It is called when a first file has been written, so that a command that fails at once has removed nothing, and at the end.

    Args:
      directory: of the command.
      identity: {name: value}, what determines its numbers, as JSON gives it back.
      goes_on: whether it goes on with the earlier one of this kind, whose files are then its own and stay.

    Raises:
      files.CannotWrite: a file cannot be removed, or the list cannot be written.
    """
    path, kept = directory.path, {}
    kind, _, earlier = read(path)
    goes_on &= kind == directory.kind
    for name, seen in _seen(path).items():
        own, of_earlier = directory.before.get(name) != seen, _same(path, name, earlier)
        if own or (goes_on and of_earlier and not name.endswith('.html')):  # a page about it was made of fewer steps
            kept[name] = _sum(path / name)
        elif of_earlier:
            with files.writing(path / name):
                (path / name).unlink()
    files.write_json(path / LISTING, {'kind': directory.kind, 'identity': identity, 'files': kept})


def add(path: pathlib.Path, name: str) -> None:
    """Lists one more file of a directory's command, if it has a list. Raises files.CannotWrite."""
    contents = read(path)
    if contents.kind:
        files.write_json(path / LISTING, contents._replace(files={**contents.files, name: _sum(path / name)})._asdict())


def read(path: pathlib.Path) -> Contents:
    """What a directory holds, according to its files.json; of no kind if it has none, or one of an earlier version."""
    try:
        listed = json.loads((path / LISTING).read_text(encoding='utf-8'))
        return Contents(str(listed['kind']), dict(listed['identity']), dict(listed['files']))
    except (OSError, ValueError, KeyError, TypeError):
        return Contents('', {}, {})


def names(path: pathlib.Path) -> list[str]:
    """The files of the command that has written a directory; of one of an earlier version all that are there."""
    return sorted(name for name in read(path).files or _seen(path) if (path / name).exists())


def file(path: pathlib.Path, name: str) -> pathlib.Path:
    """A file of the command that has written a directory. Raises ValueError if it is another's, or was changed since."""
    contents = read(path)
    if contents.kind and (path / name).exists() and not _same(path, name, contents.files):
        raise ValueError(f'{path / name} is not as the {contents.kind} in this directory wrote it')
    return path / name


def _same(path, name, listed):
    """Whether a file is as it was listed. Checkpoints are listed by name alone: their contents say whose they are."""
    return name in listed and listed[name] == _sum(path / name)


def _sum(path):
    if path.parent.name == CHECKPOINTS:
        return ''
    with open(path, 'rb') as opened:
        return hashlib.file_digest(opened, 'sha256').hexdigest()


def _seen(path):
    """{name: (size in bytes, time of the last change in nanoseconds, inode)} of the files and checkpoints of a directory."""
    found = {}
    for each in [*path.iterdir(), *path.glob(f'{CHECKPOINTS}/state*.npz')]:
        if each.is_file() and not each.is_symlink() and each.name not in (LISTING, LOCK):
            status = each.stat()
            found[each.relative_to(path).as_posix()] = (status.st_size, status.st_mtime_ns, status.st_ino)
    return found
