"""Setup for all tests: three logical CPU devices, made before TensorFlow's first op, and the profile of `hypothesis`."""

import os

import hypothesis
import pytest

if 'PYTEST_XDIST_WORKER' in os.environ:  # processes that share the cores are 1.3 times as fast with one thread each as with two
    os.environ.setdefault('TF_NUM_INTRAOP_THREADS', '1')

from common import quiet

quiet.import_tensorflow()

from common.devices import distribution  # noqa: E402

pytest.register_assert_rewrite('helpers')

distribution.make_strategy('cpu', 1, logical_devices=3)

# The same 500 examples in every run, without a deadline; nothing is stored between runs.
hypothesis.settings.register_profile(
    'suite', derandomize=True, database=None, max_examples=500, deadline=None, print_blob=False,
    suppress_health_check=list(hypothesis.HealthCheck),
)  # fmt: skip
hypothesis.settings.load_profile('suite')
