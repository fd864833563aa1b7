"""The posts' GANs run as the posts ran them, as the benchmark's baseline: one `session.run` with a feed per update.

Written from the description of the programs (Aylien's of 2017-06: relu, Adam 0.001, batch 8; Jang's of 2016-06: momentum, batch
200; Dev Nag's of 2018-11, which used PyTorch: four moments of 500 values, momentum, 20 + 20 updates per round, which is a step;
the multi-modal post's, with this suite's choices where it says nothing: three modes, hidden layers of 12, batch 12; the MNIST
post's: 784 pixels, Adam 0.001, batch 128), with `tf.compat.v1`. `benchmark.py` starts it in a process of its own, because eager
execution cannot be switched off once TensorFlow has been used. Prints one line of JSON: {"steps_per_second": ...}.

    python scripts/baselines/session_loop.py --post=aylien [--minibatch] --steps=2000
    python scripts/baselines/session_loop.py --post=jang --steps=2000
    python scripts/baselines/session_loop.py --post=devnag --steps=50
    python scripts/baselines/session_loop.py --post=multimodal --steps=2000
    python scripts/baselines/session_loop.py --post=mnist [--conditional] --steps=200
"""

import argparse
import functools
import json
import os
import pathlib
import time

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

import numpy as np
import tensorflow as tf

v1, log = tf.compat.v1, tf.math.log
DIGITS = pathlib.Path(__file__).resolve().parent.parent.parent / 'reproductions' / 'data' / 'mnist10k.npz'


def linear(inputs, size, name, stddev=1.0):
    with v1.variable_scope(name):
        w = v1.get_variable('w', [inputs.shape[1], size], initializer=v1.random_normal_initializer(stddev=stddev))
        b = v1.get_variable('b', [size], initializer=v1.zeros_initializer())
    return tf.matmul(inputs, w) + b


def mlp(x, widths, between, gain=None):
    """Linear layers with an activation between them. Weights have standard deviation 1, or sqrt(gain / inputs)."""
    for i, size in enumerate(widths):
        x = linear(between(x) if i else x, size, str(i), stddev=(gain / int(x.shape[1])) ** 0.5 if gain else 1.0)
    return x


def stratified(rng, half_range, batch):
    return (np.linspace(-half_range, half_range, batch) + rng.random_sample(batch) * 0.01).reshape(batch, 1)


def decisions(generator, discriminator, x, z):
    """What D says of real samples x and of those generated from noise z."""
    with v1.variable_scope('G'):
        generated = generator(z)
    with v1.variable_scope('D', reuse=v1.AUTO_REUSE):
        return discriminator(x), discriminator(generated)


def with_optimizer(make):
    """`minimize` with an optimizer of its own for each scope."""
    return lambda loss, scope: make().minimize(loss, var_list=v1.trainable_variables(scope))


def with_decay(make, learning_rate, steps):
    """`minimize` with an optimizer whose learning rate is multiplied by 0.95 every so many updates."""

    def minimize(loss, scope):
        step = v1.get_variable(f'step_{scope}', [], initializer=v1.zeros_initializer(), trainable=False)
        optimizer = make(v1.train.exponential_decay(learning_rate, step, steps, 0.95, staircase=True))
        return optimizer.minimize(loss, global_step=step, var_list=v1.trainable_variables(scope))

    return minimize


def program(generator, discriminator, losses, minimize, real, noise, updates=1):
    """Builds the graph of a 1-D GAN; returns a function that runs a step, of so many updates of D and of G, in a session.

    `losses`: D's decisions on real and on generated samples -> the losses of D and G. `real()` and `noise()` are batches.
    """
    x, z = (v1.placeholder(tf.float32, samples().shape) for samples in (real, noise))
    loss_d, loss_g = losses(*decisions(generator, discriminator, x, z))
    update_d, update_g = [loss_d, minimize(loss_d, 'D')], [loss_g, minimize(loss_g, 'G')]

    def step(session):
        for _ in range(updates):
            session.run(update_d, {x: real(), z: noise()})
        for _ in range(updates):
            session.run(update_g, {z: noise()})

    return step


def minibatch_layer(inputs, kernels=5, dims=3):
    m = tf.reshape(linear(inputs, kernels * dims, 'minibatch', 0.02), [-1, kernels, dims])
    distances = tf.reduce_sum(tf.abs(m[:, :, :, None] - tf.transpose(m, [1, 2, 0])[None]), 2)
    return tf.concat([inputs, tf.reduce_sum(tf.exp(-distances), 2)], 1)


def aylien(rng, minibatch, hidden=4, batch=8):
    def discriminator(x):
        h = tf.nn.relu(mlp(x, [2 * hidden] * 2, tf.nn.relu))
        h = minibatch_layer(h) if minibatch else tf.nn.relu(linear(h, 2 * hidden, '2'))
        return tf.sigmoid(linear(h, 1, '3'))

    def clipped(p):
        return log(tf.maximum(p, 1e-5))

    return program(
        lambda z: mlp(z, [hidden, 1], tf.nn.softplus),
        discriminator,
        lambda real, fake: (tf.reduce_mean(-clipped(real) - clipped(1 - fake)), tf.reduce_mean(-clipped(fake))),
        with_optimizer(lambda: v1.train.AdamOptimizer(0.001)),
        lambda: np.sort(rng.normal(4, 0.5, batch)).reshape(batch, 1),
        lambda: stratified(rng, 8, batch),
    )


def jang(rng, batch=200):
    def net(x):
        return tf.tanh(mlp(x, [6, 5, 1], tf.tanh))

    return program(
        lambda z: 5 * net(z),
        lambda x: tf.maximum(tf.minimum(net(x), 0.99), 0.01),
        lambda real, fake: (1 - tf.reduce_mean(log(real) + log(1 - fake)), 1 - tf.reduce_mean(log(fake))),
        with_decay(lambda rate: v1.train.MomentumOptimizer(rate, 0.6), 0.001, 2500),
        lambda: np.sort(rng.normal(-1, 1, batch)).reshape(batch, 1),
        lambda: stratified(rng, 5, batch),
    )


def devnag(rng, batch=500, updates=20):
    """A step is a round. The initial weights do not affect the speed."""

    def moments(x):
        mean = tf.reduce_mean(x)
        std = tf.sqrt(tf.reduce_mean(tf.square(x - mean)))
        score = (x - mean) / std
        return tf.stack([mean, std, tf.reduce_mean(score**3), tf.reduce_mean(score**4) - 3])[None]

    return program(
        lambda z: mlp(z, [5, 5, 1], tf.tanh),
        lambda x: tf.sigmoid(mlp(moments(x), [10, 10, 1], tf.sigmoid)),
        lambda real, fake: (-tf.reduce_mean(log(real) + log(1 - fake)), -tf.reduce_mean(log(fake))),
        with_optimizer(lambda: v1.train.MomentumOptimizer(0.001, 0.9)),
        lambda: rng.normal(4, 1.25, (batch, 1)),
        lambda: rng.random_sample((batch, 1)),
        updates,
    )


def multimodal(rng, batch=12, width=12, means=(-4, 0, 4), std=0.5):
    return program(
        lambda z: mlp(z, [width, width, width, 1], tf.tanh),
        lambda x: tf.sigmoid(mlp(x, [8, 8, 8, 1], tf.tanh)),
        lambda real, fake: (tf.reduce_mean(-log(real) - log(1 - fake)), tf.reduce_mean(-log(fake))),
        with_decay(v1.train.GradientDescentOptimizer, 0.03, 150),
        lambda: rng.normal(np.resize(means, batch), std).reshape(batch, 1),
        lambda: stratified(rng, 8, batch),
    )


def digits(rng, batch):
    """Batches of the bundled digits, float32 [batch, 784] in 0 .. 1, in TensorFlow 1's order, without end."""
    with np.load(DIGITS) as archive:
        images = archive['x_train'].reshape(-1, 784).astype(np.float32) / 255
        labels = np.eye(10, dtype=np.float32)[archive['y_train']]
    while True:
        order = rng.permutation(len(images))
        images, labels = images[order], labels[order]
        for first in range(0, len(images) - batch + 1, batch):
            yield images[first : first + batch], labels[first : first + batch]


def mnist(rng, conditional, batch=128):
    """As `program`; the feeds are made in Python, as in the post. How many digits there are does not affect the speed.

    `conditional`: the author's program of 2018, with one hidden layer and labels after pixels and noise.
    """
    x, z, y = (v1.placeholder(tf.float32, [batch, size]) for size in (784, 100, 10))
    batches = digits(rng, batch)
    g_widths, d_widths = ((128, 784), (128, 1)) if conditional else ((200, 500, 784), (500, 200, 1))

    def net(x, widths):
        return mlp(tf.concat([x, y], axis=1) if conditional else x, widths, tf.nn.relu, gain=2)

    def cross_entropy(logits, label):
        labels = label * tf.ones_like(logits)
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))

    real, fake = decisions(lambda z: tf.sigmoid(net(z, g_widths)), lambda x: net(x, d_widths), x, z)
    loss_d, loss_g = cross_entropy(real, 1) + cross_entropy(fake, 0), cross_entropy(fake, 1)
    minimize = with_optimizer(v1.train.AdamOptimizer)
    update_d, update_g = [loss_d, minimize(loss_d, 'D')], [loss_g, minimize(loss_g, 'G')]

    def step(session):
        images, labels = next(batches)
        sample = {z: rng.uniform(-1, 1, (batch, 100))} | ({y: labels} if conditional else {})
        session.run(update_d, {x: images} | sample)
        session.run(update_g, sample)

    return step


def steps_per_second(build, steps):
    v1.disable_eager_execution()
    v1.set_random_seed(42)
    step = build(np.random.RandomState(42))
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        for _ in range(max(5, steps // 20)):  # the first calls build kernels and caches
            step(session)
        start = time.perf_counter()
        for _ in range(steps):
            step(session)
        return steps / (time.perf_counter() - start)


POSTS = {'aylien': aylien, 'jang': jang, 'devnag': devnag, 'multimodal': multimodal, 'mnist': mnist}

if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--post', choices=POSTS, default='aylien')
    parser.add_argument('--steps', type=int, default=2000, help='steps to time, after a twentieth as many to warm up')
    parser.add_argument('--minibatch', action='store_true', help='Aylien: with minibatch discrimination')
    parser.add_argument('--conditional', action='store_true', help="MNIST: the author's program of 2018")
    arguments = parser.parse_args()
    options = {'aylien': {'minibatch': arguments.minibatch}, 'mnist': {'conditional': arguments.conditional}}
    build = functools.partial(POSTS[arguments.post], **options.get(arguments.post, {}))
    print(json.dumps({'steps_per_second': steps_per_second(build, arguments.steps)}))
