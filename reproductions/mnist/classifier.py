"""A small convolutional classifier of digits, trained once for each set of digits and kept in a cache."""

import hashlib
import os
import pathlib
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from common.program import progress
from common.storage import files

VERSION = (
    1  # of network and training: to be raised with any change to them, so that nothing of the old ones is taken from the cache
)
SEED = 0
LARGE = 30_000  # training digits
BATCH_AND_EPOCHS = {True: (128, 6), False: (32, 12)}  # of a large set and of a small one, which needs more updates per digit
FEATURES = 64  # of the layer before the last
AT_ONCE = 1000  # images classified in a batch


class Classifier(NamedTuple):
    """A trained network, and which one it is."""

    look: Any  # images [n, 784] of 0 .. 1 -> (probabilities [n, 10], features [n, 64]), NumPy
    accuracy: float  # share of the test digits
    name: str  # of its file in the cache; another for other digits, another network or another training


def build():
    """The network, untrained: two convolutions, a layer of 64 units (the features) and the ten classes.

    Returns:
      Two models of images [n, 784] that share their weights: one gives (probabilities, features), one the logits, for training.
    """
    keras = tf.keras
    keras.utils.set_random_seed(SEED)  # of the weights and, later, of dropout and the order of the digits
    image = keras.Input([784])
    x = keras.layers.Reshape([28, 28, 1])(image)
    for filters in (16, 32):
        x = keras.layers.Conv2D(filters, 3, activation='relu')(x)
        x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Dropout(0.3)(keras.layers.Flatten()(x))
    features = keras.layers.Dense(FEATURES, activation='relu')(x)
    logits = keras.layers.Dense(10)(keras.layers.Dropout(0.3)(features))
    return keras.Model(image, [keras.layers.Softmax()(logits), features]), keras.Model(image, logits)


def for_digits(images, labels, test_images, test_labels):
    """A classifier trained on some digits, from the cache if it was trained on them before.

    Args:
      images, labels: uint8 [n, 784] and [n], to train on.
      test_images, test_labels: the same, for its accuracy.

    Returns:
      `Classifier`.
    """
    both, trained = build()
    path = cache_directory() / f'classifier-{_fingerprint(images, labels)}.npz'
    weights = _cached(path, trained)
    if weights is None:
        weights = train(trained, images, labels)
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_npz(path, {f'{i:02d}': weight for i, weight in enumerate(weights)})
    trained.set_weights(weights)

    def look(images):
        parts = [both(images[first : first + AT_ONCE], training=False) for first in range(0, len(images), AT_ONCE)]
        return tuple(np.concatenate([part[i] for part in parts]) for i in range(2))

    probabilities, _ = look(test_images.astype(np.float32) / 255)
    return Classifier(look, float((probabilities.argmax(axis=1) == test_labels).mean()), path.stem)


def train(model, images, labels):
    """Trains the network, just built, with progress: its weights."""
    keras = tf.keras
    batch, epochs = BATCH_AND_EPOCHS[len(images) >= LARGE]
    steps = -(-len(images) // batch)
    schedule = keras.optimizers.schedules.CosineDecay(2e-3, epochs * steps)
    model.compile(keras.optimizers.Adam(schedule), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with progress.progress_bar(epochs * steps, 'training the classifier', 'batches') as bar:
        advance = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: bar.update())
        model.pretrain_state(images.astype(np.float32) / 255, labels, batch, epochs, verbose=0, callbacks=[advance])
    return model.get_weights()


def cache_directory():
    """Where classifiers are kept: gan-tutorials in XDG_CACHE_HOME, or in ~/.cache."""
    return pathlib.Path(os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache') / 'gan-tutorials'


def _fingerprint(images, labels):
    """Of the digits and `VERSION`."""
    digest = hashlib.sha256(f'version {VERSION}'.encode())
    for array in (images, labels):
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()[:16]


def _cached(path, model):
    """Weights from the cache, or None where there are none that fit."""
    try:
        arrays = files.read_npz(path)
    except files.BadArchive:
        return None
    weights = [arrays[name] for name in sorted(arrays)]
    fits = [weight.shape for weight in weights] == [weight.shape for weight in model.get_weights()]
    return weights if fits and all(np.isfinite(weight).all() for weight in weights) else None
