"""The classifier of digits: its accuracy, that it is reproducible, and that it is trained only once."""

import numpy as np
import pytest

from reproductions.mnist import classifier, dataset


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    return tmp_path / 'gan-tutorials'


def some(count=300):
    digits = dataset.bundled()
    return digits.x_train[:count], digits.y_train[:count], digits.x_test[:200], digits.y_test[:200]


@pytest.mark.statistical  # a full training
def test_accuracy_on_the_bundled_digits(cache):
    """The page says 97.2 %; a classifier with twice as many errors would be of no use."""
    digits = dataset.bundled()
    found = classifier.for_digits(digits.x_train[666:], digits.y_train[666:], digits.x_test, digits.y_test)
    assert found.accuracy > 0.944
    images = digits.x_test.astype(np.float32) / 255
    probabilities, features = found.classify(images)
    assert probabilities.shape == (2000, 10) and features.shape == (2000, classifier.FEATURES)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert (probabilities.argmax(axis=1) == digits.y_test).mean() == found.accuracy and features.min() == 0
    np.testing.assert_allclose(found.classify(images[1500:1510])[1], features[1500:1510], rtol=1e-4, atol=1e-5)


def test_trained_once_and_reproducible(cache, monkeypatch):
    images, labels, *test = some()
    look, accuracy, name = classifier.for_digits(images, labels, *test)
    (path,) = cache.iterdir()
    assert path.name == f'{name}.npz'
    weights = path.read_bytes()
    path.write_bytes(weights[:1000])  # a damaged cache does no harm
    assert classifier.for_digits(images, labels, *test).accuracy == accuracy
    assert path.read_bytes() == weights

    def never(*arguments):
        raise AssertionError('trained again')

    monkeypatch.setattr(classifier, 'train', never)
    again = classifier.for_digits(images, labels, *test)
    x = test[0].astype(np.float32) / 255
    np.testing.assert_array_equal(again.classify(x)[0], look(x)[0])
    with pytest.raises(AssertionError, match='trained again'):
        classifier.for_digits(images[1:], labels[1:], *test)
