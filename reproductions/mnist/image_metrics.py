"""Quality and diversity of generated images, from a classifier's outputs and from pixels."""

from typing import NamedTuple

import numpy as np

CHUNK = 100  # images whose distances to all others are computed at once: 20 MB for 55,000 others


class Moments(NamedTuple):
    """Mean [features] and covariance [features, features] of a sample of features, in double precision."""

    mean: np.ndarray
    covariance: np.ndarray


def moments(features: np.ndarray) -> Moments:
    """`Moments` of [n, features]."""
    features = np.asarray(features, np.float64)
    return Moments(features.mean(axis=0), np.cov(features, rowvar=False))


def frechet_distance(a: Moments, b: Moments) -> float:
    """Fréchet distance between two Gaussians, given their `Moments` (Dowson & Landau 1982; Heusel et al. 2017).

    |m_a - m_b|^2 + tr(A + B - 2 (A B)^(1/2)). A general matrix square root fails on covariances of low rank, which collapsed
    samples have (and features that are never active). But the square root of A B has the same trace as that of
    A^(1/2) B A^(1/2), which is symmetric, as is A. So both roots follow from eigenvalues, some of which rounding may make
    slightly negative.
    """
    values, vectors = np.linalg.eigh(a.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ b.covariance @ root), 0)).sum()
    apart = np.square(a.mean - b.mean).sum()
    return float(apart + np.trace(a.covariance) + np.trace(b.covariance) - 2 * cross)


def class_shares(probabilities: np.ndarray) -> np.ndarray:
    """Fraction of images assigned to each class, [n, classes] -> [classes]."""
    counts = np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1])
    return counts / len(probabilities)


def entropy_score(probabilities: np.ndarray) -> float:
    """exp of the mean Kullback-Leibler divergence of p(class | image) from p(class) (Salimans et al. 2016, section 4).

    From 1 (all images look the same to the classifier) to the number of classes (it is sure of each, classes are balanced).
    """
    p = np.asarray(probabilities, np.float64)
    marginal = p.mean(axis=0)
    ratio = np.log(np.maximum(p, 1e-300)) - np.log(np.maximum(marginal, 1e-300))
    return float(np.exp((p * ratio).sum(axis=1).mean()))


def nearest_distances(images: np.ndarray, others: np.ndarray, skip_same_row: bool = False) -> np.ndarray:
    """Euclidean distance of each image to the nearest of the others, with pixels in 0 .. 1, [n].

    Args:
      images: float32 [n, pixels].
      others: float32 [m, pixels].
      skip_same_row: skip the other image with the same index, for distances within one set.
    """
    squares = np.einsum('ij,ij->i', others, others)
    found = []
    for first in range(0, len(images), CHUNK):
        part = images[first : first + CHUNK]
        distances = squares - 2 * part @ others.T + np.einsum('ij,ij->i', part, part)[:, None]
        if skip_same_row:
            rows = np.arange(len(part))
            distances[rows, first + rows] = np.inf
        found.append(distances.min(axis=1))
    return np.sqrt(np.maximum(np.concatenate(found), 0))  # rounding can make the square of 0 slightly negative
