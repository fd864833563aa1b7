"""Functions compiled by XLA."""

from collections.abc import Callable

import tensorflow as tf


def compiled(function: Callable) -> Callable:
    """The function as one XLA program.

    TensorFlow counts retracing by source line and would warn of it after a few experiments, each of which compiles a function
    of its own from the same line, once.
    """
    made = tf.function(function, jit_compile=True, autograph=False)
    made._omit_frequent_tracing_warning = True
    return made
