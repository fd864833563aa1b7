"""Imported first by the scripts: they run the code of the checkout they are in, whatever is installed."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from common import quiet  # noqa: E402

quiet.import_tensorflow()
