"""Large ensembles are trained in groups of runs that fit a CPU's caches."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf


def in_groups(advance: Callable, names: Callable, group: int) -> Callable:
    """Wraps `advance` of `compile_loop` so that it trains groups of at most `group` runs, one group after the other.

    The intermediate values of an iteration take some 90 kB per run (Aylien), so thousands of runs at once overflow the CPU
    caches (`benchmark.py scaling`). A GPU gets all runs at once (not measured). `names`: (seeds, state) -> the records' names.
    """

    def grouped(seeds, state, until):
        runs = tf.nest.flatten(seeds)[0].shape[0]
        groups = 1 if tf.config.list_logical_devices('GPU') else max(1, -(-runs // group))
        if groups == 1:
            return advance(seeds, state, until)
        size = -(-runs // groups)
        rows = np.minimum(np.arange(groups * size), runs - 1)  # the last group is padded with the last run

        def cut(value):
            filled = value if len(rows) == runs else tf.gather(value, rows)
            return tf.reshape(filled, [groups, size, *value.shape[1:]])

        def joined(value):
            return tf.reshape(value, [groups * size, *value.shape[2:]])[:runs]

        def advance_group(parts):
            some, *own = parts
            own = iter(own)
            whole = [next(own) if of_runs else leaf for leaf, of_runs in zip(leaves, by_run, strict=True)]
            after, records = advance(some, tf.nest.pack_sequence_as(state, whole), until)
            return tf.nest.flatten(after), {name: tf.transpose(values) for name, values in records.items()}

        leaves = tf.nest.flatten(state)
        by_run = [leaf.shape.rank > 0 for leaf in leaves]  # all but the step counters
        parts = [tf.nest.map_structure(cut, seeds)]
        parts += [cut(leaf) for leaf, of_runs in zip(leaves, by_run, strict=True) if of_runs]
        after, records = tf.map_fn(
            advance_group,
            parts,
            fn_output_signature=(
                [
                    tf.TensorSpec([size, *leaf.shape[1:]] if of_runs else [], leaf.dtype)
                    for leaf, of_runs in zip(leaves, by_run, strict=True)
                ],
                {name: tf.TensorSpec([size, until.shape[0]]) for name in names(seeds, state)},
            ),
        )
        after = [joined(value) if of_runs else value[0] for value, of_runs in zip(after, by_run, strict=True)]
        return tf.nest.pack_sequence_as(state, after), {name: tf.transpose(joined(values)) for name, values in records.items()}

    return grouped
