"""The annotations and detections of each tested image, as plain arrays."""

from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest
from typing import NamedTuple

import numpy as np
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import get_box_tensor
from mmengine.dist import all_gather_object
from mmengine.structures import InstanceData


class ImageRecord(NamedTuple):
    """One image, or one tile of it; boxes (x1, y1, x2, y2) in pixels of the image.

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


def records_of(samples: Iterable[DetDataSample] | None) -> list[ImageRecord]:
    """Records of the data samples that have both annotations and detections."""
    return [record_of(sample) for sample in samples or ()
            if 'gt_instances' in sample and 'pred_instances' in sample]


def record_of(sample: DetDataSample) -> ImageRecord:
    """The record of a data sample, which may be of a ``tile`` (x1, y1, x2, y2)."""
    found = sample.pred_instances
    found = found[found.scores.argsort(descending=True, stable=True)].numpy()
    corner = np.tile(np.float32(sample.get('tile', (0, 0))[:2]), 2)
    bboxes, labels = boxes_and_labels(sample.gt_instances)
    ignored, their_labels = boxes_and_labels(sample.get('ignored_instances'))
    return ImageRecord(
        sample.img_path, bboxes + corner, labels, ignored + corner, their_labels,
        found.bboxes + corner, found.scores, found.labels)


def gather(records: list[ImageRecord], size: int) -> list[ImageRecord]:
    """The records of all processes, in the order of the data set.

    Where the processes do not divide its ``size`` images evenly, the sampler repeats
    some, which are dropped here.
    """
    turns = zip_longest(*all_gather_object(records))
    return [record for record in chain.from_iterable(turns) if record][:size]


def boxes_and_labels(instances: InstanceData | None) -> tuple[np.ndarray, np.ndarray]:
    """(n, 4) float32 boxes and (n,) int64 labels of annotated instances."""
    if instances is None:
        return np.zeros((0, 4), np.float32), np.zeros(0, np.int64)
    boxes = get_box_tensor(instances.bboxes).float().reshape(-1, 4)
    return boxes.cpu().numpy(), instances.labels.long().cpu().numpy()


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
