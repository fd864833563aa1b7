"""The software versions that the numbers of a run may depend on."""

import importlib.metadata
import pathlib
import platform
import subprocess

import numpy as np

import common


def versions() -> dict[str, str | None]:
    """{name: version} of Python, the libraries, and the suite's git revision (None if unknown)."""
    return {
        'python': platform.python_version(),
        'tensorflow': importlib.metadata.version('tensorflow'),
        'keras': importlib.metadata.version('keras'),
        'numpy': np.__version__,
        'git_revision': git_revision(pathlib.Path(common.__file__).parent.parent),
    }


def git_revision(root: pathlib.Path) -> str | None:
    """`git describe` of a checkout at `root`, None if there is none. A checkout around it, such as a user's, does not count."""
    if not (root / '.git').exists():
        return None
    command = ['git', 'describe', '--always', '--dirty']
    try:
        git = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return git.stdout.strip()
