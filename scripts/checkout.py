"""Imported first by the scripts, so that they run the code of their own checkout and not an installed copy."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from common import quiet  # noqa: E402

quiet.import_tensorflow()


def path(text: str) -> pathlib.Path:
    """A path of a command line, in which ~ is the user's home directory."""
    return pathlib.Path(text).expanduser()
