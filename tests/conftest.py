"""Three logical CPU devices for the tests of distribution; they must be set before TensorFlow's first op."""

import pytest

from common import distribution

pytest.register_assert_rewrite('tests.post_checks', 'post_checks')

distribution.make_strategy('cpu', 1, logical_devices=3)
