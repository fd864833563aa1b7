"""How good generated digits are: what is judged, by what, and what counts as success."""

import functools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from common import training
from common.nn.random import Stream
from reproductions.mnist import classifier, dataset, gan, image_metrics

SHEET = 100  # generated digits of one fixed noise, shown and kept
NEAREST = 1000  # digits whose nearest training digits are looked for
COVERED = 0.01  # a class is covered if it has this share of the generated digits; the rarest has 8.9 % of the data
COLLAPSED = 0.5  # training has collapsed if one class has this share
CONFIDENT = 0.9  # probability of its class from which the classifier counts as sure of a digit
COLUMNS = (
    'classes_covered', 'largest_share', *(f'share_{i}' for i in range(10)), 'confidence', 'confident', 'score', 'frechet',
    'nearest', 'nearest_other', 'd_train', 'd_real', 'd_fake', 'dead_g', 'saturated',
)  # fmt: skip


class Judge(NamedTuple):
    """What generated digits are judged by. As many are judged as there are test digits."""

    classifier: classifier.Classifier
    images: np.ndarray  # those trained on, float32 [n, 784] in 0 .. 1
    test: np.ndarray  # test digits, likewise
    moments: image_metrics.Moments  # of the classifier's features of the test digits
    references: dict[str, dict[str, float]]  # the same numbers of real digits: see `make_judge`


def quality(judge, images):
    """The columns of results.csv that need nothing but the images, float32 [n, 784]: {name: number}."""
    probabilities, features = judge.classifier.look(images)
    shares, sure = image_metrics.class_shares(probabilities), probabilities.max(axis=1)
    some = images[:NEAREST]
    return {
        'classes_covered': int((shares >= COVERED).sum()),
        'largest_share': shares.max(),
        **{f'share_{i}': share for i, share in enumerate(shares)},
        'confidence': sure.mean(dtype=np.float64),
        'confident': (sure >= CONFIDENT).mean(),
        'score': image_metrics.entropy_score(probabilities),
        'frechet': image_metrics.frechet_distance(judge.moments, image_metrics.moments(features)),
        'nearest': image_metrics.nearest_distances(some, judge.images).mean(dtype=np.float64),
        'nearest_other': image_metrics.nearest_distances(some, some, skip_same_row=True).mean(dtype=np.float64),
    }


def scale(images):
    """Bytes as float32 in 0 .. 1."""
    scaled = images.astype(np.float32)
    scaled /= 255  # in place: all of MNIST takes 170 MB
    return scaled


def make_judge(digits):
    """The `Judge` of some digits; trains the classifier, unless it is in the cache.

    Its references are the same numbers of real digits:
      test: the test digits, with their nearest training digits; their Fréchet distance to themselves is 0.
      training: as many of the training digits, whose Fréchet distance to the test digits is the floor that a perfect generator
        comes to; for their nearest training digits they are no reference, as they are among them.
      without_k: those training digits but for class k, so the Fréchet distance of a generator that lacks one class and is
        perfect otherwise.
    """
    images, labels = gan.training_digits(digits)
    looker = classifier.for_digits(images, labels, digits.x_test, digits.y_test)
    test, scaled = (scale(array) for array in (digits.x_test, images))
    judge = Judge(looker, scaled, test, image_metrics.moments(looker.look(test)[1]), {})
    judge.references['test'] = quality(judge, test)
    some, classes = scaled[: len(test)], labels[: len(test)]
    judge.references['training'] = quality(judge, some)
    _, features = looker.look(some)
    for k in range(dataset.CLASSES):
        distance = image_metrics.frechet_distance(judge.moments, image_metrics.moments(features[classes != k]))
        judge.references[f'without_{k}'] = {'frechet': distance}
    return judge


@functools.cache
def compiled_evaluation(settings, count):
    """Compiled (seeds [1], d, g, training images, test images) -> (G [count, 784], {column: []}), images [m, 784].

    One run at a time, on noise that depends on its seed alone. `d_*` are means of D; `dead_g` is the share of G's hidden units
    that are 0 for every noise, `saturated` that of its pixels where the sigmoid's slope is below 1e-4, of 1/4 at most.
    """

    @tf.function(jit_compile=True, autograph=False)
    def evaluate(seeds, d, g, train, test):
        z = gan.noise(settings, seeds, Stream.FIGURE, 0, count)
        generated = gan.generator(g, z)
        units = tf.concat(gan.activations(g, z)[1:], axis=1)

        def mean_of_d(images):
            return tf.reduce_mean(tf.sigmoid(gan.discriminator_logits(d, images)))

        columns = {
            'd_train': mean_of_d(tf.transpose(train)[None]),
            'd_real': mean_of_d(tf.transpose(test)[None]),
            'd_fake': mean_of_d(generated),
            'dead_g': tf.reduce_mean(tf.cast(tf.reduce_max(units, axis=2) == 0, tf.float32)),
            'saturated': tf.reduce_mean(tf.cast(generated * (1 - generated) < 1e-4, tf.float32)),
        }
        return tf.transpose(generated[0]), columns

    return evaluate


def evaluate(settings, judge, seeds, players):
    """Judges every run: ({column: [runs]}, sheets uint8 [runs, 100, 784]). NaN where an image or a decision is not finite.

    Args:
      settings: `Settings`.
      judge: `Judge`.
      seeds: uint32 [runs].
      players: `training.Players` of NumPy arrays.
    """
    rows, sheets = [], []
    for row in range(len(seeds)):
        d, g = tf.nest.map_structure(lambda value, row=row: tf.constant(value[row : row + 1]), (players.d, players.g))
        count = len(judge.test)
        seed = tf.constant(seeds[row : row + 1])
        images, columns = compiled_evaluation(settings, count)(seed, d, g, judge.images[:count], judge.test)
        images, columns = images.numpy(), {name: value.numpy() for name, value in columns.items()}
        if np.isfinite(images).all() and np.isfinite(list(columns.values())).all():
            columns |= quality(judge, images)
        else:
            columns = dict.fromkeys(COLUMNS, np.nan)
        rows.append([columns[name] for name in COLUMNS])
        sheets.append(as_bytes(images[:SHEET]))
    return dict(zip(COLUMNS, np.array(rows, np.float64).T, strict=True)), np.stack(sheets)


def as_bytes(images):
    """Images of 0 .. 1 as uint8; what is not finite is black."""
    return np.round(255 * np.nan_to_num(images)).astype(np.uint8)


def watcher(settings, judge, seeds, num_steps, sheet_every, eval_every):
    """(watch, watched) for `session.train`: evaluations and sheets of the first run on the way, as records.

    Both are taken after iteration 0, their interval, twice that, ..., and at the end. Records: `eval_step` [1] and every
    column [runs, 1]; `sheet_step` [1] and `sheets` uint8 [1, 100, 784, 1].
    """

    def due(step, every):
        return (step - 1) % every == 0 or step == num_steps

    def watched(step):
        return due(step, sheet_every) or due(step, eval_every)

    def watch(step, players):
        if due(step, eval_every):
            columns, sheets = evaluate(settings, judge, seeds, players)
            found = {'eval_step': np.array([step - 1])} | {name: values[:, None] for name, values in columns.items()}
        else:
            sheets, found = sheet(settings, seeds[:1], players), {}
        return found | {'sheet_step': np.array([step - 1]), 'sheets': sheets[:1, ..., None]}

    return watch, watched


def sheet(settings, seeds, players):
    """The fixed noise of some first runs through their G, uint8 [len(seeds), 100, 784]."""
    g = tf.nest.map_structure(lambda value: tf.constant(value[: len(seeds)]), players.g)
    images = gan.generator(g, gan.noise(settings, tf.constant(seeds), Stream.FIGURE, 0, SHEET)).numpy()
    return as_bytes(images.transpose(0, 2, 1))


def verdict_columns(references, columns):
    """{'finite', 'success', 'collapsed'} [runs or any shape] of the columns of an evaluation.

    A run has collapsed if half of its digits are of one class. It succeeds if it is finite, covers all ten classes and its
    Fréchet distance is below that of real digits without one of the classes (the class that is missed least): what is wrong
    with its digits weighs less than a missing class.
    """
    finite = np.isfinite(columns['frechet'])
    bound = success_bound(references)
    with np.errstate(invalid='ignore'):
        success = finite & (columns['classes_covered'] == dataset.CLASSES) & (columns['frechet'] < bound)
        collapsed = finite & (columns['largest_share'] >= COLLAPSED)
    return {'finite': finite.astype(int), 'success': success.astype(int), 'collapsed': collapsed.astype(int)}


def success_bound(references):
    """The Fréchet distance below which a run succeeds: the least of real digits without one class."""
    return min(references[f'without_{k}']['frechet'] for k in range(dataset.CLASSES))


def results_table(settings, judge, seeds, players, history):
    """The columns of results.csv, a value a run.

    Args:
      settings: `Settings`.
      judge: `Judge`.
      seeds: uint32 [runs].
      players: `training.Players` of NumPy arrays.
      history: {name: array}, joined records of `session.train`.

    Returns:
      {column: [runs]}. The last evaluation is used if it is of these players; losses are means over the last 100 iterations.
    """
    if 'eval_step' in history and history['eval_step'][-1] == players.step - 1:
        columns = {name: history[name][:, -1] for name in COLUMNS}
    else:
        columns, _ = evaluate(settings, judge, seeds, players)
    table = {'seed': seeds} | verdict_columns(judge.references, columns) | columns
    for name in ('loss_d', 'loss_g'):
        table[name] = training.settled_mean(history['step'], history[name])
    return table
