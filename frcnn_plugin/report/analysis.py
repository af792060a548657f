"""Figures about a test: precision and recall, AP by box size, confusions."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from mmdet.evaluation import eval_map
from mmdet.evaluation.functional.bbox_overlaps import bbox_overlaps

from ..evaluation.operating_points import IOU_THR
from ..evaluation.records import ImageRecord, for_mmdet

SIZES = dict(small=(0, 32), medium=(32, 96), large=(96, 1e5))  # those of COCO, pixels


class ClassResult(NamedTuple):
    """One class: how many boxes are annotated (no difficult ones), how many detected.

    Recall and precision are (n,) float32, at each score in falling order; ``ap`` is the
    area under the curve, None without annotated boxes, also by :data:`SIZES`.
    """

    name: str
    num_gts: int
    num_dets: int
    recall: np.ndarray
    precision: np.ndarray
    ap: float | None
    ap_by_size: dict[str, float | None]


def by_class(records: Sequence[ImageRecord],
             classes: Sequence[str]) -> list[ClassResult]:
    """Precision and recall of each class, by mmdet's evaluation, at IoU 0.5.

    Sizes are square roots of areas, as in COCO; boxes and detections of other sizes do
    not count. There is at least one image.
    """
    detections, annotations = for_mmdet(records, len(classes))
    common = dict(iou_thr=IOU_THR, dataset=tuple(classes), logger='silent',
                  use_legacy_coordinate=True)  # as in `ious`
    _, whole = eval_map(detections, annotations, **common)
    _, sized = eval_map(detections, annotations, scale_ranges=list(SIZES.values()),
                        **common)
    results = []
    for name, item, parts in zip(classes, whole, sized, strict=True):
        counts, aps = np.ravel(parts['num_gts']), np.ravel(parts['ap'])
        results.append(ClassResult(
            name, int(item['num_gts']), int(item['num_dets']),
            np.ravel(item['recall']), np.ravel(item['precision']),
            float(item['ap']) if item['num_gts'] else None,
            {size: float(ap) if count else None
             for size, count, ap in zip(SIZES, counts, aps, strict=True)}))
    return results


def confusion_matrix(records: Sequence[ImageRecord], num_classes: int,
                     thresholds: np.ndarray) -> np.ndarray:
    """How often what was annotated as a class was detected as another.

    Pairs are made whatever the classes, those of the highest IoU first, down to 0.5.
    Detections with a lower score than that of their class, of (C,), do not count.

    Returns:
        np.ndarray: (C + 1, C + 1) int64; row: annotated, column: detected; the last row
        is what is not annotated, the last column what was not detected.
    """
    matrix = np.zeros((num_classes + 1, num_classes + 1), np.int64)
    for record in records:
        kept = record.scores >= thresholds[record.labels]
        labels, iou = record.labels[kept], ious(record.gt_bboxes, record.bboxes[kept])
        hidden = ious(record.ignored_bboxes, record.bboxes[kept])
        taken_as = np.full(len(iou), num_classes)
        free = np.ones(len(labels), bool)
        for pair in np.argsort(-iou, axis=None, kind='stable'):
            gt, found = divmod(int(pair), len(labels))
            if iou[gt, found] < IOU_THR:
                break
            if taken_as[gt] == num_classes and free[found]:
                taken_as[gt], free[found] = labels[found], False
        np.add.at(matrix, (record.gt_labels, taken_as), 1)
        free &= (hidden < IOU_THR).all(0)  # not what lies on a difficult one
        np.add.at(matrix, (num_classes, labels[free]), 1)
    return matrix


def ious(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n, m) IoU of (n, 4) and (m, 4) boxes, computed as for the AP.

    As in VOC, and so in mmdet's ``VOCMetric``, x2 and y2 are the last pixels of a box.
    """
    return bbox_overlaps(a, b, use_legacy_coordinate=True)
