"""A generative adversarial network of plain layers on MNIST (2017): 784 pixels, no convolution.

The post:     its address is not recorded here; its listing is all of this program that was published
Its program:  https://github.com/austinpgraham/Recommendations-GAN (the author's repository: a related program)

The generator maps 100 noise values to 784 pixels through hidden layers of 200 and 500 units; the discriminator has the reverse
shape. They are trained for 500,000 iterations. The post shows a sample grid of digits; here the digits are also evaluated in
numbers, by a classifier trained on real digits.

  python -m reproductions.mnist                           as in the post: 500,000 iterations
  python -m reproductions.mnist --num_steps=20000         fewer iterations
  python -m reproductions.mnist --runs=8                  eight seeds at once, to see how often training collapses
  python -m reproductions.mnist --data=bundled            on 8,000 bundled digits, without a download
  python -m reproductions.mnist --learning_rate=0.0002 --beta1=0.5    gentler training of the same networks
  python -m reproductions.mnist --animation               also animates the training as a GIF
  python -m reproductions.mnist --resume                  resumes after Ctrl-C
  python -m reproductions.mnist --replay=TRACE.npz        compares step by step with a recorded run of the post's listing
  python -m reproductions.mnist --claims                  measures the post's claims over 8 seeds x 50,000 iterations

Output files, in --output_dir: config.json, results.csv (one row per seed), references.json, history.npz, figures, checkpoint/.
"""
