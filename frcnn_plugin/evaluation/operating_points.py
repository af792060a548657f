"""Which score to cut each class at, and what a score means: one plain dict.

A detector keeps it, so that whoever uses it need not find a score for themselves::

    dict(iou=0.5, scores='raw', rule='best F1', images=87,
         thresholds={'cat': 0.62, ...},   # of raw scores; classes in their order
         f1={'cat': 0.91, ...},           # there, in the same images; None: no objects
         calibration={'cat': [a, b, c], ...},  # of `calibration.py`
         pooled=['dog'])                  # too rare to have their own

The highest point of F1 against the score is no good choice: the curve of a few pictures
is jagged. The calibration, three parameters, says how likely each detection is right;
F1 and precision are computed from that. F1 is twice the number of right ones over the
numbers of objects and detections: another one of probability p adds 2 p above and 1
below, which helps as long as p is more than half of F1.

Source: Lipton et al., Thresholding Classifiers to Maximize F1 Score (arXiv:1402.1892).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..errors import UserError
from .calibration import IDENTITY, fit_map, probabilities, score_of

KEY = 'operating_points'  # in a checkpoint's meta, in the notes of an exported file
IOU_THR = 0.5
DEFAULT = 0.5  # where no object is found
RARE = 10  # boxes; a class with fewer is treated as all classes together


class Outcomes(NamedTuple):
    """The detections of one class that count, in all images.

    ``scores`` (n,) float32, highest first; ``right`` (n,) bool, whether each finds an
    object; ``num_gts``, how many objects there are.
    """

    scores: np.ndarray
    right: np.ndarray
    num_gts: int


class Curve(NamedTuple):
    """Precision, recall and F1, each (T,), of the detections with some least score.

    Precision is 1 without detections, recall and F1 are 0 without objects.
    """

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray


def curve(outcomes: Outcomes, thresholds: np.ndarray) -> Curve:
    """What is reached by the detections with at least each of (T,) scores."""
    found = np.searchsorted(-outcomes.scores, -np.asarray(thresholds), side='right')
    right = np.concatenate([[0], np.cumsum(outcomes.right)])[found]
    return Curve(np.where(found > 0, right / np.maximum(found, 1), 1.0),
                 right / max(outcomes.num_gts, 1),
                 2 * right / np.maximum(found + outcomes.num_gts, 1))


def best_score(outcomes: Outcomes, parameters: tuple[float, ...],
               precision: float | None = None) -> float:
    """The score to cut at; :data:`DEFAULT` if no object is found.

    By default that of the best F1 to expect. With ``precision``, the lowest score from
    which on the precision to expect is at least that, or 1 if there is none.
    ``parameters`` are a, b and c of the calibration.
    """
    if not outcomes.right.any():
        return DEFAULT
    number = np.arange(1, len(outcomes.scores) + 1)
    right = np.cumsum(probabilities(outcomes.scores, np.array(parameters)))
    if precision is None:
        f1 = 2 * right / (number + outcomes.num_gts)
        return min(score_of(f1.max() / 2, parameters), 1.0)
    last = np.diff(outcomes.scores, append=-1) != 0  # of those with the same score
    enough = outcomes.scores[last & (right / number >= precision)]
    return float(enough[-1]) if len(enough) else 1.0


def choose(by_class: Sequence[Outcomes], classes: Sequence[str], images: int,
           precision: float | None = None) -> dict:
    """The dict, from what was found in validation images.

    A class with fewer than :data:`RARE` boxes gets what all classes together would.
    The calibration of the others starts from that, too, see ``fit_map``.

    Args:
        by_class: The detections of each class.
        classes: The names of the classes.
        images: The number of validation images.
        precision: The precision that each class must reach; None: cut at the best F1.
    """
    pooled = pool(by_class)
    common = fit_map(pooled.scores, pooled.right) if pooled.num_gts else IDENTITY
    score = best_score(pooled, common, precision)
    found: dict = dict(
        iou=IOU_THR, scores='raw', images=images, thresholds={}, f1={}, calibration={},
        rule='best F1' if precision is None else f'precision {precision}', pooled=[])
    for name, each in zip(classes, by_class, strict=True):
        rare = each.num_gts < RARE
        if rare:
            found['pooled'].append(name)
        parameters = common if rare else fit_map(each.scores, each.right, common)
        cut = score if rare else best_score(each, parameters, precision)
        cut = math.floor(cut * 1e7) / 1e7  # not above the score
        found['thresholds'][name] = cut
        found['f1'][name] = (round(float(curve(each, np.array([cut])).f1[0]), 4)
                             if each.num_gts else None)
        found['calibration'][name] = [round(value, 5) for value in parameters]
    return found


def pool(by_class: Sequence[Outcomes]) -> Outcomes:
    """All classes as one."""
    scores, right = (np.concatenate([each[part] for each in by_class])
                     for part in (0, 1))
    order = np.argsort(-scores, kind='stable')
    return Outcomes(scores[order], right[order], sum(each.num_gts for each in by_class))


class OperatingPoints(NamedTuple):
    """The dict as arrays, in the order of the labels.

    ``thresholds`` (C,) float32; ``maps`` (C, 3) float64, the calibration.
    """

    thresholds: np.ndarray
    maps: np.ndarray

    @classmethod
    def read(cls, points: dict, num_classes: int) -> 'OperatingPoints':
        """From the dict of a file; raises :class:`UserError` if that is damaged."""
        try:
            read = cls(*(np.array(list(points[name].values()), kind) for name, kind in (
                ('thresholds', np.float32), ('calibration', np.float64))))
            _ = points['rule'], points['images']
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise UserError(f'damaged operating points ({error!r})') from error
        if (read.thresholds.shape, read.maps.shape) != ((num_classes,),
                                                        (num_classes, 3)):
            raise UserError(f'damaged operating points, not of {num_classes} classes')
        if not all(np.isfinite(part).all() for part in read):
            raise UserError('damaged operating points, not finite')
        return read

    def probabilities(self, scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """(n,) float32 probabilities of being right, from (n,) scores and labels."""
        return probabilities(scores, self.maps[labels]).astype(np.float32)
