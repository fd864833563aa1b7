"""Imports TensorFlow without its start-up log messages.

Messages unrelated to the user's program (no CUDA driver, oneDNN in use, ...) are dropped; everything else that TensorFlow
writes is passed on. Commands call `import_tensorflow` only after they have checked their flags: the import takes seconds.
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
    """Imports TensorFlow and initializes its device drivers with stderr buffered, then passes on what is worth reading.

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
    # Drops two warnings that do not apply. TensorFlow counts retracing per source line, but each experiment compiles its own
    # function from the same line (a test shows that a second call does not retrace). A replica's eager call is one compiled
    # loop.
    logging.getLogger('tensorflow').addFilter(
        lambda record: not re.search('triggered tf.function retracing|MirroredStrategy eagerly', record.getMessage())
    )
