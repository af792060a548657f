"""The worst mistakes of a test: confident wrong detections and large missed objects.

Source of the kinds: Hoiem et al., Diagnosing Error in Object Detectors, ECCV 2012.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..evaluation.records import ImageRecord
from .analysis import IOU_THR, ious

POOR_IOU = 0.1  # above it a detection is a badly placed one of the object


class Mistake(NamedTuple):
    """One wrong detection, or one object that was not found, which has a score of 0.

    The box is (4,) float32; ``kind`` says what is wrong, in words.
    """

    record: ImageRecord
    bbox: np.ndarray
    label: int
    score: float
    kind: str


def false_positives(records: Sequence[ImageRecord], classes: Sequence[str],
                    thresholds: np.ndarray, num: int | None = None) -> list[Mistake]:
    """The ``num`` wrong detections with the highest scores, or all of them.

    Each has at least the score of its class, of (C,).
    """
    wrong = []
    for record in records:
        iou = ious(record.bboxes, record.gt_bboxes)
        hidden = ious(record.bboxes, record.ignored_bboxes)
        owner = owners(record, iou)
        counts = record.scores >= thresholds[record.labels]
        for index in np.flatnonzero((owner < 0) & counts):
            same = hidden[index][record.ignored_labels == record.labels[index]]
            if not (same >= IOU_THR).any():
                wrong.append(Mistake(
                    record, record.bboxes[index], int(record.labels[index]),
                    float(record.scores[index]),
                    kind_of(record, iou[index], record.labels[index], classes)))
    return sorted(wrong, key=lambda mistake: -mistake.score)[:num]


def misses(records: Sequence[ImageRecord], thresholds: np.ndarray,
           num: int) -> list[Mistake]:
    """The ``num`` largest objects not found with the score of their class, of (C,)."""
    missed = []
    for record in records:
        owner = owners(record, ious(record.bboxes, record.gt_bboxes))
        for index, (bbox, label) in enumerate(
                zip(record.gt_bboxes, record.gt_labels, strict=True)):
            scores = record.scores[owner == index]
            if len(scores) == 0 or scores[0] < thresholds[label]:
                kind = (f'found with a score of {scores[0]:.2f} only' if len(scores)
                        else 'not found')
                missed.append(Mistake(record, bbox, int(label), 0.0, kind))
    return sorted(missed, key=lambda mistake: -np.prod(
        mistake.bbox[2:] - mistake.bbox[:2]))[:num]


def owners(record: ImageRecord, iou: np.ndarray) -> np.ndarray:
    """The object that each detection finds, by the rules of PASCAL VOC.

    From their (n, G) IoU (n,) int64, -1 where it finds none, or one already found.
    """
    owner = np.full(len(iou), -1)
    for index, label in enumerate(record.labels):
        candidates = np.where(record.gt_labels == label, iou[index], 0)
        if candidates.max(initial=0) >= IOU_THR and candidates.argmax() not in owner:
            owner[index] = candidates.argmax()
    return owner


def kind_of(record: ImageRecord, iou: np.ndarray, label: int,
            classes: Sequence[str]) -> str:
    """What is wrong with a detection, from its (G,) IoU with all objects."""
    same = np.where(record.gt_labels == label, iou, 0)
    other = np.where(record.gt_labels == label, 0, iou)
    if same.max(initial=0) >= IOU_THR:
        return 'found twice'
    if other.max(initial=0) >= IOU_THR:
        return f'annotated as {classes[record.gt_labels[other.argmax()]]}'
    if same.max(initial=0) >= POOR_IOU:
        return f'badly placed, IoU {same.max():.2f}'
    return 'nothing annotated there'
