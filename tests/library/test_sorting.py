"""The sorting network against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from common.nn import sorting


@pytest.mark.parametrize('count', [1, 2, 3, 8, 40, 200])
def test_equals_numpys_sort(count):
    x = np.random.default_rng(count).normal(size=(3, 2, count)).astype(np.float32).round(1)  # with ties
    compiled = tf.function(sorting.ascending, jit_compile=True, autograph=False)
    for function in (sorting.ascending, compiled):
        np.testing.assert_array_equal(function(tf.constant(x)), np.sort(x, axis=-1))
