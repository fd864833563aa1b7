"""The post's way of running, as the benchmark's baseline: one `session.run` with a feed a step.

Written from the description of the program (2017-06: relu, Adam 0.001, batch 8), under `tf.compat.v1`, and started by
`benchmark.py` in a process of its own, because eager execution cannot be switched off once TensorFlow has been used.
Prints one line of JSON: {"steps_per_second": ...}.

    python scripts/session_loop.py --steps=2000 [--minibatch]
"""

import argparse
import json
import os
import time

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
HIDDEN, BATCH = 4, 8


def linear(inputs, size, name, stddev=1.0):
    with v1.variable_scope(name):
        w = v1.get_variable('w', [inputs.shape[1], size], initializer=v1.random_normal_initializer(stddev=stddev))
        b = v1.get_variable('b', [size], initializer=v1.zeros_initializer())
    return tf.matmul(inputs, w) + b


def minibatch_layer(inputs, kernels=5, dims=3):
    m = tf.reshape(linear(inputs, kernels * dims, 'minibatch', 0.02), [-1, kernels, dims])
    distances = tf.reduce_sum(tf.abs(m[:, :, :, None] - tf.transpose(m, [1, 2, 0])[None]), 2)
    return tf.concat([inputs, tf.reduce_sum(tf.exp(-distances), 2)], 1)


def discriminator(x, minibatch):
    h = tf.nn.relu(linear(x, 2 * HIDDEN, 'd0'))
    h = tf.nn.relu(linear(h, 2 * HIDDEN, 'd1'))
    h = minibatch_layer(h) if minibatch else tf.nn.relu(linear(h, 2 * HIDDEN, 'd2'))
    return tf.sigmoid(linear(h, 1, 'd3'))


def steps_per_second(steps, minibatch):
    v1.disable_eager_execution()
    v1.set_random_seed(42)
    rng = np.random.RandomState(42)
    x, z = (v1.placeholder(tf.float32, [BATCH, 1]) for _ in range(2))
    with v1.variable_scope('G'):
        generated = linear(tf.nn.softplus(linear(z, HIDDEN, 'g0')), 1, 'g1')
    with v1.variable_scope('D', reuse=v1.AUTO_REUSE):
        d_real, d_fake = discriminator(x, minibatch), discriminator(generated, minibatch)

    def log(p):
        return tf.math.log(tf.maximum(p, 1e-5))

    loss_d = tf.reduce_mean(-log(d_real) - log(1 - d_fake))
    loss_g = tf.reduce_mean(-log(d_fake))
    train_d, train_g = (
        v1.train.AdamOptimizer(0.001).minimize(loss, var_list=v1.trainable_variables(scope))
        for loss, scope in ((loss_d, 'D'), (loss_g, 'G'))
    )

    def noise():
        return (np.linspace(-8, 8, BATCH) + rng.random_sample(BATCH) * 0.01).reshape(BATCH, 1)

    with v1.Session() as session:
        session.run(v1.global_variables_initializer())

        def step():
            session.run([loss_d, train_d], {x: np.sort(rng.normal(4, 0.5, BATCH)).reshape(BATCH, 1), z: noise()})
            session.run([loss_g, train_g], {z: noise()})

        for _ in range(100):  # the first calls build kernels and caches
            step()
        start = time.perf_counter()
        for _ in range(steps):
            step()
        return steps / (time.perf_counter() - start)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=int, default=2000, help='steps to time, after 100 that are not')
    parser.add_argument('--minibatch', action='store_true', help='with minibatch discrimination')
    arguments = parser.parse_args()
    print(json.dumps({'steps_per_second': steps_per_second(arguments.steps, arguments.minibatch)}))
