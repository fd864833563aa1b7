"""A generative adversarial network of plain layers on MNIST (2017): 784 pixels, no convolution.

The post:     its address is not recorded here
Its program:  https://github.com/austinpgraham/Recommendations-GAN (the author's repository)

The post lists a generator of 100-200-500-784 units and a discriminator of the reverse shape, trained for 500,000 iterations,
and shows a sample grid of digits. The listing collapses: every noise vector gives the same blot. The author's own programs of
2018 have one hidden layer of 128 units and are given the label of the digit; they draw digits, and probably drew the post's.
The digits are evaluated in numbers, by a classifier trained on real digits.

  python -m reproductions.mnist                           the post's listing: 500,000 iterations, and a blot
  python -m reproductions.mnist --variant=2018-06 --num_steps=50000    readable digits in some minutes, ten rows from 0 to 9
  python -m reproductions.mnist --variant=2018-06 --runs=8    eight seeds at once
  python -m reproductions.mnist --data=bundled            on 8,000 bundled digits, without a download
  python -m reproductions.mnist --learning_rate=0.0002 --beta1=0.5    the listing, trained more gently
  python -m reproductions.mnist --variant=2018-06 --export=DIR    a SavedModel: generate(z, label) and sample(n, seed, label)
  python -m reproductions.mnist --animation               also animates the training as a GIF
  python -m reproductions.mnist --resume                  resumes after Ctrl-C
  python -m reproductions.mnist --replay=TRACE.npz        compares step by step with a recorded run of any variant
  python -m reproductions.mnist --claims                  measures the post's claims over 8 seeds x 50,000 iterations

Output files, in --output_dir: config.json, results.csv (one row per seed), references.json, history.npz, figures, checkpoint/.
"""
