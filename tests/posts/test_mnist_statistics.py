"""The MNIST post's GAN collapses whoever implements it: so does a plain NumPy program with random numbers of its own."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit

from common import training
from common.devices import distribution
from reproductions.mnist import claims as mnist_claims
from reproductions.mnist import dataset, image_metrics
from reproductions.mnist import gan as mnist
from reproductions.mnist import settings as mnist_settings

pytestmark = pytest.mark.statistical

STEPS, SEEDS = 120, (100, 101)


class Perceptron:
    """ReLU layers with TensorFlow 1's Adam, batch first; float32 throughout."""

    def __init__(self, rng, widths):
        pairs = list(itertools.pairwise(widths))
        self.params = [np.float32(rng.normal(0, np.sqrt(2 / a), (a, b))) for a, b in pairs]
        self.params += [np.zeros(b, np.float32) for _, b in pairs]
        self.depth, self.count = len(pairs), 0
        self.m, self.v = ([np.zeros_like(p) for p in self.params] for _ in range(2))

    def forward(self, x):
        inputs = []
        for i in range(self.depth):
            inputs.append(x)
            x = x @ self.params[i] + self.params[self.depth + i]
            x = np.maximum(x, 0) if i < self.depth - 1 else x
        return x, inputs

    def backward(self, inputs, upstream):
        """(gradients of the parameters, gradient with respect to the input)."""
        weights, biases = [None] * self.depth, [None] * self.depth
        for i in reversed(range(self.depth)):
            weights[i], biases[i] = inputs[i].T @ upstream, upstream.sum(axis=0)
            upstream = upstream @ self.params[i].T
            if i:
                upstream = upstream * (inputs[i] > 0)
        return weights + biases, upstream

    def adam(self, gradients):
        self.count += 1
        step_size = np.float32(0.001 * np.sqrt(1 - 0.999**self.count) / (1 - 0.9**self.count))
        for p, g, m, v in zip(self.params, gradients, self.m, self.v, strict=True):
            m += np.float32(0.1) * (g - m)
            v += np.float32(0.001) * (g * g - v)
            p -= step_size * m / (np.sqrt(v) + np.float32(1e-8))


def plain_gan(seed, images, steps, batch=128):
    """100 digits from fresh noise after some iterations of the post's training, without using the suite."""
    rng = np.random.default_rng(seed)
    d, g = Perceptron(rng, (784, 500, 200, 1)), Perceptron(rng, (100, 200, 500, 784))
    order = np.concatenate([rng.permutation(len(images)) for _ in range(-(-steps * batch // len(images)))])
    for step in range(steps):
        x = images[order[step * batch : (step + 1) * batch]]
        z = np.float32(rng.uniform(-1, 1, (batch, 100)))
        pixels, g_inputs = g.forward(z)
        fake = expit(pixels)
        real_logits, real_inputs = d.forward(x)
        fake_logits, fake_inputs = d.forward(fake)
        by_real, _ = d.backward(real_inputs, (expit(real_logits) - 1) / batch)
        by_fake, _ = d.backward(fake_inputs, expit(fake_logits) / batch)
        d.adam([a + b for a, b in zip(by_real, by_fake, strict=True)])
        logits, inputs = d.forward(fake)
        _, by_image = d.backward(inputs, (expit(logits) - 1) / batch)
        gradients, _ = g.backward(g_inputs, by_image * fake * (1 - fake))
        g.adam(gradients)
    return expit(g.forward(np.float32(rng.uniform(-1, 1, (100, 100))))[0])


def apart(images):
    """Mean distance to the nearest other image."""
    return image_metrics.nearest_distances(images, images, skip_same_row=True).mean()


def test_ours_and_a_plain_program_both_collapse():
    """After 120 iterations all samples of a seed are one digit: they are less than a tenth as far apart as real digits."""
    digits = dataset.bundled()
    images = dataset.training_digits(digits)[0].astype(np.float32) / 255
    bound = mnist_claims.ALIKE * apart(images[:100])
    plain = [apart(plain_gan(seed, images, STEPS)) for seed in SEEDS]
    settings = mnist_settings.make_settings()
    experiment = mnist.make_experiment(settings, digits)
    strategy, seeds = distribution.make_strategy('cpu', len(SEEDS)), np.array(SEEDS, np.uint32)
    state = None
    for state, _ in training.train(experiment, strategy, seeds, STEPS, every=20):  # noqa: B007
        pass
    _, train_state = distribution.to_host(strategy, state)
    grids = mnist.sample_grid(settings, seeds, train_state.g).astype(np.float32) / 255
    ours = [apart(grid) for grid in grids]
    before = mnist.sample_grid(settings, seeds, start_of(experiment, seeds).g).astype(np.float32) / 255
    assert max(*plain, *ours) < bound < min(apart(grid) for grid in before)


def start_of(experiment, seeds):
    d, g = tf.nest.map_structure(lambda value: value.numpy(), experiment.init(tf.constant(seeds)))
    return training.TrainState(0, d, g, (), ())
