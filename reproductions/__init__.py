"""Faithful TensorFlow 2 reproductions of the classic GAN tutorials, one folder per post."""

import common  # noqa: F401  first of all, so that TensorFlow is imported without its chatter
