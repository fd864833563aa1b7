"""Importing TensorFlow without its start-up chatter.

Lines that say nothing about the user's program (no CUDA driver, oneDNN in use, ...) are dropped; everything else that
TensorFlow writes is passed on. Commands call
`import_tensorflow` once their flags are known to make sense: the import takes seconds.
"""

import logging
import os
import re
import sys
import tempfile

_CHATTER = re.compile(
    rb'All log messages before absl::InitializeLog|oneDNN custom operations are on|Could not find cuda drivers'
    rb'|failed call to cuInit|Unable to register cu|TF-TRT Warning|This TensorFlow binary is optimized'
    rb'|To enable the following instructions'
)


def import_tensorflow() -> None:
    """Imports TensorFlow and wakes its devices' drivers with file descriptor 2 held back, then passes on what is no chatter.

    A second call does nothing.
    """
    if 'tensorflow' in sys.modules:
        return
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '1')  # no INFO; warnings and errors stay
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            import tensorflow

            tensorflow.config.list_physical_devices()  # the CUDA driver is looked for here, not at import
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            for line in held:
                if not _CHATTER.search(line):
                    os.write(2, line)
    # Two warnings that cannot be true here. Retracings are counted per line of source, and each experiment compiles a function
    # of its own from the same line (a test shows that a second call does not retrace). A replica's eager call is one compiled
    # loop.
    logging.getLogger('tensorflow').addFilter(
        lambda record: not re.search('triggered tf.function retracing|MirroredStrategy eagerly', record.getMessage())
    )
