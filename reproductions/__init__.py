"""Faithful TensorFlow 2 reproductions of the classic GAN tutorials, one folder per post."""
