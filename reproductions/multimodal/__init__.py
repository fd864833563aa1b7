"""Interested in Tech, "Generative Adversarial Networks" (2017): Aylien's GAN on one, two, three and more Gaussian modes.

The post keeps Aylien's discriminator and makes the generator wider: hidden layers of h, 2h and 3h units for one, two and three
modes. Its data and its generator were shown as pictures that are lost, so most numbers below are choices: docs/multimodal.md
says of each what the post states, why it was chosen, and what changes with it.

  python -m reproductions.multimodal --modes=3            three modes, hidden layers of 3h, 5,000 steps
  python -m reproductions.multimodal --modes=3 --runs=1000             a thousand seeds at once
  python -m reproductions.multimodal --modes=1 --layers=2              with one generator layer removed
  python -m reproductions.multimodal --modes=3 --hidden_sizes=12,8,8   with the last two layers narrowed to 2h
  python -m reproductions.multimodal --modes=3 --hidden_sizes=4 --activation=softplus   Aylien's own generator
  python -m reproductions.multimodal --means=-5,1,4 --deviations=0.5,0.2,0.7           other modes
  python -m reproductions.multimodal --modes=3 --animation             also the training as a GIF
  python -m reproductions.multimodal --claims --runs=500               the post's claims, measured

Files go to --output_dir: config.json, results.csv (a row a seed), history.npz, figure.png, checkpoint/.
"""
