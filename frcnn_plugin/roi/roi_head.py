"""The second stage: proposals to losses, or to detections."""

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor

from ..mmdet_bridge.roi_head import MMDetRoIHead
from ..mmdet_bridge.stock_heads import stock_bbox_losses
from ..mmdet_bridge.stock_targets import StockProposalTargets
from ..ops import masked_nms
from ..registry import MODELS, TASK_UTILS
from ..structures import Detections, GroundTruth, Proposals, RoISamples, bbox2roi
from .detections import detections_of

TARGETS = dict(type='frcnn_plugin.ProposalTargetSampler')
NMS = dict(type='nms', iou_threshold=0.3)
TEST_CFG = dict(score_thr=0.05, nms=NMS, max_per_img=100)


@MODELS.register_module()
class RoIHead(MMDetRoIHead, BaseModule):
    """Samples proposals, pools their features, classifies and refines them.

    :meth:`losses` and :meth:`detect` are all of it. It also follows mmdet's RoI-head
    protocol (``loss``, ``predict``, ``forward``).

    Source: Fast R-CNN (arXiv:1504.08083).

    Args:
        bbox_roi_extractor: Config of the RoI extractor.
        bbox_head: Config of the bbox head, ours or mmdet's.
        shared_head: Config of layers between the two.
        target_sampler: Config of the target sampler. Default: ``train_cfg.assigner``
            and ``train_cfg.sampler`` if they are there, else ``ProposalTargetSampler``
            with the paper's numbers.
        train_cfg: mmdet's ``train_cfg.rcnn``.
        test_cfg: mmdet's ``test_cfg.rcnn``: ``score_thr`` (0.05), ``nms`` (0.3) and
            ``max_per_img`` (100); what it leaves out keeps these values.
        init_cfg: Initialisation of the whole; the parts have their own.

    Raises:
        ValueError: If ``train_cfg.sampler`` mines by loss or ``bbox_head.loss_cls``
            has its own activation; both need mmdet's ``StandardRoIHead``.
    """

    def __init__(self, bbox_roi_extractor: dict, bbox_head: dict,
                 shared_head: dict | None = None, target_sampler: dict | None = None,
                 train_cfg: dict | None = None, test_cfg: dict | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.bbox_roi_extractor = MODELS.build(bbox_roi_extractor)
        self.bbox_head = MODELS.build(bbox_head)
        self.shared_head = MODELS.build(shared_head) if shared_head else None
        self.train_cfg = train_cfg
        self.test_cfg = {**TEST_CFG, **(test_cfg or {})}
        self.test_cfg['nms'] = {**NMS, **self.test_cfg['nms']}
        if target_sampler is None and train_cfg and train_cfg.get('assigner'):
            self.target_sampler = StockProposalTargets(train_cfg, context=self)
        else:
            self.target_sampler = TASK_UTILS.build(target_sampler or TARGETS)
        if getattr(self.bbox_head, 'custom_cls_channels', False):
            raise ValueError('bbox_head.loss_cls has an activation of its own, which '
                             "needs mmdet's StandardRoIHead")
        self.nms = masked_nms  # a faster one may take its place: accelerate/

    def losses(self, features: Sequence[Tensor], proposals: Proposals,
               gt: GroundTruth) -> dict[str, Tensor]:
        """The second stage in training, on (B, C, H, W) features per level.

        Returns:
            dict: Scalars ``loss_cls``, ``loss_bbox`` and ``acc``.
        """
        # 1. label the proposals by the boxes that they overlap with, and pick a few
        samples = self.assign_targets(proposals, gt)
        # 2. pool their features, and classify and refine them
        rois = bbox2roi(samples.bboxes)
        cls_score, bbox_pred = self.predict_regions(features, rois)
        # 3. cross entropy on classes, smooth L1 on the deltas of objects
        labels, mask = samples.labels.flatten(), samples.mask.flatten()
        deltas = samples.deltas.flatten(0, 1)
        if hasattr(self.bbox_head, 'losses'):
            return self.bbox_head.losses(cls_score, bbox_pred, labels, deltas, mask)
        return stock_bbox_losses(
            self.bbox_head, cls_score, bbox_pred, rois, labels, deltas, mask)

    def detect(self, features: Sequence[Tensor], proposals: Proposals,
               image_sizes: Tensor, cfg: dict | None = None) -> Detections:
        """The second stage in test, on (B, C, H, W) features per level.

        Args:
            features: (B, C, H, W) per level.
            proposals: Padded proposals.
            image_sizes: (B, 2) height and width of each image.
            cfg: Settings in place of ``test_cfg``.
        """
        # 1. pool the features of the proposals, and classify and refine them
        cls_score, bbox_pred = self.predict_regions(
            features, bbox2roi(proposals.bboxes))
        shape = proposals.mask.shape
        cls_score = cls_score.unflatten(0, shape)
        bbox_pred = None if bbox_pred is None else bbox_pred.unflatten(0, shape)
        # 2. move the boxes by their deltas, and suppress those of a class that overlap
        return detections_of(
            cls_score, bbox_pred, proposals, image_sizes, self.bbox_head.bbox_coder,
            self.bbox_head.num_classes, cfg or self.test_cfg, self.nms)

    def assign_targets(self, proposals: Proposals, gt: GroundTruth) -> RoISamples:
        """The proposals to train on, with their targets."""
        return self.target_sampler(
            proposals, gt, self.bbox_head.num_classes, self.bbox_head.bbox_coder)

    def predict_regions(self, features: Sequence[Tensor], rois: Tensor
                        ) -> tuple[Tensor, Tensor | None]:
        """(R, C + 1) logits and (R, 4 C) deltas or None of (R, 5) regions."""
        pooled = self.bbox_roi_extractor(
            features[:self.bbox_roi_extractor.num_inputs], rois)
        if self.shared_head is not None:
            pooled = self.shared_head(pooled)
        return self.bbox_head(pooled)
