"""Scores as probabilities that a detection is right, and how far they are from it.

A detection is right if it finds an object, as for the average precision. The map is
that of Kull et al., Beta calibration (AISTATS 2017), which has three parameters,

    logit p = a log s - b log(1 - s) + c,    a, b > 0,

so that it rises with the score: the order of detections, and so the AP of a class,
stays. The score itself is a = b = 1, c = 0.
"""

from typing import NamedTuple

import numpy as np

IDENTITY = (1.0, 1.0, 0.0)
LEAST = 0.05  # of a and b: a map that did not rise would make scores equal
TINY = 1e-7  # by which a score stays away from 0 and 1
STRENGTH = 1.0  # of the prior, see `fit_map`
NUM_BINS = 20


def fit_map(scores: np.ndarray, right: np.ndarray,
            prior: tuple[float, ...] = IDENTITY) -> tuple[float, float, float]:
    """The parameters a, b, c that make detections most likely.

    The prior, a normal distribution with deviation 1 around its parameters, counts as
    much as a few detections; it keeps the map finite where all detections are right.
    The loss is convex, so Newton's method finds its minimum: first without the bounds
    on a and b, then with one or both of them at the bound.

    Args:
        scores: (n,) in [0, 1]; n may be 0.
        right: (n,) bool.
        prior: The parameters that few detections should not move far from.
    """
    features, middle = features_of(scores), np.array(prior, float)
    found = []
    for fixed in ([], [0], [1], [0, 1]):
        theta, lost = newton(features, right, middle, fixed)
        if (theta[:2] >= LEAST).all():
            found.append((lost, theta.tolist()))
            if not fixed:
                break
    return tuple(min(found)[1])


def newton(features: np.ndarray, right: np.ndarray, prior: np.ndarray,
           fixed: list[int]) -> tuple[np.ndarray, float]:
    """The (3,) parameters of least loss, and that loss.

    ``features`` are (n, 3), ``right`` (n,) bool, and ``fixed`` the indices of the
    parameters that stay at :data:`LEAST`.
    """
    free = np.setdiff1d(range(3), fixed)
    theta = prior.copy()
    theta[fixed] = LEAST

    def loss(at: np.ndarray) -> float:
        logits = features @ at
        return float((np.logaddexp(0, logits) - right * logits).sum()
                     + STRENGTH * ((at - prior) ** 2).sum() / 2)

    for _ in range(100):
        p = sigmoid(features @ theta)
        gradient = features.T @ (p - right) + STRENGTH * (theta - prior)
        curvature = (features.T * (p * (1 - p))) @ features + STRENGTH * np.eye(3)
        step = np.zeros(3)
        step[free] = np.linalg.solve(curvature[np.ix_(free, free)], gradient[free])
        while np.abs(step).max() > 1e-8 and loss(theta - step) > loss(theta):
            step /= 2
        theta = theta - step
        if np.abs(step).max() < 1e-8:
            break
    return theta, loss(theta)


def probabilities(scores: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """(n,) float64 probabilities of (n,) scores.

    ``maps`` are the parameters, (3,), or (n, 3) if each score has its own.
    """
    return sigmoid((features_of(scores) * maps).sum(-1))


def score_of(probability: float, parameters: tuple[float, ...]) -> float:
    """The lowest score with at least that probability, to 0.01 in log-odds.

    ``parameters`` are a, b and c of the map. Infinite where no score has it.
    """
    scores = sigmoid(np.linspace(-16, 16, 3201))
    reached = probabilities(scores, np.array(parameters)) >= probability
    return float([*scores[reached], np.inf][0])


def features_of(scores: np.ndarray) -> np.ndarray:
    """(n, 3): log s, -log(1 - s), 1."""
    scores = np.asarray(scores, float).clip(TINY, 1 - TINY)
    return np.stack([np.log(scores), -np.log1p(-scores), np.ones_like(scores)], axis=-1)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """The inverse of the logit, without overflow."""
    return np.exp(-np.logaddexp(0, -logits))


class Reliability(NamedTuple):
    """Detections by their score, each (K,): of bins that hold any.

    ``counts`` int64; ``scores``, their mean; ``precision``, the share that is right.
    """

    counts: np.ndarray
    scores: np.ndarray
    precision: np.ndarray


def reliability(scores: np.ndarray, right: np.ndarray) -> Reliability:
    """Precision against score, in :data:`NUM_BINS` bins of equal width.

    Args:
        scores: (n,) in [0, 1].
        right: (n,) bool.
    """
    scores = np.asarray(scores, float)
    bins = (scores * NUM_BINS).astype(int).clip(0, NUM_BINS - 1)
    counts, sums, rights = (np.bincount(bins, weights, NUM_BINS)
                            for weights in (None, scores, right))
    used = counts > 0
    return Reliability(counts[used], sums[used] / counts[used],
                       rights[used] / counts[used])


def d_ece(scores: np.ndarray, right: np.ndarray) -> float | None:
    """The detection expected calibration error.

    The mean distance between score and precision in the bins of :func:`reliability`,
    weighted by the detections in each; None without detections.

    Source: Küppers et al., Multivariate Confidence Calibration for Object Detection
    (CVPR Workshops 2020, arXiv:2004.13546), by the score alone.
    """
    bins = reliability(scores, right)
    if len(bins.counts) == 0:
        return None
    return float(np.average(abs(bins.precision - bins.scores), weights=bins.counts))
