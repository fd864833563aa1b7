"""Runs commands of a checkout in one process, in which TensorFlow is imported once: the worker of `compare_revisions.py`.

Start it with the checkout, which may be one of another revision, as the directory it runs in. Each line of stdin is a JSON list
of the words after `python -m reproductions`; it answers each with a line of JSON: the exit status, stdout and stderr.
"""

import json
import os
import sys
import tempfile
import traceback

sys.path[0] = os.getcwd()

from common import quiet  # noqa: E402
from common.program import cli  # noqa: E402
from reproductions.__main__ import main  # noqa: E402


def status_of(words):
    """The exit status of a command, or the name of an exception that its user would see."""
    try:
        return cli.call(main, ['reproductions', *words])
    except SystemExit as leaving:
        return leaving.code or 0
    except Exception as error:
        traceback.print_exc()
        return type(error).__name__


def run(words):
    """(exit status, stdout, stderr) of a command. What libraries write to the descriptors is in them, too."""
    with tempfile.TemporaryFile('w+', encoding='utf-8') as out, tempfile.TemporaryFile('w+', encoding='utf-8') as errors:
        os.dup2(out.fileno(), 1)
        os.dup2(errors.fileno(), 2)
        status = status_of(words)
        sys.stdout.flush()
        sys.stderr.flush()
        out.seek(0)
        errors.seek(0)
        return status, out.read(), errors.read()


if __name__ == '__main__':
    answers = os.fdopen(os.dup(1), 'w', encoding='utf-8')
    quiet.import_tensorflow()
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), file=answers, flush=True)
