"""How AP varies with the images: bootstrap samples of them, without matching again."""

from typing import NamedTuple

import numpy as np
from pycocotools.cocoeval import COCOeval
from scipy.sparse import csr_matrix

PART = 100  # samples at a time, for the processor's cache


def draw_samples(num_images: int, num_samples: int, seed: int) -> np.ndarray:
    """How often each of I images is in each of B samples, (I, B) int16.

    A sample has I images, drawn with replacement.
    """
    rng, evenly = np.random.default_rng(seed), np.full(num_images, 1 / num_images)
    return np.stack([rng.multinomial(num_images, evenly).astype(np.int16)
                     for _ in range(num_samples)], axis=1)


def ap_of_samples(evaluation: COCOeval, counts: np.ndarray) -> np.ndarray:
    """The AP of each class in samples of the images, for objects of all sizes.

    It is the AP that ``COCOeval`` finds in a data set with so many copies of each
    image, in the same order (of equal scores within an image, the copies of the one
    detection come before those of the next).

    Args:
        evaluation: Of I images and C classes at T IoU thresholds; ``evaluate`` is done.
        counts: (I, B) int, as of :func:`draw_samples`.

    Returns:
        np.ndarray: (T, C, B) float64, NaN where a sample has no object of the class.
    """
    classes = [tally(evaluation, k) for k in range(len(evaluation.params.catIds))]
    found = []
    for part in np.array_split(counts, -(-counts.shape[1] // PART), axis=1):
        part = part.astype(float, order='C')
        found.append(np.stack([class_ap(each, part, evaluation.params.recThrs)
                               for each in classes], axis=1))
    return np.concatenate(found, axis=2)


class Tally(NamedTuple):
    """The matches of one class, added up by image.

    Precision has its peaks at detections that are right at some IoU threshold. Row u of
    a matrix is of the detections from the one after peak u - 1, in falling order of
    scores, up to peak u; U rows.

    Attributes:
        objects: (I,), how many are to be found.
        detections: (U, I).
        right: T of (U, I), those which find an object.
        ignored: T of (U, I), those which do not count.
    """

    objects: np.ndarray
    detections: csr_matrix
    right: list[csr_matrix]
    ignored: list[csr_matrix]


def tally(evaluation: COCOeval, label: int) -> Tally:
    """Add up the matches of the class with this place among the categories."""
    num_images, num_thrs = (len(values) for values in (
        evaluation.params.imgIds, evaluation.params.iouThrs))
    begin = label * len(evaluation.params.areaRng) * num_images  # first, all sizes
    matched = [(index, each) for index, each in enumerate(
        evaluation.evalImgs[begin:begin + num_images]) if each]
    objects = np.zeros(num_images)
    images, scores = [np.zeros(0, int)], [np.zeros(0)]
    found, ignored = [np.zeros((num_thrs, 0))], [np.zeros((num_thrs, 0), bool)]
    for index, each in matched:
        objects[index] = np.count_nonzero(each['gtIgnore'] == 0)
        images.append(np.full(len(each['dtScores']), index))
        scores.append(each['dtScores'])
        found.append(each['dtMatches'])
        ignored.append(each['dtIgnore'])
    order = np.argsort(-np.concatenate(scores), kind='stable')
    image = np.concatenate(images)[order]
    aside = np.concatenate(ignored, axis=1)[:, order]
    right = (np.concatenate(found, axis=1)[:, order] > 0) & ~aside
    peaks = np.flatnonzero(right.any(0))
    rows = np.searchsorted(peaks, np.arange(len(order)))
    before_last = rows < len(peaks)

    def by_image(chosen: np.ndarray) -> csr_matrix:
        chosen = chosen & before_last
        return csr_matrix((np.ones(chosen.sum()), (rows[chosen], image[chosen])),
                          shape=(len(peaks), num_images))

    return Tally(objects, by_image(np.ones(len(order), bool)),
                 [by_image(each) for each in right],
                 [by_image(each) for each in aside])


def class_ap(matches: Tally, counts: np.ndarray, rec_thrs: np.ndarray) -> np.ndarray:
    """(T, B) AP of one class in samples with (I, B) copies of the images.

    The mean of the highest precision at each threshold of recall or beyond.
    """
    num_objects = matches.objects @ counts
    detections = matches.detections @ counts
    found = np.zeros((len(matches.right), counts.shape[1]))
    for t, (right, ignored) in enumerate(
            zip(matches.right, matches.ignored, strict=True)):
        right = (right @ counts).cumsum(0)
        counted = (detections - ignored @ counts).cumsum(0)
        precision = right / np.maximum(counted, 1)
        precision = np.maximum.accumulate(precision[::-1])[::-1]
        recall = right / np.maximum(num_objects, 1)
        reached = np.searchsorted(rec_thrs, recall, side='right')
        found[t] = (precision * np.diff(reached, axis=0, prepend=0)).sum(0)
    return np.where(num_objects, found / len(rec_thrs), np.nan)
