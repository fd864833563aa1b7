"""The figures of the MNIST post: sample grids, and the stages of training that they show."""

import numpy as np

from reproductions.mnist import figures as mnist_figures


def test_sample_grids_are_tiled_row_by_row_in_dark_ink():
    images = np.zeros((3, 784), np.uint8)
    images[1, 0] = 200
    grid = mnist_figures.tiled(images, 2)
    assert grid.shape == (58, 58) and grid[0, 30] == 55 and grid[0, 0] == 255
    assert (grid < 255).sum() == 1


def test_stages_include_both_ends():
    for steps in (np.arange(0, 50_001, 425), np.array([0, 1]), np.array([0])):
        shown = mnist_figures.stages(steps)
        assert shown[0] == 0 and shown[-1] == len(steps) - 1 and len(shown) <= mnist_figures.STAGES
