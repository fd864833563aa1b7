"""Interested in Tech, "Generative Adversarial Networks" (2017): Aylien's GAN on one, two, three and more Gaussian modes.

The post:     https://interestedintech.wordpress.com/2017/04/03/generative-adversarial-networks
Its program:  none was published; it starts from Aylien's, https://github.com/AYLIEN/gan-intro

The post keeps Aylien's discriminator and widens the generator: hidden layers of h, 2h and 3h units for one, two and three
modes. It showed its data and generator only as images, which are lost, so most numbers below are our choices. For each,
docs/multimodal.md gives what the post states, why we chose it, and how it affects the results.

  python -m reproductions.multimodal --modes=3            three modes, hidden layers of 3h units, 5,000 steps
  python -m reproductions.multimodal --modes=3 --runs=1000             a thousand seeds at once
  python -m reproductions.multimodal --modes=1 --layers=2              with one generator layer removed
  python -m reproductions.multimodal --modes=3 --hidden_sizes=12,8,8   with the last two layers narrowed to 2h
  python -m reproductions.multimodal --modes=3 --hidden_sizes=4 --activation=softplus   Aylien's own generator
  python -m reproductions.multimodal --means=-5,1,4 --deviations=0.5,0.2,0.7           other modes
  python -m reproductions.multimodal --modes=3 --animation             also animates the training as a GIF
  python -m reproductions.multimodal --claims --runs=200               measures the post's claims

Output files, in --output_dir: config.json, results.csv (one row per seed), history.npz, figure.png, checkpoint/.
"""
