"""Faster R-CNN: backbone, region proposal network and second stage as one model."""

from typing import Any

import torch
from torch import Tensor

from ..mmdet_bridge.detector import MMDetDetector
from ..mmdet_bridge.settings import part_settings
from ..registry import MODELS
from ..structures import Detections, GroundTruth, Proposals
from .training_phases import TrainingPhases


@MODELS.register_module()
class FasterRCNN(TrainingPhases, MMDetDetector):
    """The detector of the paper; every part is a config.

    ``losses`` and ``detect`` are all of it, on padded batches. mmdet's detector
    protocol (``loss``, ``predict``, ``tensor``) is made of these two, and heads of
    mmdet may stand in for ours. Without ``rpn_head`` it is Fast R-CNN: the proposals
    are given. Without ``roi_head`` the proposals are the result, with their objectness
    as score.

    Source: Faster R-CNN (arXiv:1506.01497).

    Args:
        backbone: Config of the backbone, ours or mmdet's.
        roi_head: Config of the second stage, ours or mmdet's; None for proposals only.
        rpn_head: Config of the RPN, ours or mmdet's; None for given proposals.
        neck: Config of a neck, for example mmdet's ``FPN``.
        train_cfg: mmdet's ``rpn``, ``rpn_proposal`` and ``rcnn``, handed to the heads;
            in ours, what the head's own config names takes precedence.
        test_cfg: mmdet's ``rpn`` and ``rcnn``.
        data_preprocessor: Config of mmdet's ``DetDataPreprocessor``.
        init_cfg: Initialisation of the whole; the parts have their own.
    """

    def __init__(self, backbone: dict, roi_head: dict | None = None,
                 rpn_head: dict | None = None, neck: dict | None = None,
                 train_cfg: dict | None = None, test_cfg: dict | None = None,
                 data_preprocessor: dict | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.train_cfg, self.test_cfg = train_cfg, test_cfg
        self.backbone = MODELS.build(backbone)
        self.neck = MODELS.build(neck) if neck else None
        self.rpn_head: Any = MODELS.build(part_settings(
            rpn_head, train_cfg, test_cfg, 'rpn')) if rpn_head else None
        self.roi_head: Any = MODELS.build(part_settings(
            roi_head, train_cfg, test_cfg, 'rcnn')) if roi_head else None

    with_rpn = property(lambda self: self.rpn_head is not None)
    with_roi_head = property(lambda self: self.roi_head is not None)

    def losses(self, images: Tensor, image_sizes: Tensor, gt: GroundTruth,
               proposals: Proposals | None = None) -> dict[str, Tensor]:
        """One training step, up to the losses.

        Args:
            images: (B, 3, H, W) float32, normalised and padded.
            image_sizes: (B, 2) float32 height and width of each, without padding.
            gt: Padded ground truth, in pixels of ``images``.
            proposals: Regions to train the second stage on. Default: the RPN's;
                required without ``rpn_head``.

        Returns:
            dict: Scalars ``loss_rpn_cls``, ``loss_rpn_bbox``, ``loss_cls``,
            ``loss_bbox`` and ``acc`` (in percent), without those of a stage that is
            missing or not trained at the moment (:meth:`train_stage`).
        """
        features = self.extract_feat(images)
        losses = {}
        if proposals is None:
            proposals, losses = self.rpn.run(
                features, image_sizes, training=True,
                gt=gt if self.trains('rpn') else None)
        if self.trains('roi'):
            losses = {**losses, **self.roi.losses(features, proposals, gt)}
        return losses

    def detect(self, images: Tensor, image_sizes: Tensor,
               proposals: Proposals | None = None) -> Detections:
        """What is in the images, and where, in pixels of ``images``.

        Args:
            images: (B, 3, H, W) float32, normalised and padded.
            image_sizes: (B, 2) float32 height and width of each, without padding.
            proposals: Regions to look at. Default: the RPN's; required without
                ``rpn_head``.
        """
        if proposals is not None and not self.with_roi_head:
            return proposals_as_detections(proposals)
        features = self.extract_feat(images)
        if proposals is None:
            proposals = self.rpn.propose(features, image_sizes, training=False)
        if not self.with_roi_head:
            return proposals_as_detections(proposals)
        return self.roi.detect(features, proposals, image_sizes)

    def propose(self, images: Tensor, image_sizes: Tensor,
                training: bool) -> Proposals:
        """The first stage alone, on images as those of :meth:`detect`.

        In ``training`` it gives as many as the second stage is trained on.
        """
        return self.rpn.propose(self.extract_feat(images), image_sizes, training)

    def extract_feat(self, images: Tensor) -> tuple[Tensor, ...]:
        """Images (B, 3, H, W) to the feature maps of each level."""
        features = self.backbone(images)
        return features if self.neck is None else self.neck(features)

    def forward(self, inputs: Any, data_samples: list | None = None,
                mode: str = 'tensor') -> dict | list | tuple:
        """One of the ways through the network.

        Args:
            inputs: (B, 3, H, W) images, normalised and padded; for the modes ``rpn``
                and ``head`` a tuple, see there.
            data_samples: The samples of the images.
            mode: ``'loss'``, ``'predict'`` and ``'tensor'`` are mmdet's. The others run
                one part, the last two with our heads only. ``'extractor'``: images to
                feature maps. ``'rpn'``: (feature maps, (B, 2) image sizes) to logits
                (B, N, 2), or (B, N, 1) with a sigmoid, deltas (B, N, 4), anchors (N, 4)
                and ``Proposals``. ``'head'``: (feature maps, (R, 5) regions) to logits
                and deltas as of :meth:`BBoxHead.forward`.
        """
        if mode == 'extractor':
            return self.extract_feat(inputs)
        if mode == 'rpn':
            features, image_sizes = inputs
            outputs = self.rpn_head.gather_outputs(*self.rpn_head(features))
            proposals = self.rpn_head.select_proposals(
                outputs, image_sizes, training=self.training)
            return outputs.logits, outputs.deltas, outputs.anchors, proposals
        if mode == 'head':
            return self.roi_head.predict_regions(*inputs)
        return super().forward(inputs, data_samples, mode)


def proposals_as_detections(proposals: Proposals) -> Detections:
    """Proposals as detections of one class, 0."""
    labels = torch.zeros_like(proposals.mask, dtype=torch.long)
    return Detections(proposals.bboxes, proposals.scores, labels, proposals.mask)
