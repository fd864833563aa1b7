"""Quality of generated digits: what is measured, by what, and what counts as success."""

import functools
import pathlib
import warnings
from typing import NamedTuple

import numpy as np

from common.evaluation import claims
from common.say import say
from common.storage import files
from reproductions.mnist import classifier, dataset, image_metrics
from reproductions.mnist.settings import CLASSES

GRID_SIZE = 100  # generated digits in a sample grid, from fixed noise
NEAREST = 1000  # digits for which the nearest training digit is searched
COVERED = 0.01  # a class is covered if it has this fraction of the generated digits; the rarest has 8.9 % of the data
COLLAPSED = 0.5  # a run has collapsed if one class has this fraction
TRUSTED = 0.9  # accuracy of a classifier that is believed; on the bundled 10,000 digits it has 0.97
OBEYED = 0.5  # a class is given on request if this fraction of its digits is recognized as that class
CONFIDENT = 0.9  # the classifier is sure of a digit if its class has this probability
COLUMNS = (
    'classes_covered', 'largest_share', *(f'share_{i}' for i in range(10)), 'confidence', 'confident', 'score', 'frechet',
    'nearest', 'nearest_other', 'd_train', 'd_real', 'd_fake', 'dead_g', 'saturated',
)  # fmt: skip
AS_ASKED = (  # columns that only a conditional GAN has
    'recognized', *(f'recognized_{i}' for i in range(10)), 'pixel_mean', 'pixel_std_within_class', 'class_mean_distance',
)  # fmt: skip


def column_names(conditional: bool) -> tuple[str, ...]:
    """The columns of an evaluation."""
    return COLUMNS + AS_ASKED if conditional else COLUMNS


class Evaluator(NamedTuple):
    """What generated digits are compared with. As many are evaluated as there are test digits."""

    classifier: classifier.Classifier
    images: np.ndarray  # training digits, float32 [n, 784] in 0 .. 1
    labels: np.ndarray  # and what they are, [n]
    test: np.ndarray  # test digits, likewise
    test_labels: np.ndarray
    moments: image_metrics.Moments  # of the classifier's features on the test digits
    references: dict[str, dict[str, float]]  # the same metrics for real digits, see `make_evaluator`
    digits: dataset.Digits


def quality(evaluator: Evaluator, images: np.ndarray) -> dict[str, float]:
    """The columns of results.csv that depend on the images alone, float32 [n, 784]: {name: number}."""
    probabilities, features = evaluator.classifier.classify(images)
    shares, sure = image_metrics.class_shares(probabilities), probabilities.max(axis=1)
    some = images[:NEAREST]
    return {
        'classes_covered': int((shares >= COVERED).sum()),
        'largest_share': shares.max(),
        **{f'share_{i}': share for i, share in enumerate(shares)},
        'confidence': sure.mean(dtype=np.float64),
        'confident': (sure >= CONFIDENT).mean(),
        'score': image_metrics.entropy_score(probabilities),
        'frechet': image_metrics.frechet_distance(evaluator.moments, image_metrics.moments(features)),
        'nearest': image_metrics.nearest_distances(some, evaluator.images).mean(dtype=np.float64),
        'nearest_other': image_metrics.nearest_distances(some, some, skip_same_row=True).mean(dtype=np.float64),
    }


def as_asked(evaluator: Evaluator, images: np.ndarray, asked: np.ndarray) -> dict[str, float]:
    """The columns of a conditional GAN: images float32 [n, 784] of which the classes `asked` [n] were wanted, {name: number}.

    `recognized` is the share that the classifier takes for the class asked for, `pixel_std_within_class` the standard deviation
    of a pixel over the images of a class, averaged over pixels and classes, and `class_mean_distance` the distance of a class's
    mean image from that of the training digits, averaged over classes: as in the reference outcomes of the author's program.
    A class that nobody asked for has NaN.
    """
    right = evaluator.classifier.classify(images)[0].argmax(axis=1) == asked
    with np.errstate(invalid='ignore'), warnings.catch_warnings():
        warnings.simplefilter('ignore', RuntimeWarning)  # of a mean over no image
        shares = [right[asked == k].mean() for k in range(CLASSES)]
    means, wanted = (class_means(*some) for some in ((images, asked), (evaluator.images, evaluator.labels)))
    return {
        'recognized': right.mean(),
        **{f'recognized_{k}': share for k, share in enumerate(shares)},
        'pixel_mean': images.mean(dtype=np.float64),
        'pixel_std_within_class': pixel_std_within_class(images, asked),
        'class_mean_distance': np.nanmean(np.linalg.norm(means - wanted, axis=1)),
    }


def pixel_std_within_class(images: np.ndarray, labels: np.ndarray) -> float:
    """Standard deviation of a pixel over the images of a class, [n, 784] and [n], averaged over pixels and classes."""
    groups = [images[labels == k] for k in np.unique(labels)]
    return float(np.mean([group.std(axis=0, dtype=np.float64).mean() for group in groups]))


def class_means(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The mean image of each class, [n, 784] and [n] -> float64 [10, 784]; NaN for a class without images."""
    sums, counts = np.zeros([CLASSES, images.shape[1]]), np.bincount(labels, minlength=CLASSES)
    for k in np.flatnonzero(counts):
        sums[k] = images[labels == k].sum(axis=0, dtype=np.float64)
    with np.errstate(invalid='ignore'):
        return sums / counts[:, None]


def scale(images: np.ndarray) -> np.ndarray:
    """Bytes as float32 in 0 .. 1."""
    scaled = images.astype(np.float32)
    scaled /= 255  # in place: all of MNIST takes 170 MB
    return scaled


@functools.lru_cache(maxsize=1)
def make_evaluator(digits: dataset.Digits) -> Evaluator:
    """The `Evaluator` of some digits; trains the classifier unless it is cached.

    Its references are the same metrics for real digits:
      test: the test digits. Their Fréchet distance to themselves is 0.
      training: equally many training digits. Their Fréchet distance to the test digits is the lowest that a perfect generator
        can be expected to reach. Their distance to the nearest training digit is no reference: it is 0.
      without_k: these training digits without class k: the Fréchet distance of a generator that misses one class and is perfect
        otherwise.
    """
    images, labels = dataset.training_digits(digits)
    trained = classifier.for_digits(images, labels, digits.x_test, digits.y_test)
    test, scaled = (scale(array) for array in (digits.x_test, images))
    moments = image_metrics.moments(trained.classify(test)[1])
    evaluator = Evaluator(trained, scaled, labels, test, digits.y_test, moments, {}, digits)
    evaluator.references['test'] = quality(evaluator, test) | as_asked(evaluator, test, digits.y_test)
    some, classes = scaled[: len(test)], labels[: len(test)]
    evaluator.references['training'] = quality(evaluator, some)
    _, features = trained.classify(some)
    for k in range(CLASSES):
        distance = image_metrics.frechet_distance(evaluator.moments, image_metrics.moments(features[classes != k]))
        evaluator.references[f'without_{k}'] = {'frechet': distance}
    return evaluator


def as_bytes(images: np.ndarray) -> np.ndarray:
    """Images in 0 .. 1 as uint8; pixels that are not finite become black."""
    return np.round(255 * np.nan_to_num(images)).astype(np.uint8)


def verdict_columns(references: dict[str, dict[str, float]], columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """{'finite', 'success', 'collapsed'}, [runs] or any shape, from the columns of an evaluation.

    A run has collapsed if half of its digits are of one class. It succeeds if it is finite, covers all ten classes and has a
    smaller Fréchet distance than real digits with one class missing (the class whose absence matters least). A conditional run
    must also give every class on request: whoever asks for a digit gets that digit more often than not (`OBEYED`).
    """
    finite = np.isfinite(columns['frechet'])
    bound = success_threshold(references)
    with np.errstate(invalid='ignore'):
        success = finite & (columns['classes_covered'] == CLASSES) & (columns['frechet'] < bound)
        if 'recognized' in columns:
            success &= np.all([columns[f'recognized_{k}'] >= OBEYED for k in range(CLASSES)], axis=0)
        collapsed = finite & (columns['largest_share'] >= COLLAPSED)
    return {'finite': finite.astype(int), 'success': success.astype(int), 'collapsed': collapsed.astype(int)}


def success_threshold(references: dict[str, dict[str, float]]) -> float:
    """The Fréchet distance below which a run succeeds: the smallest of real digits with one class missing."""
    return min(references[f'without_{k}']['frechet'] for k in range(CLASSES))


def doubt(evaluator: Evaluator) -> str:
    """A line for the user if the classifier is too poor a judge, or ''."""
    accuracy = evaluator.classifier.accuracy
    if accuracy >= TRUSTED:
        return ''
    return f'the classifier recognizes only {accuracy:.0%} of the test digits, so classes, scores and success mean little'


def write_references(directory: pathlib.Path, evaluator: Evaluator, untrained: dict[str, float]) -> dict[str, dict[str, float]]:
    """Writes and returns references.json: the classifier's accuracy, the metrics of real digits and of the untrained G."""
    accuracy = {'classifier': {'accuracy': evaluator.classifier.accuracy}}
    references = accuracy | evaluator.references | {'untrained': untrained}
    files.write_json(directory / 'references.json', references)
    return references


def summary(table: dict[str, np.ndarray], evaluator: Evaluator, untrained: dict[str, float]) -> None:
    """Prints the results beside those of the untrained G and of real digits."""
    real = evaluator.references['test'] | {'frechet': evaluator.references['training']['frechet'], 'd_real': 0.5, 'd_fake': 0.5}
    say(f'\nclassifier: {evaluator.classifier.accuracy:.2%} accuracy on the test digits')
    for name in ('finite', 'success', 'collapsed'):
        estimate = claims.proportion(table[name] == 1)
        say(f'{name}: {(table[name] == 1).sum()} of {estimate.n} [{estimate.low:.1%}, {estimate.high:.1%}]')
    if not table['finite'].any():
        say('every run diverged: there is nothing finite to summarize')
        return
    conditional = 'recognized' in table
    names = ('classes_covered', 'confident', 'score', 'frechet', 'nearest', 'nearest_other', 'd_real', 'd_fake')
    if conditional:
        names += ('recognized', *(f'recognized_{k}' for k in range(CLASSES)), 'pixel_std_within_class')
    width = max(16, *(len(name) + 2 for name in names))
    note = '' if len(table['seed']) == 1 else '  (medians over seeds)'
    say(f'{"":{width}}{"ours":>10}{"untrained":>11}{"target":>10}{note}')
    for name in names:
        say(f'{name:{width}}{np.nanmedian(table[name]):10.4g}{untrained[name]:11.4g}{real[name]:10.4g}')
