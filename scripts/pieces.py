"""What an iteration is made of, timed alone: MNIST's matrix products, and the pieces of one of Dev Nag's updates."""

import functools
import itertools

import numpy as np
import tensorflow as tf
from timing import typical

from common.nn.random import Stream
from reproductions.devnag import gan as devnag
from reproductions.devnag.settings import make_settings

RUNS, TIMES = 200, 100  # of the pieces


def matmul_flops():
    """Throughput of 1,024 x 1,024 matrix products in single precision, in flop/s: the faster of NumPy and TensorFlow."""

    def products(a):
        for _ in range(20):
            b = a @ a
        np.asarray(b)

    a = np.random.default_rng(0).normal(size=(1024, 1024)).astype(np.float32)
    return max(20 * 2 * 1024**3 / typical(functools.partial(products, matrix), 5) for matrix in (a, tf.constant(a)))


def perceptron_products(batch, d_widths, g_widths):
    """The matrix products that an iteration needs: [(form, rows, inner, columns)], with `form` as in `products_alone`.

    D's update: a forward pass ('NN') over real and generated images together, the gradients with respect to its weights ('NT')
    and to its layers' inputs ('TN'), except the images. G's update: one forward pass of G, which serves both updates, a forward
    pass of D, the gradient with respect to D's input, and G's gradients, except with respect to the noise.
    """

    def products(form, widths, columns):
        pairs = itertools.pairwise(widths)
        return [(form, *{'NN': (b, a, columns), 'NT': (b, columns, a), 'TN': (a, b, columns)}[form]) for a, b in pairs]

    def update(widths, columns):
        return products('NN', widths, columns) + products('NT', widths, columns) + products('TN', widths[1:], columns)

    d_input = products('NN', d_widths, batch) + products('TN', d_widths, batch)
    return update(d_widths, 2 * batch) + update(g_widths, batch) + d_input


def repeated(piece, inputs, times):
    """A function that does a piece of work so many times in one compiled loop and waits for its results.

    `piece`: (number, inputs) -> (inputs of the next time, results). It changes the inputs slightly, so that nothing is hoisted
    out of the loop.
    """

    @tf.function(jit_compile=True, autograph=False)
    def loop(inputs):
        zeros = tf.nest.map_structure(tf.zeros_like, piece(0, inputs)[1])
        return tf.while_loop(lambda k, *_: k < times, lambda k, x, _: (k + 1, *piece(k, x)), (tf.constant(0), inputs, zeros))[2]

    return lambda: tf.nest.flatten(loop(inputs))[0].numpy()


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

    def step(k, left):
        results = [
            tf.matmul(a, b, transpose_a=form[0] == 'T', transpose_b=form[1] == 'T')
            for a, b, (form, *_) in zip(left, right, products, strict=True)
        ]
        return [tf.tensor_scatter_nd_update(a, [[0, 0]], [1e-9 * c[0, 0]]) for a, c in zip(left, results, strict=True)], results

    return times / typical(repeated(step, left, times), repeats)


def pieces_of_devnag():
    """{name: function of (x, update)}: the pieces of an update, x being the activations of a hidden unit, [runs, 10, 500]."""

    settings, seeds = make_settings(), tf.constant(np.arange(RUNS, dtype=np.uint32))
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


def pieces(_post, repeats):
    """Prints what each piece of one of Dev Nag's updates costs alone, on inputs that are in memory as they are in the loop."""
    hidden = tf.constant(np.random.default_rng(0).normal(size=(RUNS, 10, 500)), tf.float32)
    print(f'\npieces of an update at {RUNS} runs, microseconds per run')
    for name, piece in pieces_of_devnag().items():

        def step(k, x, piece=piece):
            result = piece(x, k)
            return x + 1e-6 * tf.reshape(result, [RUNS, -1])[:, :1, None], result

        median = typical(repeated(step, hidden, TIMES), repeats)
        print(f'  {name:26} {median / TIMES / RUNS * 1e6:6.2f}')
