"""What a run leaves in its directory, so that the next run there can remove what it does not write itself.

files.json lists the files that the suite wrote there, with size and time. Nothing else is ever removed: not what the
user put there, nor what the user changed since, nor checkpoints, nor the files of --claims and --replay.
"""

import json
import pathlib

from common.storage import files, locks

LISTING = 'files.json'

Snapshot = dict[str, list[int]]  # {name: [size in bytes, time of the last change in nanoseconds, inode]}


def snapshot(directory: pathlib.Path) -> Snapshot:
    """The files directly in a directory; none if it does not exist."""
    if not directory.is_dir():
        return {}
    found = {}
    for path in directory.iterdir():
        if path.is_file() and not path.is_symlink() and path.name not in (LISTING, locks.NAME):
            seen = path.stat()
            found[path.name] = [seen.st_size, seen.st_mtime_ns, seen.st_ino]
    return found


def settle(directory: pathlib.Path, before: Snapshot, resumed: bool) -> None:
    """Removes what an earlier run wrote and this one did not, and lists what the suite has written.

    Args:
      directory: of the run.
      before: its `snapshot` as this run began.
      resumed: whether this run goes on with the earlier one, whose files are then its own and stay.

    Raises:
      files.CannotWrite: a file cannot be removed, or the list cannot be written.
    """
    now, listed = snapshot(directory), _listed(directory)
    written = {name: seen for name, seen in now.items() if before.get(name) != seen}
    earlier = {name: seen for name, seen in now.items() if name not in written and listed.get(name) == seen}
    if not resumed:
        for name in earlier:
            with files.writing(directory / name):
                (directory / name).unlink()
        earlier = {}
    files.write_json(directory / LISTING, earlier | written)


def _listed(directory):
    """The last run's list; empty if there is none that can be read."""
    try:
        listed = json.loads((directory / LISTING).read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return {}
    return listed if isinstance(listed, dict) else {}
