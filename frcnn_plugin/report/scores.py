"""Where a test cuts each class, what that reaches, and what its scores mean."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..evaluation.calibration import Reliability, d_ece, reliability
from ..evaluation.operating_points import (
    DEFAULT,
    OperatingPoints,
    Outcomes,
    curve,
    pool,
)


class Cut(NamedTuple):
    """What a class reaches at its score, and the best F1 that any score would reach."""

    score: float
    precision: float
    recall: float
    f1: float
    best_f1: float


class Meaning(NamedTuple):
    """What scores are worth as probabilities: their bins, and their D-ECE."""

    name: str
    bins: Reliability
    d_ece: float


def scores_to_cut_at(points: OperatingPoints | None, score_thr: float | None,
                     num_classes: int) -> np.ndarray:
    """(C,) float32: the one that is asked for, or those chosen before, or 0.5."""
    if score_thr is None and points is not None:
        return points.thresholds
    return np.full(num_classes, DEFAULT if score_thr is None else score_thr, np.float32)


def cuts(outcomes: Sequence[Outcomes], thresholds: np.ndarray) -> list[Cut]:
    """What each class reaches at its (C,) threshold."""
    return [Cut(float(score), *(float(part[0]) for part in curve(each, [score])),
                float(curve(each, each.scores).f1.max(initial=0)))
            for each, score in zip(outcomes, thresholds, strict=True)]


def meanings(outcomes: Sequence[Outcomes],
             points: OperatingPoints | None) -> list[Meaning]:
    """Of the scores, and of the probabilities that they were mapped to, if any.

    Of all classes together; empty without detections.
    """
    scores, right, _ = pool(outcomes)
    series = {'score': (scores, right)} if len(scores) else {}
    if series and points is not None:
        mapped = [points.probabilities(each.scores, np.full(len(each.scores), label))
                  for label, each in enumerate(outcomes)]
        series['probability'] = (np.concatenate(mapped), np.concatenate(
            [each.right for each in outcomes]))
    return [Meaning(name, reliability(*each), d_ece(*each))
            for name, each in series.items()]
