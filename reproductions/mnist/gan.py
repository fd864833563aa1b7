"""The GAN of the MNIST post, meant to be read beside it.

From top to bottom: data, noise, networks, losses, schedule, outcomes.
"""

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from common import training
from common.evaluation import outcomes
from common.nn import layers, losses, optimizers, random
from common.nn.random import Stream
from reproductions.mnist import dataset, quality
from reproductions.mnist.settings import (  # noqa: F401  everything the post fixes, for readers of this file
    CALL,
    CLAIM_STEPS,
    DEFAULT,
    GROUP,
    MOST_BETWEEN,
    VARIANTS,
    Settings,
    Variant,
    make_settings,
)

# --- Data and noise -----------------------------------------------------------------------------------------------------------


def batch_indices(settings: Settings, seeds: tf.Tensor, step: tf.Tensor, size: int) -> tf.Tensor:
    """Indices of the digits in an iteration's batch, int32 [runs, batch].

    Every epoch is a new random permutation of all digits. Batches run through the epochs without a gap: the end of one epoch
    and the start of the next may share a batch, and none is short. The positions depend on the iteration alone.
    """
    positions = tf.cast(step, tf.int64) * settings.batch_size + tf.range(settings.batch_size, dtype=tf.int64)
    return random.permuted(seeds, Stream.ORDER, positions // size, positions % size, size)


def real_images(settings: Settings, images: tf.Tensor, seeds: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
    """A batch of digits, [runs, 784, batch] in 0 .. 1, from `images`, uint8 [n, 784]."""
    batch = tf.gather(images, batch_indices(settings, seeds, step, images.shape[0]))
    return tf.cast(tf.transpose(batch, [0, 2, 1]), tf.float32) / 255


def noise(settings: Settings, seeds: tf.Tensor, stream: Stream, step: tf.Tensor, count: int | None = None) -> tf.Tensor:
    """U(-1, 1), [runs, 100, count]; a larger count starts with the same columns. `count` defaults to the batch size."""
    size, count = settings.g_widths[0], count or settings.batch_size
    signed = 2 * random.uniform(seeds, stream, step, count * size) - 1
    return tf.transpose(tf.reshape(signed, [-1, count, size]), [0, 2, 1])


# --- Networks -----------------------------------------------------------------------------------------------------------------


def init_mlp(widths: tuple[int, ...], seeds: tf.Tensor, stream: Stream) -> tuple[layers.Linear, ...]:
    """Linear layers with weights N(0, 2 / inputs), which the post calls Xavier, and biases 0."""
    linears = layers.normal_linears(seeds, stream, [(b, a) for a, b in itertools.pairwise(widths)])
    scales = [np.float32(np.sqrt(2 / inputs)) for inputs in widths[:-1]]
    return tuple(layer._replace(w=layer.w * scale) for layer, scale in zip(linears, scales, strict=True))


def activations(params: Any, x: tf.Tensor) -> list[tf.Tensor]:
    """The input of each layer: x, then the relu outputs of the hidden layers, a list of [runs, units, batch]."""
    found = [x]
    for layer in params[:-1]:
        found.append(tf.nn.relu(layers.dense(found[-1], layer)))
    return found


def generator(settings: Settings, g: Any, z: tf.Tensor) -> tf.Tensor:
    """Images, the sigmoid of a linear last layer: [runs, 100, batch] -> [runs, 784, batch] in 0 .. 1."""
    del settings  # the weights determine the widths
    return tf.sigmoid(layers.dense(activations(g, z)[-1], g[-1]))


def discriminator(settings: Settings, d: Any, x: tf.Tensor) -> tf.Tensor:
    """The probability that an image is real: [runs, 784, batch] -> [runs, 1, batch]."""
    return tf.sigmoid(discriminator_logits(settings, d, x))


def discriminator_logits(settings: Settings, d: Any, x: tf.Tensor) -> tf.Tensor:
    """Logits of the probability that an image is real: [runs, 784, batch] -> [runs, 1, batch].

    The last layer has one unit and is written as a product and a sum. As a `matmul`, XLA would run it and the preceding relu
    unvectorized on a single core (20 of an iteration's 3,500 microseconds each time, while the other core mostly waits).
    """
    del settings
    w, b = d[-1]
    return tf.reduce_sum(tf.transpose(w, [0, 2, 1]) * activations(d, x)[-1], axis=1, keepdims=True) + b


# --- Losses and schedule ------------------------------------------------------------------------------------------------------


def loss_of_d(settings: Settings, d: Any, g: Any, x: tf.Tensor, z: tf.Tensor) -> tf.Tensor:
    """D's loss on real and generated images, their sum rather than their mean, [runs].

    D sees both in one forward pass: fewer and larger matrix products use two cores better.
    """
    logits = discriminator_logits(settings, d, tf.concat([x, generator(settings, g, z)], axis=2))
    count = x.shape[2]
    real = losses.cross_entropy_of_logits(logits[:, :, :count], 1)
    return real + losses.cross_entropy_of_logits(logits[:, :, count:], 0)


def loss_of_g(settings: Settings, d: Any, g: Any, z: tf.Tensor) -> tf.Tensor:
    """G's loss: its images labelled as real, [runs]."""
    return losses.cross_entropy_of_logits(discriminator_logits(settings, d, generator(settings, g, z)), 1)


def make_train_step(settings: Settings, images: np.ndarray) -> training.TrainStep:
    """The adversarial training on `images`, uint8 [n, 784]. As in the post, both updates of an iteration use the same noise."""
    images = tf.constant(images)
    return training.TrainStep(
        loss_d=functools.partial(loss_of_d, settings),
        loss_g=functools.partial(loss_of_g, settings),
        draw_d=lambda seeds, step: (
            real_images(settings, images, seeds, step),
            noise(settings, seeds, Stream.NOISE_D, step),
        ),
        draw_g=None,
        optimizer_d=optimizers.adam(settings.learning_rate, settings.beta1),
        optimizer_g=optimizers.adam(settings.learning_rate, settings.beta1),
    )


def make_experiment(settings: Settings, images: np.ndarray | None = None) -> training.Experiment:
    """The experiment for these settings on `images`, uint8 [n, 784], or on the bundled digits."""
    images = dataset.training_digits(dataset.bundled())[0] if images is None else images
    return experiment_of(settings, make_train_step(settings, images))


def experiment_of(settings: Settings, train_step: training.TrainStep) -> training.Experiment:
    """The experiment for a train step of this post. There is no pre-training."""
    return training.Experiment(
        init=lambda seeds: (
            init_mlp(settings.d_widths, seeds, Stream.WEIGHTS_D),
            init_mlp(settings.g_widths, seeds, Stream.WEIGHTS_G),
        ),
        train_step=train_step,
        pretrain_step=training.NO_PRETRAINING,
        pretrain_steps=0,
        pretrain_loop=None,
        train_loop=training.compile_loop(
            lambda seeds, state: training.take_step(train_step, seeds, state), ['loss_d', 'loss_g'], group=GROUP
        ),
        call=CALL,
    )


# --- Outcomes -----------------------------------------------------------------------------------------------------------------


@functools.cache
def compiled_evaluation(settings: Settings, count: int) -> Callable:
    """Compiled (seeds [1], d, g, training images, test images) -> (G [count, 784], {column: []}), images [m, 784].

    One run at a time, on noise that depends on its seed alone. `d_*` are means of D; `dead_g` is the fraction of G's hidden
    units that are 0 for all noise vectors, `saturated` the fraction of pixels where the sigmoid's derivative is below 1e-4.
    """

    @tf.function(jit_compile=True, autograph=False)
    def evaluate(seeds, d, g, train, test):
        z = noise(settings, seeds, Stream.FIGURE, 0, count)
        generated = generator(settings, g, z)
        units = tf.concat(activations(g, z)[1:], axis=1)

        def mean_of_d(images):
            return tf.reduce_mean(discriminator(settings, d, images))

        columns = {
            'd_train': mean_of_d(tf.transpose(train)[None]),
            'd_real': mean_of_d(tf.transpose(test)[None]),
            'd_fake': mean_of_d(generated),
            'dead_g': tf.reduce_mean(tf.cast(tf.reduce_max(units, axis=2) == 0, tf.float32)),
            'saturated': tf.reduce_mean(tf.cast(generated * (1 - generated) < 1e-4, tf.float32)),
        }
        return tf.transpose(generated[0]), columns

    return evaluate


def evaluate(
    settings: Settings, evaluator: quality.Evaluator, seeds: np.ndarray, train_state: training.TrainState
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Evaluates every run: ({column: [runs]}, sample grids uint8 [runs, 100, 784]). NaN for runs that are not finite."""
    rows, grids = [], []
    for row in range(len(seeds)):
        d, g = tf.nest.map_structure(lambda value, row=row: tf.constant(value[row : row + 1]), (train_state.d, train_state.g))
        count = len(evaluator.test)
        seed = tf.constant(seeds[row : row + 1])
        images, columns = compiled_evaluation(settings, count)(seed, d, g, evaluator.images[:count], evaluator.test)
        images, columns = images.numpy(), {name: value.numpy() for name, value in columns.items()}
        if np.isfinite(images).all() and np.isfinite(list(columns.values())).all():
            columns |= quality.quality(evaluator, images)
        else:
            columns = dict.fromkeys(quality.COLUMNS, np.nan)
        rows.append([columns[name] for name in quality.COLUMNS])
        grids.append(quality.as_bytes(images[: quality.GRID_SIZE]))
    return dict(zip(quality.COLUMNS, np.array(rows, np.float64).T, strict=True)), np.stack(grids)


def watcher(
    settings: Settings, evaluator: quality.Evaluator, seeds: np.ndarray, num_steps: int, grid_every: int, eval_every: int
) -> tuple[Callable, Callable]:
    """(watch, watched) for `session.train`: records evaluations, and sample grids of the first run, during training.

    Both are taken after iteration 0, at multiples of their interval, and at the end. Records: `eval_step` [1] and every
    column [runs, 1]; `sheet_step` [1] and `sheets` uint8 [1, 100, 784, 1].
    """

    def due(step, every):
        return (step - 1) % every == 0 or step == num_steps

    def watched(step):
        return due(step, grid_every) or due(step, eval_every)

    def watch(step, train_state):
        if due(step, eval_every):
            columns, grids = evaluate(settings, evaluator, seeds, train_state)
            found = {'eval_step': np.array([step - 1])} | {name: values[:, None] for name, values in columns.items()}
        else:
            grids, found = sample_grid(settings, seeds[:1], train_state), {}
        return found | {'sheet_step': np.array([step - 1]), 'sheets': grids[:1, ..., None]}

    return watch, watched


def sample_grid(settings: Settings, seeds: np.ndarray, train_state: training.TrainState) -> np.ndarray:
    """Samples of the first len(seeds) runs on fixed noise, uint8 [len(seeds), 100, 784]."""
    g = tf.nest.map_structure(lambda value: tf.constant(value[: len(seeds)]), train_state.g)
    images = generator(settings, g, noise(settings, tf.constant(seeds), Stream.FIGURE, 0, quality.GRID_SIZE)).numpy()
    return quality.as_bytes(images.transpose(0, 2, 1))


def results_table(
    settings: Settings,
    evaluator: quality.Evaluator,
    seeds: np.ndarray,
    train_state: training.TrainState,
    history: dict[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """The columns of results.csv, {column: [runs]}; seeds are uint32, `history` is joined records of `session.train`.

    The last recorded evaluation is used if it is of this train state. Losses are means over the last 100 iterations.
    """
    if 'eval_step' in history and history['eval_step'][-1] == train_state.step - 1:
        columns = {name: history[name][:, -1] for name in quality.COLUMNS}
    else:
        columns, _ = evaluate(settings, evaluator, seeds, train_state)
    table = {'seed': seeds} | quality.verdict_columns(evaluator.references, columns) | columns
    for name in ('loss_d', 'loss_g'):
        table[name] = training.settled_mean(history['step'], history[name])
    return table


def evaluator_with_untrained(
    settings: Settings, digits: dataset.Digits, experiment: training.Experiment, seeds: np.ndarray
) -> quality.Evaluator:
    """The `quality.Evaluator` of some digits, with the first run's untrained G among its references.

    The untrained G is the upper reference of the Fréchet distance.
    """
    evaluator = quality.make_evaluator(digits)
    d, g = tf.nest.map_structure(lambda value: value.numpy(), experiment.init(tf.constant(seeds[:1])))
    columns, _ = evaluate(settings, evaluator, seeds[:1], training.TrainState(0, d, g, (), ()))
    evaluator.references['untrained'] = {name: float(values[0]) for name, values in columns.items()}
    return evaluator


def train_many(
    settings: Settings,
    seed: int,
    runs: int,
    num_steps: int | None = None,
    every: int = MOST_BETWEEN,
    digits: dataset.Digits | None = None,
) -> outcomes.Ensemble:
    """Trains seeds seed .. seed+runs-1 on the CPU, on the given or the bundled digits: `outcomes.Ensemble`."""
    digits = digits or dataset.bundled()
    experiment = make_experiment(settings, dataset.training_digits(digits)[0])

    def table_of(*trained):
        return results_table(settings, quality.make_evaluator(digits), *trained)

    num_steps = num_steps or VARIANTS[settings.variant].num_steps
    return outcomes.train_many(experiment, table_of, seed, runs, num_steps, every)
