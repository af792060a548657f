"""Draws detections or annotations into an image, with mmdet's visualizer."""

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import get_box_tensor
from mmdet.visualization import DetLocalVisualizer
from mmengine.structures import InstanceData

from ..datasets import VOCFolder
from ..inference import Prediction
from .pictures_hook import enlarge


class Drawer:
    """Draws the detections of one set of classes.

    Args:
        classes: Their names; the colours are those of VOC, repeated if need be.
        min_side: Smaller images are enlarged to this shorter side, in pixels; 0 for
            never.
    """

    def __init__(self, classes: tuple[str, ...], min_side: int = 400) -> None:
        colors = VOCFolder.METAINFO['palette']
        self.visualizer = DetLocalVisualizer()
        self.visualizer.dataset_meta = dict(
            classes=classes, palette=[colors[i % len(colors)] for i, _ in
                                      enumerate(classes)])
        self.min_side = min_side

    def __call__(self, image_bgr: np.ndarray, detections: Prediction) -> np.ndarray:
        """The image with its boxes; (H, W, 3) uint8, BGR."""
        sample = DetDataSample(pred_instances=InstanceData(
            bboxes=torch.from_numpy(detections.boxes),
            scores=torch.from_numpy(detections.scores),
            labels=torch.from_numpy(detections.labels)))
        return self._draw(image_bgr, sample, draw_gt=False)

    def annotated(self, image_bgr: np.ndarray, sample: DetDataSample) -> np.ndarray:
        """The image with its annotated boxes; (H, W, 3) uint8, BGR.

        Args:
            image_bgr: (H, W, 3) uint8, as it comes out of the pipeline.
            sample: With ``gt_instances`` in its pixels.
        """
        gt = sample.gt_instances
        boxes = get_box_tensor(gt.bboxes)
        plain = DetDataSample(gt_instances=InstanceData(
            bboxes=boxes, labels=gt.labels))
        return self._draw(image_bgr, plain, draw_pred=False)

    def _draw(self, image_bgr: np.ndarray, sample: DetDataSample, **options
              ) -> np.ndarray:
        image, sample = enlarge(image_bgr[..., ::-1].copy(), sample, self.min_side)
        limit = torch.tensor(image.shape[1::-1]).repeat(2) - 1.0
        for _, instances in sample.items():  # a box at the border would widen the image
            instances.bboxes = instances.bboxes.float().clamp(min=0).minimum(limit)
        self.visualizer.add_datasample('', image, sample, pred_score_thr=0.0, **options)
        return self.visualizer.get_image()[..., ::-1].copy()
