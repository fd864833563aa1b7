"""Dev Nag, "Generative Adversarial Networks (GANs) in 50 lines of code (PyTorch)" (2017): a GAN learns N(4, 1.25).

The post:     https://medium.com/@devnag/generative-adversarial-networks-gans-in-50-lines-of-code-pytorch-e81b79659e3f
Its program:  https://github.com/devnag/pytorch-generative-adversarial-networks

D sees a whole batch at once, through its first four moments, and makes one decision about it. A round is 20 updates of D, then
20 of G. The post's run of 5,000 rounds nearly recovers N(4, 1.25), as do eight of the ten runs it shows.

  python -m reproductions.devnag                          as in the post: 5,000 rounds, losses and figures
  python -m reproductions.devnag --runs=10                the post's ten runs, in a grid
  python -m reproductions.devnag --runs=200               200 seeds at once, with quantile bands
  python -m reproductions.devnag --preprocess=raw         other inputs for D: raw, variances, diffs
  python -m reproductions.devnag --variant=2017-02        the program as first published (ELU, Adam)
  python -m reproductions.devnag --animation              also animates the training as a GIF
  python -m reproductions.devnag --replay=TRACE.npz       compares update by update with a recorded run of the author's program
  python -m reproductions.devnag --claims --runs=200      measures the post's claims

Output files, in --output_dir: config.json, results.csv (one row per seed), history.npz, figure.png, checkpoint/.
"""
