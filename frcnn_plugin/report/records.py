"""The annotations and detections of each tested image, as plain arrays."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import get_box_tensor


class ImageRecord(NamedTuple):
    """One image, boxes (x1, y1, x2, y2) in its own pixels.

    Attributes:
        path: Its file.
        gt_bboxes: (G, 4) float32.
        gt_labels: (G,) int64.
        ignored_bboxes: (I, 4) float32, marked as difficult.
        ignored_labels: (I,) int64.
        bboxes: (n, 4) float32, detected, highest score first.
        scores: (n,) float32.
        labels: (n,) int64.
    """

    path: str
    gt_bboxes: np.ndarray
    gt_labels: np.ndarray
    ignored_bboxes: np.ndarray
    ignored_labels: np.ndarray
    bboxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray


def record_of(sample: DetDataSample) -> ImageRecord | None:
    """The record of a data sample; None without annotations or detections."""
    if 'gt_instances' not in sample or 'pred_instances' not in sample:
        return None
    found, gt = sample.pred_instances, sample.gt_instances
    order = found.scores.argsort(descending=True, stable=True)
    ignored = (np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
    if 'ignored_instances' in sample:
        ignored = boxes_and_labels(sample.ignored_instances)
    return ImageRecord(
        sample.img_path, *boxes_and_labels(gt), *ignored,
        found.bboxes[order].cpu().numpy(), found.scores[order].cpu().numpy(),
        found.labels[order].cpu().numpy())


def boxes_and_labels(instances) -> tuple[np.ndarray, np.ndarray]:
    """(n, 4) float32 boxes and (n,) int64 labels of annotated instances."""
    boxes = get_box_tensor(instances.bboxes).cpu().numpy()
    return boxes.astype(np.float32).reshape(-1, 4), (
        instances.labels.cpu().numpy().astype(np.int64))


def for_mmdet(records: Sequence[ImageRecord],
              num_classes: int) -> tuple[list, list[dict]]:
    """Detections and annotations as mmdet's ``eval_map`` reads them."""
    detections = [
        [np.column_stack([record.bboxes, record.scores])[record.labels == label]
         for label in range(num_classes)] for record in records]
    annotations = [dict(
        bboxes=record.gt_bboxes, labels=record.gt_labels,
        bboxes_ignore=record.ignored_bboxes, labels_ignore=record.ignored_labels)
        for record in records]
    return detections, annotations
