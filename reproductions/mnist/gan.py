"""The GAN of the MNIST post, to be read beside it from top to bottom.

Data, noise, networks, losses, schedule.
"""

import functools
import itertools

import numpy as np
import tensorflow as tf

from common import training
from common.evaluation import outcomes
from common.nn import layers, losses, optimizers, random
from common.nn.random import Stream
from reproductions.mnist import dataset, quality
from reproductions.mnist.settings import (  # noqa: F401  all that the post fixes, for readers of this file
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


def batch_places(settings, seeds, step, size):
    """Which digits are in the batch of an iteration, int32 [runs, batch].

    Batches follow each other without a gap through one random order of all digits after the other, so that the tail of a pass
    and the head of the next may share a batch, and none is short. The place in this sequence follows from the iteration alone.
    """
    places = tf.cast(step, tf.int64) * settings.batch_size + tf.range(settings.batch_size, dtype=tf.int64)
    return random.permuted(seeds, Stream.ORDER, places // size, places % size, size)


def real_images(settings, images, seeds, step):
    """A batch of digits, [runs, 784, batch] in 0 .. 1, out of `images`, uint8 [n, 784]."""
    batch = tf.gather(images, batch_places(settings, seeds, step, images.shape[0]))
    return tf.cast(tf.transpose(batch, [0, 2, 1]), tf.float32) / 255


def noise(settings, seeds, stream, step, count=None):
    """U(-1, 1), [runs, 100, count]; a larger count begins with the same columns, and `count` is a batch if it is not given."""
    size, count = settings.g_widths[0], count or settings.batch_size
    signed = 2 * random.uniform(seeds, stream, step, count * size) - 1
    return tf.transpose(tf.reshape(signed, [-1, count, size]), [0, 2, 1])


# --- Networks -----------------------------------------------------------------------------------------------------------------


def init_mlp(widths, seeds, stream):
    """Linear layers with weights N(0, 2 / inputs), which the post calls Xavier's, and biases 0."""
    linears = layers.normal_linears(seeds, stream, [(b, a) for a, b in itertools.pairwise(widths)])
    scales = [np.float32(np.sqrt(2 / inputs)) for inputs in widths[:-1]]
    return tuple(layer._replace(w=layer.w * scale) for layer, scale in zip(linears, scales, strict=True))


def activations(params, x):
    """What each layer is given: x and then, through relu, the hidden units of each layer but the last, [runs, units, batch]."""
    found = [x]
    for layer in params[:-1]:
        found.append(tf.nn.relu(layers.dense(found[-1], layer)))
    return found


def generator(settings, g, z):
    """Images, the sigmoid of a linear last layer: [runs, 100, batch] -> [runs, 784, batch] in 0 .. 1."""
    del settings  # the widths are those of the weights
    return tf.sigmoid(layers.dense(activations(g, z)[-1], g[-1]))


def discriminator(settings, d, x):
    """The probability that an image is real: [runs, 784, batch] -> [runs, 1, batch]."""
    return tf.sigmoid(discriminator_logits(settings, d, x))


def discriminator_logits(settings, d, x):
    """Logits of the probability that an image is real: [runs, 784, batch] -> [runs, 1, batch].

    The last layer, of one unit, is a product and a sum: as a `matmul` XLA runs it, and the relu before it, on one core without
    vectors (20 microseconds of the 3,500 of an iteration each time, in which the other core mostly waits).
    """
    del settings
    w, b = d[-1]
    return tf.reduce_sum(tf.transpose(w, [0, 2, 1]) * activations(d, x)[-1], axis=1, keepdims=True) + b


# --- Losses and schedule ------------------------------------------------------------------------------------------------------


def loss_of_d(settings, d, g, x, z):
    """D's loss on real and on generated images, without a half, [runs].

    D sees both in one pass: half as many products, of twice the size, keep two cores busier.
    """
    logits = discriminator_logits(settings, d, tf.concat([x, generator(settings, g, z)], axis=2))
    count = x.shape[2]
    real = losses.cross_entropy_of_logits(logits[:, :, :count], 1)
    return real + losses.cross_entropy_of_logits(logits[:, :, count:], 0)


def loss_of_g(settings, d, g, z):
    """G's loss: its images labelled as real, [runs]."""
    return losses.cross_entropy_of_logits(discriminator_logits(settings, d, generator(settings, g, z)), 1)


def make_train_step(settings, images):
    """The adversarial training on `images`, uint8 [n, 784]. Both updates of an iteration draw the same noise (the post's)."""
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


def make_experiment(settings, images=None):
    """The settings made runnable on `images`, uint8 [n, 784], or on the bundled digits."""
    images = dataset.training_digits(dataset.bundled())[0] if images is None else images
    return experiment_of(settings, make_train_step(settings, images))


def experiment_of(settings, train_step):
    """A game of this post made runnable. There is no pre-training."""
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
def compiled_evaluation(settings, count):
    """Compiled (seeds [1], d, g, training images, test images) -> (G [count, 784], {column: []}), images [m, 784].

    One run at a time, on noise that depends on its seed alone. `d_*` are means of D; `dead_g` is the share of G's hidden units
    that are 0 for every noise, `saturated` that of its pixels where the sigmoid's slope is below 1e-4, of 1/4 at most.
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


def evaluate(settings, judge, seeds, train_state):
    """Judges every run: ({column: [runs]}, sheets uint8 [runs, 100, 784]). NaN where an image or a decision is not finite.

    Args:
      settings: `Settings`.
      judge: `Judge`.
      seeds: uint32 [runs].
      players: `training.TrainState` of NumPy arrays.
    """
    rows, sheets = [], []
    for row in range(len(seeds)):
        d, g = tf.nest.map_structure(lambda value, row=row: tf.constant(value[row : row + 1]), (train_state.d, train_state.g))
        count = len(judge.test)
        seed = tf.constant(seeds[row : row + 1])
        images, columns = compiled_evaluation(settings, count)(seed, d, g, judge.images[:count], judge.test)
        images, columns = images.numpy(), {name: value.numpy() for name, value in columns.items()}
        if np.isfinite(images).all() and np.isfinite(list(columns.values())).all():
            columns |= quality.quality(judge, images)
        else:
            columns = dict.fromkeys(quality.COLUMNS, np.nan)
        rows.append([columns[name] for name in quality.COLUMNS])
        sheets.append(quality.as_bytes(images[: quality.SHEET]))
    return dict(zip(quality.COLUMNS, np.array(rows, np.float64).T, strict=True)), np.stack(sheets)


def watcher(settings, judge, seeds, num_steps, sheet_every, eval_every):
    """(watch, watched) for `session.train`: evaluations and sheets of the first run on the way, as records.

    Both are taken after iteration 0, their interval, twice that, ..., and at the end. Records: `eval_step` [1] and every
    column [runs, 1]; `sheet_step` [1] and `sheets` uint8 [1, 100, 784, 1].
    """

    def due(step, every):
        return (step - 1) % every == 0 or step == num_steps

    def watched(step):
        return due(step, sheet_every) or due(step, eval_every)

    def watch(step, train_state):
        if due(step, eval_every):
            columns, sheets = evaluate(settings, judge, seeds, train_state)
            found = {'eval_step': np.array([step - 1])} | {name: values[:, None] for name, values in columns.items()}
        else:
            sheets, found = sheet(settings, seeds[:1], train_state), {}
        return found | {'sheet_step': np.array([step - 1]), 'sheets': sheets[:1, ..., None]}

    return watch, watched


def sheet(settings, seeds, train_state):
    """The fixed noise of some first runs through their G, uint8 [len(seeds), 100, 784]."""
    g = tf.nest.map_structure(lambda value: tf.constant(value[: len(seeds)]), train_state.g)
    images = generator(settings, g, noise(settings, tf.constant(seeds), Stream.FIGURE, 0, quality.SHEET)).numpy()
    return quality.as_bytes(images.transpose(0, 2, 1))


def results_table(settings, judge, seeds, train_state, history):
    """The columns of results.csv, a value a run.

    Args:
      settings: `Settings`.
      judge: `Judge`.
      seeds: uint32 [runs].
      players: `training.TrainState` of NumPy arrays.
      history: {name: array}, joined records of `session.train`.

    Returns:
      {column: [runs]}. The last evaluation is used if it is of these players; losses are means over the last 100 iterations.
    """
    if 'eval_step' in history and history['eval_step'][-1] == train_state.step - 1:
        columns = {name: history[name][:, -1] for name in quality.COLUMNS}
    else:
        columns, _ = evaluate(settings, judge, seeds, train_state)
    table = {'seed': seeds} | quality.verdict_columns(judge.references, columns) | columns
    for name in ('loss_d', 'loss_g'):
        table[name] = training.settled_mean(history['step'], history[name])
    return table


def judge_with_untrained(settings, digits, experiment, seeds):
    """The `quality.Judge` of some digits; among its references is what it finds of the first run before training.

    That is the ceiling of the Fréchet distance.
    """
    judge = quality.make_judge(digits)
    d, g = tf.nest.map_structure(lambda value: value.numpy(), experiment.init(tf.constant(seeds[:1])))
    columns, _ = evaluate(settings, judge, seeds[:1], training.TrainState(0, d, g, (), ()))
    judge.references['untrained'] = {name: float(values[0]) for name, values in columns.items()}
    return judge


def train_many(settings, seed, runs, num_steps=None, every=MOST_BETWEEN, digits=None):
    """Trains seeds seed .. seed+runs-1 on the CPU, on some digits or the bundled ones: `outcomes.Ensemble`."""
    digits = digits or dataset.bundled()
    experiment = make_experiment(settings, dataset.training_digits(digits)[0])
    table_of = functools.partial(results_table, settings, quality.make_judge(digits))
    num_steps = num_steps or VARIANTS[settings.variant].num_steps
    return outcomes.train_many(experiment, table_of, seed, runs, num_steps, every)
