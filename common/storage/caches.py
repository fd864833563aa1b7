"""Directories of the user's home that keep what is slow to get again. All of them are optional."""

import os
import pathlib

from common.storage import files


def directory(variable: str, *default: str) -> pathlib.Path | None:
    """The directory that an environment variable names, else `default` under the home directory, else None.

    There may be no home directory: HOME is unset, and the user is not in the password file, as in many containers.
    """
    named = os.environ.get(variable)
    if named:
        return pathlib.Path(named)
    try:
        return pathlib.Path.home().joinpath(*default)
    except RuntimeError:
        return None


def problem(path: pathlib.Path | None) -> str:
    """Why nothing can be kept in a directory, which is created if necessary; '' if it can."""
    if path is None:
        return 'there is no home directory'
    try:
        files.prepare_directory(path)
    except OSError as error:
        return f'{path}: {error.strerror}'
    return ''
