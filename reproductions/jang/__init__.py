"""Eric Jang, "Generative Adversarial Nets in TensorFlow (Part I)" (2015, 2016): a GAN learns N(-1, 1).

Generator and discriminator are two tiny networks of one shape. D is first fitted to the data's density by least squares; then
both play, on real samples and noise that are sorted and stratified so that they line up.

  python -m reproductions.jang                            the post: pre-training, 10,000 iterations, its seven figures
  python -m reproductions.jang --runs=1000                a thousand seeds at once
  python -m reproductions.jang --nosort --nostratify      independent noise, which the post says fails
  python -m reproductions.jang --pretrain_steps=0         without pre-training
  python -m reproductions.jang --variant=2015-12          as first published: batches of 1,000, real samples unsorted
  python -m reproductions.jang --animation                also the training as a GIF
  python -m reproductions.jang --replay=TRACE.npz         step by step against a recorded run of the author's program
  python -m reproductions.jang --claims --runs=200        the post's claims, measured

Files go to --output_dir: config.json, results.csv (a row a seed), history.npz, the figures, checkpoint/.
"""
