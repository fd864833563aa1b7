"""Eric Jang, "Generative Adversarial Nets in TensorFlow (Part I)" (2015, 2016): a GAN learns N(-1, 1).

The post:     https://blog.evjang.com/2016/06/generative-adversarial-nets-in.html
Its program:  https://github.com/ericjang/genadv_tutorial

Generator and discriminator are tiny networks of the same shape. D is pre-trained by least squares on the data's density. Then
both are trained on real samples and noise that are sorted and stratified, so that they line up.

  python -m reproductions.jang                            as in the post: pre-training, 10,000 iterations, seven figures
  python -m reproductions.jang --runs=1000                a thousand seeds at once
  python -m reproductions.jang --nosort --nostratify      with independent noise, which fails according to the post
  python -m reproductions.jang --pretrain_steps=0         without pre-training
  python -m reproductions.jang --variant=2015-12          as first published: batches of 1,000, real samples unsorted
  python -m reproductions.jang --animation                also animates the training as a GIF
  python -m reproductions.jang --replay=TRACE.npz         compares step by step with a recorded run of the author's program
  python -m reproductions.jang --claims --runs=200        measures the post's claims

Output files, in --output_dir: config.json, results.csv (one row per seed), history.npz, the figures, checkpoint/.
"""
