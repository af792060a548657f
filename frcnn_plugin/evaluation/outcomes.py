"""Which detections of a validation are right, and what follows for the detector."""

from collections.abc import Sequence

import numpy as np
from mmdet.evaluation.functional.mean_ap import tpfp_default

from .operating_points import IOU_THR, Outcomes, choose
from .records import ImageRecord


def operating_points_of(records: Sequence[ImageRecord], classes: Sequence[str],
                        precision: float | None = None) -> dict:
    """The dict of ``operating_points.py`` from records of validation images.

    ``classes`` are the names, in the order of the labels. With ``precision`` each class
    is cut where it reaches that, without at the best F1.
    """
    return choose(outcomes_of(records, len(classes)), classes, len(records), precision)


def outcomes_of(records: Sequence[ImageRecord], num_classes: int) -> list[Outcomes]:
    """Right and wrong detections of each class, by the rules of PASCAL VOC.

    As for the AP: of the detections that overlap an object of their class most, with
    an IoU of at least 0.5, the one with the highest score is right. Neither difficult
    objects nor detections on them count.
    """
    rows = [[(np.zeros(0, np.float32), np.zeros(0, bool))] for _ in range(num_classes)]
    num_gts = np.zeros(num_classes, np.int64)
    for record in records:
        np.add.at(num_gts, record.gt_labels, 1)
        for label in np.unique(record.labels):
            here = record.labels == label
            found = np.column_stack([record.bboxes, record.scores])[here]
            right, wrong = (part[0] > 0 for part in tpfp_default(
                found, record.gt_bboxes[record.gt_labels == label],
                record.ignored_bboxes[record.ignored_labels == label], IOU_THR,
                use_legacy_coordinate=True))  # as VOC's AP
            counts = right | wrong
            rows[label].append((record.scores[here][counts], right[counts]))
    outcomes = []
    for parts, number in zip(rows, num_gts.tolist(), strict=True):
        scores, right = map(np.concatenate, zip(*parts, strict=True))
        order = np.argsort(-scores, kind='stable')
        outcomes.append(Outcomes(scores[order], right[order], number))
    return outcomes
