"""A generative adversarial network of plain layers on MNIST (2017): 784 pixels, no convolution.

The generator takes 100 numbers of noise to 784 pixels through 200 and 500 units, the discriminator goes the other way. Both
play for 500,000 iterations. The post shows a sheet of digits; here they are also judged in numbers, by a classifier trained on
real digits.

  python -m reproductions.mnist                           the post: 500,000 iterations
  python -m reproductions.mnist --num_steps=20000         fewer
  python -m reproductions.mnist --runs=8                  eight seeds at once, for how often training collapses
  python -m reproductions.mnist --data=bundled            on 8,000 bundled digits, without the network
  python -m reproductions.mnist --learning_rate=0.0002 --beta1=0.5    a gentler training of the same networks
  python -m reproductions.mnist --animation               also the training as a GIF
  python -m reproductions.mnist --resume                  goes on where Ctrl-C stopped
  python -m reproductions.mnist --replay=TRACE.npz        step by step against a recorded run of the post's listing
  python -m reproductions.mnist --claims                  the post's claims, measured over 8 seeds x 50,000 iterations

Files go to --output_dir: config.json, results.csv (a row a seed), references.json, history.npz, the figures, checkpoint/.
"""
