"""The MNIST post's GAN as Keras models in a plain TensorFlow 2 loop, for the benchmark.

Two `keras.Sequential`, two Keras Adams and a step under a tape, called from Python with a batch of NumPy arrays: the step as a
`tf.function`, as TensorFlow 2's tutorials have it, or with --eager operation by operation. Started by `benchmark.py` in a
process of its own. Prints one line of JSON: {"steps_per_second": ...}, where a step is an iteration.

    python scripts/keras_loop.py --steps=200 [--eager]
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
keras = tf.keras


def perceptron(inputs, *widths):
    hidden = [keras.layers.Dense(width, 'relu', kernel_initializer='he_normal') for width in widths[:-1]]
    return keras.Sequential([keras.Input([inputs]), *hidden, keras.layers.Dense(widths[-1], kernel_initializer='he_normal')])


def steps_per_second(steps):
    rng, batches = np.random.RandomState(42), digits(np.random.RandomState(42), BATCH)
    d, g = perceptron(784, 500, 200, 1), perceptron(100, 200, 500, 784)
    optimizer_d, optimizer_g = keras.optimizers.Adam(0.001, epsilon=1e-8), keras.optimizers.Adam(0.001, epsilon=1e-8)
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    @tf.function
    def play(x, z):
        with tf.GradientTape() as tape:
            real, fake = d(x), d(tf.sigmoid(g(z)))
            loss_d = entropy(tf.ones_like(real), real) + entropy(tf.zeros_like(fake), fake)
        optimizer_d.apply_gradients(zip(tape.gradient(loss_d, d.trainable_variables), d.trainable_variables, strict=True))
        with tf.GradientTape() as tape:
            fake = d(tf.sigmoid(g(z)))
            loss_g = entropy(tf.ones_like(fake), fake)
        optimizer_g.apply_gradients(zip(tape.gradient(loss_g, g.trainable_variables), g.trainable_variables, strict=True))
        return loss_d, loss_g

    def iterate(count):
        for _ in range(count):
            losses = play(next(batches), rng.uniform(-1, 1, (BATCH, 100)).astype(np.float32))
        return [float(loss) for loss in losses]

    iterate(10)
    start = time.perf_counter()
    iterate(steps)
    return steps / (time.perf_counter() - start)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=int, default=200, help='iterations to time, after 10 that are not')
    parser.add_argument('--eager', action='store_true', help='run the step operation by operation')
    arguments = parser.parse_args()
    tf.config.run_functions_eagerly(arguments.eager)
    print(json.dumps({'steps_per_second': steps_per_second(arguments.steps)}))
