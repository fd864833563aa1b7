"""Aylien, "An introduction to Generative Adversarial Networks (with code in TensorFlow)" (2016): a GAN learns N(4, 0.5).

The post:     https://blog.aylien.com/introduction-generative-adversarial-networks-code-tensorflow
Its program:  https://github.com/AYLIEN/gan-intro

A tiny generator is trained against a deeper and wider discriminator. Without minibatch discrimination the generated
distribution approaches the data and then narrows towards its mean; with it, most of the width remains.

  python -m reproductions.aylien                          as in the post: 1,200 steps, losses and figure
  python -m reproductions.aylien --minibatch              with minibatch discrimination
  python -m reproductions.aylien --runs=1000              a thousand seeds at once
  python -m reproductions.aylien --variant=2017-06        the program of 2017 (relu, Adam)
  python -m reproductions.aylien --animation              also animates the training as a GIF
  python -m reproductions.aylien --replay=TRACE.npz       compares step by step with a recorded run of the authors' program
  python -m reproductions.aylien --claims --runs=500      measures the post's claims

Output files, in --output_dir: config.json, results.csv (one row per seed), history.npz, figure.png, checkpoint/.
"""
