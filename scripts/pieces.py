"""What an iteration is made of, timed alone: MNIST's matrix products, and the pieces of one of Dev Nag's updates."""

import itertools
import statistics
import time

import numpy as np
import tensorflow as tf

from common.nn.random import Stream
from reproductions.devnag import gan as devnag

RUNS, TIMES = 200, 100  # of the pieces


def matmul_flops():
    """Throughput of 1,024 x 1,024 matrix products in single precision, in flop/s: the faster of NumPy and TensorFlow."""

    def flops(a):
        start = time.perf_counter()
        for _ in range(20):
            b = a @ a
        np.asarray(b)
        return 20 * 2 * 1024**3 / (time.perf_counter() - start)

    a = np.random.default_rng(0).normal(size=(1024, 1024)).astype(np.float32)
    return max(statistics.median(flops(matrix) for _ in range(5)) for matrix in (a, tf.constant(a)))


def perceptron_products(batch, d_widths, g_widths):
    """The matrix products that an iteration needs: [(form, rows, inner, columns)], with `form` as in `products_alone`.

    D's update: a forward pass ('NN') over real and generated images together, the gradients with respect to its weights ('NT')
    and to its layers' inputs ('TN'), except the images. G's update: one forward pass of G, which serves both updates, a forward
    pass of D, the gradient with respect to D's input, and G's gradients, except with respect to the noise.
    """

    def forward(widths, columns):
        return [('NN', b, a, columns) for a, b in itertools.pairwise(widths)]

    def weight_gradients(widths, columns):
        return [('NT', b, columns, a) for a, b in itertools.pairwise(widths)]

    def input_gradients(widths, columns):
        return [('TN', a, b, columns) for a, b in itertools.pairwise(widths)]

    update_d = forward(d_widths, 2 * batch) + weight_gradients(d_widths, 2 * batch) + input_gradients(d_widths[1:], 2 * batch)
    update_g = forward(g_widths, batch) + forward(d_widths, batch) + input_gradients(d_widths, batch)
    return update_d + update_g + weight_gradients(g_widths, batch) + input_gradients(g_widths[1:], batch)


def products_alone(products, repeats, times=100):
    """Steps/s if a step were nothing but its matrix products, compiled by XLA and independent of each other.

    A yardstick, not a bound: within a step, products share operands, which are then in the caches. A form has one letter per
    operand: N for [rows, inner] and [inner, columns], T for their transposes.
    """
    rng = np.random.default_rng(0)

    def operand(letter, rows, columns):
        return tf.constant(rng.normal(size=(rows, columns) if letter == 'N' else (columns, rows)), tf.float32)

    left = [operand(form[0], rows, inner) for form, rows, inner, _ in products]
    right = [operand(form[1], inner, columns) for form, _, inner, columns in products]

    @tf.function(jit_compile=True, autograph=False)
    def repeated(left, right):
        def body(k, left, previous):
            del previous
            results = [
                tf.matmul(a, b, transpose_a=form[0] == 'T', transpose_b=form[1] == 'T')
                for a, b, (form, *_) in zip(left, right, products, strict=True)
            ]
            # the operands change slightly, so that no product is hoisted out of the loop
            left = [tf.tensor_scatter_nd_update(a, [[0, 0]], [1e-9 * c[0, 0]]) for a, c in zip(left, results, strict=True)]
            return k + 1, left, results

        zeros = [tf.zeros([rows, columns]) for _, rows, _, columns in products]
        return tf.while_loop(lambda k, *_: k < times, body, (tf.constant(0), left, zeros))[2]

    def steps_per_second():
        start = time.perf_counter()
        repeated(left, right)[0].numpy()
        return times / (time.perf_counter() - start)

    steps_per_second()
    return statistics.median(steps_per_second() for _ in range(repeats))


def pieces_of_devnag():
    """{name: function of (x, update)}: the pieces of an update, x being the activations of a hidden unit, [runs, 10, 500]."""

    settings, seeds = devnag.make_settings(), tf.constant(np.arange(RUNS, dtype=np.uint32))
    g, d = devnag.init_generator(settings, seeds), devnag.init_discriminator(settings, seeds)

    def loss_gradients(x):
        with tf.GradientTape() as tape:
            tape.watch(g)
            loss = devnag.loss_of_g(settings, d, devnag.generator(settings, g, x[:, :1]))
        gradients = tf.nest.flatten(tape.gradient(loss, g))
        return tf.concat([tf.reshape(gradient, [RUNS, -1]) for gradient in gradients], axis=1)

    return {
        '500 uniform samples': lambda x, k: devnag.noise(settings, seeds, Stream.NOISE_D, k, 500),
        '500 normal samples': lambda x, k: devnag.real_samples(settings, seeds, k, 500),
        'ten tanh of 500': lambda x, k: tf.tanh(x),
        'moments of 500': lambda x, k: devnag.moments(x[:, :1]),
        'G forward': lambda x, k: devnag.generator(settings, g, x[:, :1]),
        "G's loss and its gradients": lambda x, k: loss_gradients(x),
    }


def pieces(post, repeats):
    """Prints what each piece of one of Dev Nag's updates costs alone, on inputs that are in memory as they are in the loop."""
    del post
    hidden = tf.constant(np.random.default_rng(0).normal(size=(RUNS, 10, 500)), tf.float32)
    print(f'\npieces of an update at {RUNS} runs, microseconds per run')
    for name, piece in pieces_of_devnag().items():

        @tf.function(jit_compile=True, autograph=False)
        def repeated(x, piece=piece):
            def body(k, x, previous):
                del previous
                result = piece(x, k)
                x += 1e-6 * tf.reshape(result, [RUNS, -1])[:, :1, None]  # so that no piece is hoisted out of the loop
                return k + 1, x, result

            return tf.while_loop(lambda k, *_: k < TIMES, body, (tf.constant(0), x, tf.zeros_like(piece(x, 0))))[2]

        def seconds(repeated=repeated):
            start = time.perf_counter()
            repeated(hidden).numpy()
            return time.perf_counter() - start

        seconds()
        median = statistics.median(seconds() for _ in range(repeats))
        print(f'  {name:26} {median / TIMES / RUNS * 1e6:6.2f}')
