"""Draws annotations into an image, with mmdet's visualizer."""

from itertools import cycle, islice

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import get_box_tensor
from mmdet.visualization import DetLocalVisualizer
from mmengine.structures import InstanceData

from ..datasets import VOCFolder
from ..io.fonts import use_font_for
from .pictures_hook import enlarge


class Drawer:
    """Draws the boxes of one set of classes, in pictures large enough for labels.

    The colours are those of VOC, repeated if need be.
    """

    def __init__(self, classes: tuple[str, ...]) -> None:
        colors = islice(cycle(VOCFolder.METAINFO['palette']), len(classes))
        use_font_for(classes)
        self.visualizer = DetLocalVisualizer()
        self.visualizer.dataset_meta = dict(classes=classes, palette=list(colors))

    def annotated(self, image_bgr: np.ndarray, sample: DetDataSample) -> np.ndarray:
        """The image with its annotated boxes, both as they come out of the pipeline."""
        gt = sample.gt_instances
        plain = DetDataSample(gt_instances=InstanceData(
            bboxes=get_box_tensor(gt.bboxes), labels=gt.labels))
        image, sample = enlarge(image_bgr[..., ::-1].copy(), plain)
        limit = torch.tensor(image.shape[1::-1]).repeat(2) - 1.0
        boxes = sample.gt_instances.bboxes.float()
        # a box at the border would widen the image
        sample.gt_instances.bboxes = boxes.clamp(min=0).minimum(limit)
        self.visualizer.add_datasample('', image, sample, draw_pred=False)
        return self.visualizer.get_image()[..., ::-1].copy()
