"""What the numbers of a run may depend on: Python, the libraries, and the revision of the suite."""

import importlib.metadata
import pathlib
import platform
import subprocess

import numpy as np

import common


def versions():
    """What the numbers may depend on: Python, libraries, and the suite's git revision where known."""
    return {
        'python': platform.python_version(),
        'tensorflow': importlib.metadata.version('tensorflow'),
        'keras': importlib.metadata.version('keras'),
        'numpy': np.__version__,
        'git_revision': git_revision(pathlib.Path(common.__file__).parent.parent),
    }


def git_revision(root):
    """`git describe` of a checkout at `root`, or None where there is none; one around it, say a user's own, is not it."""
    if not (root / '.git').exists():
        return None
    command = ['git', 'describe', '--always', '--dirty']
    try:
        git = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return git.stdout.strip()
