"""Weights and activations in whole numbers of 8 bits, by NNCF.

Post-training quantization: nothing is trained. The ranges of activations are measured
on one half of a data set, the accuracy on the other half; where it falls too much, NNCF
finds the operations that lose most and leaves them as they were.
"""

import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import nncf
import numpy as np
import openvino
from mmdet.evaluation import eval_map
from nncf.quantization.advanced_parameters import AdvancedAccuracyRestorerParameters

from ..inference.file_detector import core, inputs_of, run_network
from ..inference.images import read_image
from ..io.large_image import LargeImage, is_large

IOU_THRS = np.arange(0.5, 1.0, 0.05)
MAX_DROP = 0.005  # of AP, at most
MOST = 300  # pictures of each half that are used, evenly chosen
RANKED = 50  # pictures by which operations are compared
SETTINGS = dict(PERFORMANCE_HINT='LATENCY', INFERENCE_PRECISION_HINT='f32')


@dataclass(frozen=True)
class Picture:
    """A picture with its annotation, or a tile of it.

    Attributes:
        path: The file.
        bboxes: (n, 4) float32, in pixels of the upright picture, or of the tile.
        labels: (n,) int64.
        ignored: (n,) bool; boxes that are neither right nor wrong, such as VOC's
            difficult ones.
        tile: (x1, y1, x2, y2) in pixels of the picture; None: all of it.
    """

    path: str
    bboxes: np.ndarray
    labels: np.ndarray
    ignored: np.ndarray
    tile: tuple[int, int, int, int] | None = None

    def read(self) -> np.ndarray:
        """(1, H, W, 3) uint8, BGR."""
        image = (LargeImage(self.path) if self.tile and is_large(self.path)
                 else read_one(self.path))
        x1, y1, x2, y2 = self.tile or (0, 0, *image.shape[1::-1])
        return np.ascontiguousarray(image[y1:y2, x1:x2])[None]


read_one = lru_cache(1)(read_image)  # tiles of one picture are read one after another


def halves(pictures: Sequence[Picture]) -> tuple[list[Picture], list[Picture]]:
    """To adjust to, and to measure on; all tiles of a picture are in the same half."""
    paths = list(dict.fromkeys(picture.path for picture in pictures))
    parts = []
    for start in (0, 1):
        mine = {*paths[start::2]}
        part = [picture for picture in pictures if picture.path in mine]
        parts.append(part[::max(1, math.ceil(len(part) / MOST))])
    return parts[0], parts[1]


@dataclass(frozen=True)
class Measured:
    """AP over IoU 0.50 to 0.95, and the median seconds for one picture."""

    ap: float
    seconds: float


def quantize(model: openvino.Model, notes: dict, pictures: Sequence[Picture]
             ) -> tuple[openvino.Model, Measured, Measured]:
    """Quantize a detector.

    Args:
        model: Of ``openvino_model``.
        notes: Those in it.
        pictures: At least two. Every second one is only for the accuracy.

    Returns:
        tuple: The new model, and what the old and the new one reach on the half that
        ranges were not measured on.
    """
    fit, check = halves(pictures)

    def validate(network, items) -> tuple[float, None]:
        return average_precision(network, notes, list(items)), None

    quantized = nncf.quantize_with_accuracy_control(
        model, nncf.Dataset(fit, lambda item: inputs_of(
            item.read(), notes)), nncf.Dataset(check), validate,
        max_drop=MAX_DROP, drop_type=nncf.DropType.ABSOLUTE, subset_size=len(fit),
        advanced_accuracy_restorer_parameters=AdvancedAccuracyRestorerParameters(
            ranking_subset_size=min(RANKED, len(check))))
    networks = [core().compile_model(each, 'CPU', SETTINGS)
                for each in (model, quantized)]
    seconds = in_turn(networks, check[0].read(), notes)
    return quantized, *(Measured(average_precision(network, notes, check), each)
                        for network, each in zip(networks, seconds, strict=True))


def average_precision(network, notes: dict, pictures: Sequence[Picture]) -> float:
    """Mean AP over IoU 0.50 to 0.95 of a compiled model."""
    detections, annotations = [], []
    for picture in pictures:
        (boxes, scores, labels), = run_network(network, notes, picture.read())
        rows = np.concatenate([boxes, scores[:, None]], axis=1)
        detections.append([rows[labels == label]
                           for label in range(len(notes['classes']))])
        kept = ~picture.ignored
        annotations.append(dict(
            bboxes=picture.bboxes[kept], labels=picture.labels[kept],
            bboxes_ignore=picture.bboxes[picture.ignored],
            labels_ignore=picture.labels[picture.ignored]))
    means = [eval_map(detections, annotations, iou_thr=iou_thr, logger='silent')[0]
             for iou_thr in IOU_THRS]
    return float(np.mean(means))


def in_turn(networks: Sequence, images: np.ndarray, notes: dict, repeat: int = 5
            ) -> list[float]:
    """The median seconds that each network takes for the same pictures."""
    times = [[] for _ in networks]
    for _ in range(repeat + 1):
        for network, seconds in zip(networks, times, strict=True):
            begin = time.perf_counter()
            run_network(network, notes, images)
            seconds.append(time.perf_counter() - begin)
    return [statistics.median(seconds[1:]) for seconds in times]  # the first warms up
