"""Aylien, "An introduction to Generative Adversarial Networks (with code in TensorFlow)" (2016): a GAN learns N(4, 0.5).

The post trains a tiny generator against a deeper and wider discriminator. Without minibatch discrimination the generated
distribution comes close to the data and then narrows onto its mean; with it most of the width stays.

  python -m reproductions.aylien                          the post: 1,200 steps, its losses, its figure
  python -m reproductions.aylien --minibatch              with minibatch discrimination
  python -m reproductions.aylien --runs=1000              a thousand seeds at once
  python -m reproductions.aylien --variant=2017-06        as the program was in 2017 (relu, Adam)
  python -m reproductions.aylien --animation              also the training as a GIF
  python -m reproductions.aylien --replay=TRACE.npz       step by step against a recorded run of the authors' program
  python -m reproductions.aylien --claims --runs=500      the post's claims, measured

Files go to --output_dir: config.json, results.csv (a row a seed), history.npz, figure.png, checkpoint/.
"""
