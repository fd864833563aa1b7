"""The checkout, the recorded runs in it, and a browser."""

import pathlib
import shutil

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / 'tests' / 'data'
CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which('google-chrome')  # or None


def trace_of(post):
    """The smallest recorded run that a post replays; the multi-modal post has none of its own and replays Aylien's."""
    traces = [*DATA.glob(f'{post}_*.npz')] or [DATA / 'aylien_2016-12_plain_seed4.npz']
    return min(traces, key=lambda path: (path.stat().st_size, path.name))
