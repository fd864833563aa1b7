"""A small convolutional classifier of digits, trained once per data set and cached."""

import contextlib
import hashlib
import random
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context

from common.program import cli, progress
from common.storage import caches, files

VERSION = 1  # of network and training; raise it with any change to them, so that cached classifiers are not reused
SEED = 0
LARGE = 30_000  # training digits from which a set is large
BATCH_AND_EPOCHS = {True: (128, 6), False: (32, 12)}  # for a large set, and for a small one, which needs more updates per digit
FEATURES = 64  # units of the last hidden layer
AT_ONCE = 1000  # images classified per batch


class Classifier(NamedTuple):
    """A trained classifier and its name."""

    classify: Callable  # images [n, 784] of 0 .. 1 -> (probabilities [n, 10], features [n, 64]), NumPy
    accuracy: float  # on the test digits
    name: str  # of its cache file; depends on the training digits and `VERSION`


def build() -> tuple[tf.keras.Model, tf.keras.Model]:
    """The untrained network: two convolutions, a layer of 64 units (the features), ten classes.

    Returns:
      Two models of images [n, 784] with shared weights: one gives (probabilities, features), the other logits, for training.
    """
    keras = tf.keras
    for seed in (random.seed, np.random.seed, tf.random.set_seed):  # for weights and, later, dropout and shuffling
        seed(SEED)
    image = keras.Input([784])
    x = keras.layers.Reshape([28, 28, 1])(image)
    for filters in (16, 32):
        x = keras.layers.Conv2D(filters, 3, activation='relu')(x)
        x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Dropout(0.3)(keras.layers.Flatten()(x))
    features = keras.layers.Dense(FEATURES, activation='relu')(x)
    logits = keras.layers.Dense(10)(keras.layers.Dropout(0.3)(features))
    return keras.Model(image, [keras.layers.Softmax()(logits), features]), keras.Model(image, logits)


def for_digits(images: np.ndarray, labels: np.ndarray, test_images: np.ndarray, test_labels: np.ndarray) -> Classifier:
    """A classifier trained on these digits, taken from the cache if it is there.

    Args:
      images, labels: training digits, uint8 [n, 784] and [n].
      test_images, test_labels: likewise, to measure the accuracy.

    Returns:
      `Classifier`.

    Raises:
      cli.UserError: Keras computes with something else than TensorFlow.
    """
    if tf.keras.backend.backend() != 'tensorflow':
        raise cli.UserError(f'Keras computes with {tf.keras.backend.backend()}; unset KERAS_BACKEND, or set it to tensorflow')
    name = f'classifier-{_fingerprint(images, labels)}'
    with defaults_of_keras(), restored_generators():
        both, trained = build()
        trained.set_weights(_cached_or_trained(name, trained, images, labels))

    def classify(images):
        with defaults_of_keras():
            parts = [both(images[first : first + AT_ONCE], training=False) for first in range(0, len(images), AT_ONCE)]
        return tuple(np.concatenate([part[i] for part in parts]) for i in range(2))

    probabilities, _ = classify(test_images.astype(np.float32) / 255)
    return Classifier(classify, float((probabilities.argmax(axis=1) == test_labels).mean()), name)


def _cached_or_trained(name, model, images, labels):
    """The weights of the classifier, from the cache gan-tutorials in XDG_CACHE_HOME or ~/.cache; kept there if possible."""
    cache = caches.directory('XDG_CACHE_HOME', '.cache')
    path = cache / 'gan-tutorials' / f'{name}.npz' if cache else None
    weights = _cached(path, model) if path else None
    if weights is not None:
        return weights
    problem = caches.problem(path and path.parent)
    if problem:
        print(f'note: the classifier is trained now and in every run, as it cannot be kept ({problem})', file=sys.stderr)
    weights = train(model, images, labels)
    if not problem:
        try:
            files.write_npz(path, {f'{i:02d}': weight for i, weight in enumerate(weights)})
        except files.CannotWrite as error:
            print(f'note: the classifier is not kept: {error}', file=sys.stderr)
    return weights


@contextlib.contextmanager
def defaults_of_keras() -> Iterator[None]:
    """Inside the block Keras has its own default settings, whatever ~/.keras/keras.json or the caller says."""
    config = tf.keras.config
    settings = (
        (config.floatx, config.set_floatx, 'float32'),
        (config.epsilon, config.set_epsilon, 1e-7),
        (config.image_data_format, config.set_image_data_format, 'channels_last'),
        (config.dtype_policy, config.set_dtype_policy, 'float32'),
        (config.max_epochs, config.set_max_epochs, None),
        (config.max_steps_per_epoch, config.set_max_steps_per_epoch, None),
    )
    before = [(restore, get()) for get, restore, _ in settings]
    for _, change, value in settings:
        change(value)
    try:
        yield
    finally:
        for restore, value in before:
            restore(value)


@contextlib.contextmanager
def restored_generators() -> Iterator[None]:
    """After the block the global random generators of Python, NumPy and TensorFlow are as they were."""
    python, numpy, eager = random.getstate(), np.random.get_state(), context.context()  # noqa: NPY002
    seed, operations = eager._seed, eager._rng.getstate() if hasattr(eager, '_rng') else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        tf.random.set_seed(seed)
        if operations:
            eager._rng.setstate(operations)


def train(model: tf.keras.Model, images: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """Trains the untrained network, showing progress; returns its weights."""
    keras = tf.keras
    batch, epochs = BATCH_AND_EPOCHS[len(images) >= LARGE]
    steps = -(-len(images) // batch)
    schedule = keras.optimizers.schedules.CosineDecay(2e-3, epochs * steps)
    model.compile(keras.optimizers.Adam(schedule), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with progress.progress_bar(epochs * steps, 'training the classifier', 'batches') as bar:
        advance = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: bar.update())
        model.fit(images.astype(np.float32) / 255, labels, batch, epochs, verbose=0, callbacks=[advance])
    return model.get_weights()


def _fingerprint(images, labels):
    """A hash of the digits and `VERSION`."""
    digest = hashlib.sha256(f'version {VERSION}'.encode())
    for array in (images, labels):
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()[:16]


def _cached(path, model):
    """Weights from the cache, or None if there are none that fit."""
    try:
        arrays = files.read_npz(path)
    except files.BadArchive:
        return None
    weights = [arrays[name] for name in sorted(arrays)]
    fits = [weight.shape for weight in weights] == [weight.shape for weight in model.get_weights()]
    return weights if fits and all(np.isfinite(weight).all() for weight in weights) else None
