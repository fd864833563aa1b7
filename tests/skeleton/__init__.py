"""Four Gaussians: a GAN learns the corners of a square. A skeleton to copy from; say here what the post says, and where.

  python -m reproductions.corners                  one seed, its losses and figure
  python -m reproductions.corners --runs=100       a hundred seeds at once

Output files, in --output_dir: config.json, results.csv (one row per seed), history.npz, figure.png, checkpoint/.
"""
