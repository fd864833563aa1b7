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
import json
import os
import pathlib
import time

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
DIGITS = pathlib.Path(__file__).resolve().parent.parent.parent / 'reproductions' / 'data' / 'mnist10k.npz'


def linear(inputs, size, name, stddev=1.0):
    with v1.variable_scope(name):
        w = v1.get_variable('w', [inputs.shape[1], size], initializer=v1.random_normal_initializer(stddev=stddev))
        b = v1.get_variable('b', [size], initializer=v1.zeros_initializer())
    return tf.matmul(inputs, w) + b


def stratified(rng, half_range, batch):
    return (np.linspace(-half_range, half_range, batch) + rng.random_sample(batch) * 0.01).reshape(batch, 1)


def minibatch_layer(inputs, kernels=5, dims=3):
    m = tf.reshape(linear(inputs, kernels * dims, 'minibatch', 0.02), [-1, kernels, dims])
    distances = tf.reduce_sum(tf.abs(m[:, :, :, None] - tf.transpose(m, [1, 2, 0])[None]), 2)
    return tf.concat([inputs, tf.reduce_sum(tf.exp(-distances), 2)], 1)


def aylien(rng, minibatch, hidden=4, batch=8):
    """Builds the graph; returns a function that runs a step in a session."""
    x, z = (v1.placeholder(tf.float32, [batch, 1]) for _ in range(2))

    def discriminator(x):
        h = tf.nn.relu(linear(x, 2 * hidden, 'd0'))
        h = tf.nn.relu(linear(h, 2 * hidden, 'd1'))
        h = minibatch_layer(h) if minibatch else tf.nn.relu(linear(h, 2 * hidden, 'd2'))
        return tf.sigmoid(linear(h, 1, 'd3'))

    def log(p):
        return tf.math.log(tf.maximum(p, 1e-5))

    with v1.variable_scope('G'):
        generated = linear(tf.nn.softplus(linear(z, hidden, 'g0')), 1, 'g1')
    with v1.variable_scope('D', reuse=v1.AUTO_REUSE):
        d_real, d_fake = discriminator(x), discriminator(generated)
    loss_d = tf.reduce_mean(-log(d_real) - log(1 - d_fake))
    loss_g = tf.reduce_mean(-log(d_fake))
    train_d, train_g = (
        v1.train.AdamOptimizer(0.001).minimize(loss, var_list=v1.trainable_variables(scope))
        for loss, scope in ((loss_d, 'D'), (loss_g, 'G'))
    )

    def step(session):
        real = np.sort(rng.normal(4, 0.5, batch)).reshape(batch, 1)
        session.run([loss_d, train_d], {x: real, z: stratified(rng, 8, batch)})
        session.run([loss_g, train_g], {z: stratified(rng, 8, batch)})

    return step


def jang(rng, batch=200):
    """As `aylien`."""
    x, z = (v1.placeholder(tf.float32, [batch, 1]) for _ in range(2))

    def mlp(x):
        for i, size in enumerate((6, 5, 1)):
            x = tf.tanh(linear(x, size, str(i)))
        return x

    def discriminator(x):
        return tf.maximum(tf.minimum(mlp(x), 0.99), 0.01)

    with v1.variable_scope('G'):
        generated = 5 * mlp(z)
    with v1.variable_scope('D', reuse=v1.AUTO_REUSE):
        d_real, d_fake = discriminator(x), discriminator(generated)
    obj_d = tf.reduce_mean(tf.math.log(d_real) + tf.math.log(1 - d_fake))
    obj_g = tf.reduce_mean(tf.math.log(d_fake))

    def maximize(objective, scope):
        step = v1.get_variable(f'step_{scope}', [], initializer=v1.zeros_initializer(), trainable=False)
        learning_rate = v1.train.exponential_decay(0.001, step, 2500, 0.95, staircase=True)
        optimizer = v1.train.MomentumOptimizer(learning_rate, 0.6)
        return optimizer.minimize(1 - objective, global_step=step, var_list=v1.trainable_variables(scope))

    train_d, train_g = maximize(obj_d, 'D'), maximize(obj_g, 'G')

    def step(session):
        real = np.sort(rng.normal(-1, 1, batch)).reshape(batch, 1)
        session.run([obj_d, train_d], {x: real, z: stratified(rng, 5, batch)})
        session.run([obj_g, train_g], {z: stratified(rng, 5, batch)})

    return step


def devnag(rng, batch=500, updates=20):
    """As `aylien`; a step is a round. The initial weights do not affect the speed."""
    x, z = (v1.placeholder(tf.float32, [batch, 1]) for _ in range(2))

    def mlp(x, hidden, between):
        for i, size in enumerate((hidden, hidden)):
            x = between(linear(x, size, str(i)))
        return linear(x, 1, '2')

    def moments(x):
        mean = tf.reduce_mean(x)
        std = tf.sqrt(tf.reduce_mean(tf.square(x - mean)))
        score = (x - mean) / std
        return tf.stack([mean, std, tf.reduce_mean(score**3), tf.reduce_mean(score**4) - 3])[None]

    with v1.variable_scope('G'):
        generated = mlp(z, 5, tf.tanh)
    with v1.variable_scope('D', reuse=v1.AUTO_REUSE):
        d_real, d_fake = (tf.sigmoid(mlp(moments(samples), 10, tf.sigmoid)) for samples in (x, generated))
    loss_d = -tf.reduce_mean(tf.math.log(d_real) + tf.math.log(1 - d_fake))
    loss_g = -tf.reduce_mean(tf.math.log(d_fake))
    train_d, train_g = (
        v1.train.MomentumOptimizer(0.001, 0.9).minimize(loss, var_list=v1.trainable_variables(scope))
        for loss, scope in ((loss_d, 'D'), (loss_g, 'G'))
    )

    def step(session):
        for _ in range(updates):
            feed = {x: rng.normal(4, 1.25, (batch, 1)), z: rng.random_sample((batch, 1))}
            session.run([loss_d, train_d], feed)
        for _ in range(updates):
            session.run([loss_g, train_g], {z: rng.random_sample((batch, 1))})

    return step


def multimodal(rng, batch=12, width=12, means=(-4, 0, 4), std=0.5):
    """As `aylien`."""
    x, z = (v1.placeholder(tf.float32, [batch, 1]) for _ in range(2))

    def mlp(x, hidden):
        for i in range(3):
            x = tf.tanh(linear(x, hidden, str(i)))
        return linear(x, 1, '3')

    with v1.variable_scope('G'):
        generated = mlp(z, width)
    with v1.variable_scope('D', reuse=v1.AUTO_REUSE):
        d_real, d_fake = (tf.sigmoid(mlp(samples, 8)) for samples in (x, generated))
    loss_d = tf.reduce_mean(-tf.math.log(d_real) - tf.math.log(1 - d_fake))
    loss_g = tf.reduce_mean(-tf.math.log(d_fake))

    def descend(loss, scope):
        step = v1.get_variable(f'step_{scope}', [], initializer=v1.zeros_initializer(), trainable=False)
        learning_rate = v1.train.exponential_decay(0.03, step, 150, 0.95, staircase=True)
        optimizer = v1.train.GradientDescentOptimizer(learning_rate)
        return optimizer.minimize(loss, global_step=step, var_list=v1.trainable_variables(scope))

    train_d, train_g = descend(loss_d, 'D'), descend(loss_g, 'G')

    def step(session):
        real = rng.normal(np.resize(means, batch), std).reshape(batch, 1)
        session.run([loss_d, train_d], {x: real, z: stratified(rng, 8, batch)})
        session.run([loss_g, train_g], {z: stratified(rng, 8, batch)})

    return step


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
    """As `aylien`; the feeds are made in Python, as in the post. How many digits there are does not affect the speed.

    `conditional`: the author's program of 2018, with one hidden layer and labels after pixels and noise.
    """
    x, z = v1.placeholder(tf.float32, [batch, 784]), v1.placeholder(tf.float32, [batch, 100])
    y = v1.placeholder(tf.float32, [batch, 10])
    batches = digits(rng, batch)
    g_widths, d_widths = ((128, 784), (128, 1)) if conditional else ((200, 500, 784), (500, 200, 1))

    def labelled(rows):
        return tf.concat([rows, y], axis=1) if conditional else rows

    def mlp(x, *widths):
        for i, width in enumerate(widths):
            x = linear(x if i == 0 else tf.nn.relu(x), width, str(i), stddev=(2 / int(x.shape[1])) ** 0.5)
        return x

    with v1.variable_scope('G'):
        generated = tf.sigmoid(mlp(labelled(z), *g_widths))
    with v1.variable_scope('D', reuse=v1.AUTO_REUSE):
        real, fake = (mlp(labelled(images), *d_widths) for images in (x, generated))

    def cross_entropy(logits, label):
        labels = label * tf.ones_like(logits)
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))

    loss_d, loss_g = cross_entropy(real, 1) + cross_entropy(fake, 0), cross_entropy(fake, 1)
    train_d, train_g = (
        v1.train.AdamOptimizer().minimize(loss, var_list=v1.trainable_variables(scope))
        for loss, scope in ((loss_d, 'D'), (loss_g, 'G'))
    )

    def step(session):
        images, labels = next(batches)
        sample = {z: rng.uniform(-1, 1, (batch, 100))} | ({y: labels} if conditional else {})
        session.run([train_d, loss_d], {x: images} | sample)
        session.run([train_g, loss_g], sample)

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


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--post', choices=['aylien', 'jang', 'devnag', 'multimodal', 'mnist'], default='aylien')
    parser.add_argument('--steps', type=int, default=2000, help='steps to time, after a twentieth as many to warm up')
    parser.add_argument('--minibatch', action='store_true', help='Aylien: with minibatch discrimination')
    parser.add_argument('--conditional', action='store_true', help="MNIST: the author's program of 2018")
    arguments = parser.parse_args()
    posts = {'jang': jang, 'devnag': devnag, 'multimodal': multimodal}
    posts |= {'mnist': lambda rng: mnist(rng, arguments.conditional), 'aylien': lambda rng: aylien(rng, arguments.minibatch)}
    build = posts[arguments.post]
    print(json.dumps({'steps_per_second': steps_per_second(build, arguments.steps)}))
