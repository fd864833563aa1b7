"""Dev Nag, "Generative Adversarial Networks (GANs) in 50 lines of code (PyTorch)" (2017): a GAN learns N(4, 1.25).

D is given a whole batch at once, by way of its first four moments, and gives one decision. A round is 20 updates of D and then
20 of G. The post's run of 5,000 rounds ends with N(4, 1.25) nearly recovered, and so do eight of its ten runs.

  python -m reproductions.devnag                          the post: 5,000 rounds, their losses, the figures
  python -m reproductions.devnag --runs=10                the post's ten runs, in a grid
  python -m reproductions.devnag --runs=200               two hundred at once, with bands over seeds
  python -m reproductions.devnag --preprocess=raw         what else D can be given: raw, variances, diffs
  python -m reproductions.devnag --variant=2017-02        the program as it first appeared (ELU, Adam)
  python -m reproductions.devnag --animation              also the training as a GIF
  python -m reproductions.devnag --replay=TRACE.npz       update by update against a recorded run of the author's program
  python -m reproductions.devnag --claims --runs=200      the post's claims, measured

Files go to --output_dir: config.json, results.csv (a row a seed), history.npz, figure.png, checkpoint/.
"""
