"""Draws detections or annotations into an image, with mmdet's visualizer."""

from itertools import cycle, islice

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import get_box_tensor
from mmdet.visualization import DetLocalVisualizer
from mmengine.structures import InstanceData

from ..datasets import VOCFolder
from ..inference import Prediction
from ..io.fonts import use_font_for
from .pictures_hook import enlarge


class Drawer:
    """Draws the detections of one set of classes, in pictures large enough for labels.

    The colours are those of VOC, repeated if need be.
    """

    def __init__(self, classes: tuple[str, ...]) -> None:
        colors = islice(cycle(VOCFolder.METAINFO['palette']), len(classes))
        use_font_for(classes)
        self.visualizer = DetLocalVisualizer()
        self.visualizer.dataset_meta = dict(classes=classes, palette=list(colors))

    def __call__(self, image_bgr: np.ndarray, detections: Prediction) -> np.ndarray:
        """The image with its boxes; (H, W, 3) uint8, BGR."""
        sample = DetDataSample(pred_instances=InstanceData(
            bboxes=torch.from_numpy(detections.boxes),
            scores=torch.from_numpy(detections.scores),
            labels=torch.from_numpy(detections.labels)))
        return self._draw(image_bgr, sample, draw_gt=False)

    def annotated(self, image_bgr: np.ndarray, sample: DetDataSample) -> np.ndarray:
        """The image with its annotated boxes, both as they come out of the pipeline."""
        gt = sample.gt_instances
        plain = DetDataSample(gt_instances=InstanceData(
            bboxes=get_box_tensor(gt.bboxes), labels=gt.labels))
        return self._draw(image_bgr, plain, draw_pred=False)

    def _draw(self, image_bgr: np.ndarray, sample: DetDataSample, **options
              ) -> np.ndarray:
        image, sample = enlarge(image_bgr[..., ::-1].copy(), sample)
        limit = torch.tensor(image.shape[1::-1]).repeat(2) - 1.0
        for _, instances in sample.items():  # a box at the border would widen the image
            instances.bboxes = instances.bboxes.float().clamp(min=0).minimum(limit)
        self.visualizer.add_datasample('', image, sample, pred_score_thr=0.0, **options)
        return self.visualizer.get_image()[..., ::-1].copy()
