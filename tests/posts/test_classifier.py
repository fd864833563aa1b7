"""The classifier of digits: its accuracy, that it is reproducible whatever Keras's settings are, and trained only once."""

import random

import numpy as np
import pytest
import tensorflow as tf

from common.program import cli
from common.storage import files
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


@pytest.mark.statistical
def test_settings_of_keras_change_nothing_and_stay(cache):
    """And neither do the global random generators, whose next numbers are as if no classifier had been built."""
    config, (images, labels, *test) = tf.keras.config, some()
    look, accuracy, name = classifier.for_digits(images, labels, *test)
    weights, x = (cache / f'{name}.npz').read_bytes(), test[0].astype(np.float32) / 255
    (cache / f'{name}.npz').unlink()
    before = [get() for get in (config.floatx, config.epsilon, config.image_data_format, config.dtype_policy)]
    try:
        config.set_floatx('float16')
        config.set_epsilon(0.1)
        config.set_image_data_format('channels_first')
        config.set_dtype_policy('mixed_bfloat16')
        config.set_max_epochs(1)
        again = classifier.for_digits(images, labels, *test)
        assert (cache / f'{name}.npz').read_bytes() == weights and again.accuracy == accuracy
        np.testing.assert_array_equal(again.classify(x)[1], look(x)[1])
        found = config.floatx(), config.epsilon(), config.image_data_format(), config.dtype_policy().name, config.max_epochs()
        assert found == ('float16', 0.1, 'channels_first', 'mixed_bfloat16', 1)
    finally:
        config.set_floatx(before[0])
        config.set_epsilon(before[1])
        config.set_image_data_format(before[2])
        config.set_dtype_policy(before[3])
        config.set_max_epochs(None)


@pytest.mark.parametrize('seed', [5, None])
def test_global_random_generators_go_on_as_if_there_had_been_no_classifier(seed, cache):
    def start():
        random.seed(5)
        np.random.seed(5)  # noqa: NPY002
        tf.random.set_seed(seed)
        drawn()

    def drawn():
        own = [] if seed is None else tf.random.uniform([2]).numpy()
        return [random.random(), np.random.rand(), *own]  # noqa: NPY002

    start()
    expected = drawn()
    start()
    classifier.for_digits(*some(40))
    assert drawn() == expected


def test_other_back_ends_are_refused_in_one_line(cache, monkeypatch):
    monkeypatch.setattr(tf.keras.backend, 'backend', lambda: 'jax')
    with pytest.raises(cli.UserError, match='Keras computes with jax; unset KERAS_BACKEND'):
        classifier.for_digits(*some(40))


@pytest.mark.statistical
def test_without_a_place_to_keep_it_there_is_one_note_before_the_training(tmp_path, monkeypatch, capsys):
    (tmp_path / 'file').write_text('', encoding='utf-8')
    told, train = [], classifier.train
    monkeypatch.setattr(classifier, 'train', lambda *args: told.append(capsys.readouterr().err) or train(*args))
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'file'))
    classifier.for_digits(*some(40))
    monkeypatch.delenv('XDG_CACHE_HOME')
    monkeypatch.setattr(classifier.caches.pathlib.Path, 'home', lambda: (_ for _ in ()).throw(RuntimeError('no home')))
    classifier.for_digits(*some(40))
    assert [note.count('\n') for note in told] == [1, 1]
    assert 'cannot be kept' in told[0] and 'Not a directory' in told[0] and '(there is no home directory)' in told[1]


def test_a_full_disk_does_not_cost_the_classifier(cache, monkeypatch, capsys):
    def full(path, arrays):
        raise files.CannotWrite(f'{path} cannot be written (No space left on device)')

    monkeypatch.setattr(files, 'write_npz', full)
    assert 0 <= classifier.for_digits(*some(40)).accuracy <= 1
    assert capsys.readouterr().err.startswith('note: the classifier is not kept: ')
