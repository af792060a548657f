"""Which score to cut each class at, and what a score means: one plain dict.

A detector keeps it, so that whoever uses it need not find a score for themselves::

    dict(iou=0.5, scores='raw', rule='best F1', images=87,
         thresholds={'cat': 0.62, ...},   # of raw scores; classes in their order
         f1={'cat': 0.91, ...},           # there, in the same images; None: no objects
         calibration={'cat': [a, b, c], ...},  # of `calibration.py`
         pooled=['dog'])                  # too rare to have their own

The highest point of F1 against the score is no good choice: the curve of a few pictures
is jagged, and averaging it over resamples of them leaves it so. It is smoothed over the
log-odds of the score, and cut at its highest point, which loses less on other pictures.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..errors import UserError
from .calibration import IDENTITY, fit_map, probabilities, sigmoid

KEY = 'operating_points'  # in a checkpoint's meta, in the notes of an exported file
IOU_THR = 0.5
DEFAULT = 0.5  # where nothing is annotated
RARE = 10  # boxes; a class with fewer is treated as all classes together
WIDTH = 0.4  # of the smoothing, in log-odds
LOG_ODDS = np.linspace(-8, 8, 321)
SCORES = sigmoid(LOG_ODDS)  # at which curves are smoothed


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


def smoothed(values: np.ndarray) -> np.ndarray:
    """(T,) values at :data:`SCORES`, averaged with a Gaussian of :data:`WIDTH`."""
    weights = np.exp(-((LOG_ODDS[:, None] - LOG_ODDS) / WIDTH) ** 2 / 2)
    return weights @ values / weights.sum(1)


def best_score(outcomes: Outcomes, precision: float | None = None) -> float:
    """The score to cut at; :data:`DEFAULT` without objects or detections.

    By default the score of the best F1, or the median of several. With ``precision``,
    the lowest score from which on the precision is at least that, or 1 if there is
    none. Both curves are smoothed.
    """
    if outcomes.num_gts == 0 or len(outcomes.scores) == 0:
        return DEFAULT
    reached = curve(outcomes, SCORES)
    if precision is None:
        f1 = smoothed(reached.f1)
        return float(np.median(SCORES[f1 >= f1.max() - 1e-6]))
    short = np.flatnonzero(smoothed(reached.precision) < precision - 1e-6)
    return float([*SCORES, 1.0][short[-1] + 1 if len(short) else 0])


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
    score = best_score(pooled, precision)
    common = fit_map(pooled.scores, pooled.right) if pooled.num_gts else IDENTITY
    found: dict = dict(
        iou=IOU_THR, scores='raw', images=images, thresholds={}, f1={}, calibration={},
        rule='best F1' if precision is None else f'precision {precision}', pooled=[])
    for name, each in zip(classes, by_class, strict=True):
        rare = each.num_gts < RARE
        if rare:
            found['pooled'].append(name)
        cut = round(score if rare else best_score(each, precision), 4)
        parameters = common if rare else fit_map(each.scores, each.right, common)
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
