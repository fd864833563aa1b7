"""Imports TensorFlow without its start-up log messages.

Messages unrelated to the user's program (no CUDA driver, oneDNN in use, ...) are dropped; everything else that TensorFlow
writes is passed on, by a process of its own: so it also arrives if TensorFlow ends this process, on a processor that it was not
built for, for example. Commands call `import_tensorflow` only after they have checked their flags: the import takes seconds.

As a program, it passes on what it reads from stdin.
"""

import contextlib
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import BinaryIO

_CHATTER = re.compile(
    rb'All log messages before absl::InitializeLog|oneDNN custom operations are on|Could not find cuda drivers'
    rb'|failed call to cuInit|Unable to register cu|TF-TRT Warning|This TensorFlow binary is optimized'
    rb'|To enable the following instructions'
)
KERAS = {  # the environment in which Keras is imported
    'KERAS_BACKEND': 'tensorflow',
    'KERAS_HOME': os.path.join(os.devnull, 'keras'),  # where there can be no keras.json, nor can one be written
    'KERAS_MAX_EPOCHS': None,
    'KERAS_MAX_STEPS_PER_EPOCH': None,
    'TF_USE_LEGACY_KERAS': None,
}


def import_tensorflow() -> None:
    """Imports TensorFlow, and Keras with it, and initializes its device drivers without their chatter.

    A second call does nothing. Keras is imported with its own defaults: neither ~/.keras/keras.json nor the environment chooses
    another back end or other numbers.
    """
    if 'tensorflow' in sys.modules:
        return
    from common.program import interrupts

    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '1')  # no INFO; warnings and errors stay
    with interrupts.importing(), filtered_stderr(), _environment(KERAS):
        import tensorflow

        tensorflow.keras.layers  # noqa: B018  TensorFlow chooses its Keras at the first use
        tensorflow.config.list_physical_devices()  # the CUDA driver is looked for here, not at import
    # A warning that does not apply: a replica's eager call is one compiled loop.
    logging.getLogger('tensorflow').addFilter(lambda record: 'MirroredStrategy eagerly' not in record.getMessage())


@contextlib.contextmanager
def _environment(variables):
    """Inside the block environment variables have these values, or are unset where the value is None."""
    before = {name: os.environ.get(name) for name in variables}

    def assign(values):
        for name, value in values.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value

    assign(variables)
    try:
        yield
    finally:
        assign(before)


@contextlib.contextmanager
def filtered_stderr() -> Iterator[None]:
    """Inside the block descriptor 2 leads to a process that passes on what is not chatter, until the last writer has closed it.

    Where no process can be started, nothing is filtered.
    """
    _flush()
    command = [sys.executable, '-I', '-S', __file__]
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=2)
    except OSError:
        yield
        return
    stderr = os.dup(2)
    os.dup2(process.stdin.fileno(), 2)
    process.stdin.close()
    try:
        yield
    finally:
        _flush()
        os.dup2(stderr, 2)
        os.close(stderr)
        with contextlib.suppress(subprocess.TimeoutExpired):  # something that was started inside the block still writes
            process.wait(5)


def _flush():
    if sys.stderr is not None:
        sys.stderr.flush()


def pass_on(lines: Iterable[bytes], out: BinaryIO) -> None:
    """Writes the lines that are not chatter, each at once."""
    for line in lines:
        if not _CHATTER.search(line):
            out.write(line)
            out.flush()


if __name__ == '__main__':
    for _number in (signal.SIGINT, signal.SIGTERM, getattr(signal, 'SIGHUP', signal.SIGTERM)):
        signal.signal(_number, signal.SIG_IGN)  # it ends when the last writer does
    pass_on(sys.stdin.buffer, sys.stdout.buffer)
