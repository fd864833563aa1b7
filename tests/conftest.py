"""Two logical CPU devices for the tests of distribution; they must be set before TensorFlow's first op."""

from common import distribution

distribution.make_strategy('cpu', 1, logical_devices=2)
