"""pycocotools' evaluation of boxes that are in memory."""

import contextlib
import io
from collections.abc import Sequence

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

OUTSIDE = -1.0  # an area that no range of areas contains


def evaluate(images: Sequence[tuple], num_classes: int,
             crowd: bool = False) -> COCOeval:
    """COCO's evaluation, from ``evaluate`` to ``summarize``, which prints nothing.

    Args:
        images: Of each image three tuples: (boxes, labels) of objects; (boxes, labels)
            to ignore; (boxes, labels, scores) of detections. Boxes are (n, 4) float,
            (x1, y1, x2, y2) in pixels, labels (n,) int from 0, scores (n,) float.
        num_classes: Number of classes. Category ids are the labels, image ids the
            places in ``images``.
        crowd: Whether the boxes to ignore are crowds.

    ``COCOeval`` overwrites the ``ignore`` of an annotation by its ``iscrowd``
    (cocodataset/cocoapi, issue 123). What it does ignore, just as COCO defines it, are
    objects outside of the range of areas: boxes to ignore get an area outside of all.
    """
    objects, detections = [], []
    as_ignored = dict(iscrowd=1) if crowd else dict(area=OUTSIDE)
    for index, (to_find, to_ignore, found) in enumerate(images):
        objects += annotations(index, *to_find)
        objects += [each | as_ignored for each in annotations(index, *to_ignore)]
        *found, scores = found
        detections += [each | dict(score=score) for each, score in zip(
            annotations(index, *found), scores.tolist(), strict=True)]
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(*(data_set(each, len(images), num_classes)
                                for each in (objects, detections)), 'bbox')
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def annotations(image: int, boxes: np.ndarray, labels: np.ndarray) -> list[dict]:
    """The boxes of an image in COCO's form."""
    boxes = boxes.astype(float)
    boxes[:, 2:] -= boxes[:, :2]
    return [dict(image_id=image, category_id=label, iscrowd=0, bbox=box,
                 area=box[2] * box[3])
            for box, label in zip(boxes.tolist(), labels.tolist(), strict=True)]


def data_set(found: list[dict], num_images: int, num_classes: int) -> COCO:
    """A data set of pycocotools; ids start at 1, as it takes a match of 0 for none."""
    coco = COCO()
    coco.dataset = dict(
        images=[dict(id=index) for index in range(num_images)],
        categories=[dict(id=label) for label in range(num_classes)],
        annotations=[each | dict(id=number) for number, each in enumerate(found, 1)])
    coco.createIndex()
    return coco
