"""The MNIST post's GAN as Keras models in a plain TensorFlow 2 loop, for the benchmark.

Two `keras.Sequential` models and two Keras Adams, called from Python with a batch of NumPy arrays, in one of three ways:

  train_on_batch   `compile` and `train_on_batch`, for D and for G followed by a frozen D, as in Keras's early GAN examples
  function         a step with a gradient tape as a `tf.function`, as in TensorFlow 2's tutorials
  eager            the same step, executed eagerly

`benchmark.py` starts it in a process of its own. It prints one line of JSON: {"steps_per_second": ...}, where a step is an
iteration.

    python scripts/baselines/keras_loop.py --how=function --steps=200
"""

import argparse
import json
import os
import time

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

import numpy as np
import tensorflow as tf
from session_loop import digits

BATCH = 128
WAYS = ['train_on_batch', 'function', 'eager']
keras = tf.keras


def perceptron(inputs, *widths):
    hidden = [keras.layers.Dense(width, 'relu', kernel_initializer='he_normal') for width in widths[:-1]]
    return keras.Sequential([keras.Input([inputs]), *hidden, keras.layers.Dense(widths[-1], kernel_initializer='he_normal')])


ENTROPY = keras.losses.BinaryCrossentropy(from_logits=True)


def adam():
    return keras.optimizers.Adam(0.001, epsilon=1e-8)


def with_tapes(d, g):
    """A train step with gradient tapes: (real images, noise) -> losses."""
    optimizer_d, optimizer_g = adam(), adam()

    @tf.function
    def train_step(x, z):
        with tf.GradientTape() as tape:
            real, fake = d(x), d(g(z))
            loss_d = ENTROPY(tf.ones_like(real), real) + ENTROPY(tf.zeros_like(fake), fake)
        optimizer_d.apply_gradients(zip(tape.gradient(loss_d, d.trainable_variables), d.trainable_variables, strict=True))
        with tf.GradientTape() as tape:
            fake = d(g(z))
            loss_g = ENTROPY(tf.ones_like(fake), fake)
        optimizer_g.apply_gradients(zip(tape.gradient(loss_g, g.trainable_variables), g.trainable_variables, strict=True))
        return loss_d, loss_g

    return train_step


def with_train_on_batch(d, g):
    """A train step with `train_on_batch`: (real images, noise) -> losses."""
    labels = np.repeat(np.float32([[1], [0]]), BATCH, axis=0)
    weights = np.full(2 * BATCH, 2, np.float32)  # the sum of two means, not the mean over both
    d.compile(adam(), ENTROPY)
    d.train_on_batch(np.zeros([2 * BATCH, 784], np.float32), labels, weights)  # traced before D is frozen
    d.trainable = False
    both = keras.Sequential([g, d])
    both.compile(adam(), ENTROPY)

    def train_step(x, z):
        loss_d = d.train_on_batch(np.concatenate([x, g(z)]), labels, weights)
        return loss_d, both.train_on_batch(z, labels[:BATCH])

    return train_step


def steps_per_second(how, steps):
    rng, batches = np.random.RandomState(42), digits(np.random.RandomState(42), BATCH)
    d, g = perceptron(784, 500, 200, 1), perceptron(100, 200, 500, 784)
    g.add(keras.layers.Activation('sigmoid'))
    tf.config.run_functions_eagerly(how == 'eager')
    train_step = (with_train_on_batch if how == 'train_on_batch' else with_tapes)(d, g)

    def repeat(count):
        for _ in range(count):
            images, _ = next(batches)
            losses = train_step(images, rng.uniform(-1, 1, (BATCH, 100)).astype(np.float32))
        return [float(loss) for loss in losses]

    repeat(10)
    start = time.perf_counter()
    repeat(steps)
    return steps / (time.perf_counter() - start)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=int, default=200, help='iterations to time, after 10 to warm up')
    parser.add_argument('--how', choices=WAYS, default='function', help='see the top of this file')
    arguments = parser.parse_args()
    print(json.dumps({'steps_per_second': steps_per_second(arguments.how, arguments.steps)}))
