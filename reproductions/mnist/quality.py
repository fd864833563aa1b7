"""How good generated digits are: what is judged, by what, and what counts as success."""

from typing import NamedTuple

import numpy as np

from common.evaluation import claims
from common.storage import files
from reproductions.mnist import classifier, dataset, image_metrics

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
    images, labels = dataset.training_digits(digits)
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


def as_bytes(images):
    """Images of 0 .. 1 as uint8; what is not finite is black."""
    return np.round(255 * np.nan_to_num(images)).astype(np.uint8)


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


def write_references(directory, judge):
    """Writes references.json: how sure the classifier is, and what the evaluation finds of real and of untrained digits."""
    accuracy = {'classifier': {'accuracy': judge.classifier.accuracy}}
    files.write_json(directory / 'references.json', accuracy | judge.references)


def summary(table, judge):
    """Prints what came out beside the same numbers of real digits."""
    real, untrained = judge.references['test'], judge.references['untrained']
    real = real | {'frechet': judge.references['training']['frechet'], 'd_real': 0.5, 'd_fake': 0.5}
    print(f'\nclassifier: {judge.classifier.accuracy:.2%} of the test digits')
    for name in ('finite', 'success', 'collapsed'):
        estimate = claims.proportion(table[name] == 1)
        print(f'{name}: {(table[name] == 1).sum()} of {estimate.n} [{estimate.low:.1%}, {estimate.high:.1%}]')
    if not table['finite'].any():
        print('every run diverged: there is nothing finite to summarise')
        return
    print(f'{"":16}{"ours":>10}{"untrained":>11}{"target":>10}' + ('' if len(table['seed']) == 1 else '  (medians over seeds)'))
    for name in ('classes_covered', 'confident', 'score', 'frechet', 'nearest', 'nearest_other', 'd_real', 'd_fake'):
        print(f'{name:16}{np.nanmedian(table[name]):10.4g}{untrained[name]:11.4g}{real[name]:10.4g}')
