"""The second stage: proposals to losses, or to detections.

Comes in: feature maps and proposals, and in training ground truth. Goes out: losses or
detections.
"""

from collections.abc import Sequence

import torch
from mmdet.structures import SampleList
from mmdet.utils import InstanceList
from mmengine.model import BaseModule
from torch import Tensor

from ..mmdet_bridge.lists import (
    image_sizes,
    instances_to_proposals,
    pack_ground_truth,
    rescale_bboxes,
    unpack,
)
from ..mmdet_bridge.stock_proposal_targets import StockProposalTargets
from ..mmdet_bridge.targets import nms_offset
from ..registry import MODELS, TASK_UTILS
from ..structures import Detections, GroundTruth, Proposals, bbox2roi
from .detections import decode_predictions, select_detections

TARGETS = dict(type='frcnn_plugin.ProposalTargetSampler')
TEST_CFG = dict(score_thr=0.05, nms=dict(type='nms', iou_threshold=0.3),
                max_per_img=100)


@MODELS.register_module()
class RoIHead(BaseModule):
    """Samples proposals, pools their features, classifies and refines them.

    Follows mmdet's RoI-head protocol (``loss``, ``predict``, ``forward``); between our
    own stages it works on padded batches (``loss_on``, ``detect``).

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
            ``max_per_img`` (100).
        reorder: When pooling and what is linear beside it may change places on a CPU,
            which saves a third of the second stage's operations and more: ``'always'``,
            in ``'test'`` or ``'never'``. Scores and losses are the same to 1e-5, but
            the last bit decides at the kink of every ReLU, so that single entries of a
            gradient differ by up to a thousandth of its largest. A GPU keeps the order:
            products are cheap there, and its kernel would pool 2560 channels, not 1024.
        init_cfg: Not used; the parts initialise themselves.

    Raises:
        ValueError: If ``reorder`` is none of these.
    """

    def __init__(self, bbox_roi_extractor: dict, bbox_head: dict,
                 shared_head: dict | None = None, target_sampler: dict | None = None,
                 train_cfg: dict | None = None, test_cfg: dict | None = None,
                 reorder: str = 'test', init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        if reorder not in ('always', 'test', 'never'):
            raise ValueError(f"RoIHead: reorder is {reorder!r}, neither 'always' nor "
                             "'test' nor 'never'")
        self.reorder = reorder
        self.bbox_roi_extractor = MODELS.build(bbox_roi_extractor)
        self.bbox_head = MODELS.build(bbox_head)
        self.shared_head = MODELS.build(shared_head) if shared_head else None
        self.train_cfg = train_cfg
        self.test_cfg = test_cfg or TEST_CFG
        if target_sampler is None and train_cfg and train_cfg.get('assigner'):
            self.target_sampler = StockProposalTargets(train_cfg, context=self)
        else:
            self.target_sampler = TASK_UTILS.build(
                target_sampler or TARGETS)

    with_bbox = True
    with_mask = False

    @property
    def with_shared_head(self) -> bool:
        """Whether there are layers between extractor and bbox head."""
        return self.shared_head is not None

    def run_regions(self, x: Sequence[Tensor], rois: Tensor
                    ) -> tuple[Tensor, Tensor | None]:
        """Pool the regions and run the head on them.

        Args:
            x: Feature maps of each level.
            rois: (R, 5) regions (image index, x1, y1, x2, y2).

        Returns:
            tuple: (R, C + 1) logits and (R, 4 C) deltas or None.
        """
        extractor, head = self.bbox_roi_extractor, self.shared_head
        x = x[:extractor.num_inputs]
        if not (getattr(extractor, 'is_linear', False) and self._may_reorder(x[0])):
            features = extractor(x, rois)
        elif len(x) == 1 and hasattr(head, 'forward_on_map'):
            def pool(feature: Tensor, step: int = 1) -> Tensor:
                return extractor([feature], rois, step=step, by_pixels=True)
            return self.bbox_head(head.forward_on_map(x[0], pool))
        else:
            features = extractor(x, rois, by_pixels=True)
        return self.bbox_head(features if head is None else head(features))

    def _may_reorder(self, feature: Tensor) -> bool:
        return feature.device.type == 'cpu' and (
            self.reorder == 'always' or (self.reorder == 'test' and not self.training))

    def loss_on(self, x: Sequence[Tensor], proposals: Proposals,
                gt: GroundTruth) -> dict[str, Tensor]:
        """The losses of the second stage.

        Args:
            x: Feature maps of each level.
            proposals: Padded proposals.
            gt: Padded ground truth.

        Returns:
            dict: ``loss_cls``, ``loss_bbox`` and ``acc``.
        """
        head = self.bbox_head
        samples = self.target_sampler(proposals, gt, head.num_classes, head.bbox_coder)
        rois = bbox2roi(samples.bboxes)
        cls_score, bbox_pred = self.run_regions(x, rois)
        labels, mask = samples.labels.flatten(), samples.mask.flatten()
        deltas = samples.deltas.flatten(0, 1)
        if hasattr(head, 'losses'):
            return head.losses(cls_score, bbox_pred, labels, deltas, mask)
        # a bbox head of mmdet divides by all rows it is given: no padding for it
        labels, deltas = labels[mask], deltas[mask]
        positive = (labels < head.num_classes).unsqueeze(-1).expand_as(deltas)
        bbox_pred = None if bbox_pred is None else bbox_pred[mask]
        return head.loss(cls_score[mask], bbox_pred, rois[mask], labels,
                         torch.ones_like(labels, dtype=torch.float), deltas,
                         positive.float())

    def detect(self, x: Sequence[Tensor], proposals: Proposals, image_sizes: Tensor,
               cfg: dict | None = None) -> Detections:
        """The detections of a batch, in pixels of the network's input.

        Args:
            x: Feature maps of each level.
            proposals: Padded proposals.
            image_sizes: (B, 2) height and width of each image.
            cfg: Other settings than ``test_cfg``.
        """
        cls_score, bbox_pred = self.run_regions(x, bbox2roi(proposals.bboxes))
        cfg = cfg or self.test_cfg
        shape = proposals.mask.shape
        if bbox_pred is not None:
            bbox_pred = bbox_pred.unflatten(0, shape)
        scores, bboxes = decode_predictions(
            cls_score.unflatten(0, shape), bbox_pred, proposals.bboxes, image_sizes,
            self.bbox_head.bbox_coder, self.bbox_head.num_classes, nms_offset(cfg))
        return select_detections(scores, bboxes, proposals.mask, cfg)

    def forward(self, x: Sequence[Tensor], rpn_results_list: InstanceList,
                batch_data_samples: SampleList | None = None) -> tuple:
        """mmdet's protocol: raw scores and deltas of given proposals."""
        proposals = instances_to_proposals(rpn_results_list)
        cls_score, bbox_pred = self.run_regions(x, bbox2roi(proposals.bboxes))
        real = proposals.mask.flatten()
        return cls_score[real], None if bbox_pred is None else bbox_pred[real]

    def loss(self, x: Sequence[Tensor], rpn_results_list: InstanceList,
             batch_data_samples: SampleList) -> dict[str, Tensor]:
        """mmdet's protocol: losses on lists of proposals."""
        gt = pack_ground_truth([sample.gt_instances for sample in batch_data_samples])
        return self.loss_on(x, instances_to_proposals(rpn_results_list), gt)

    def predict(self, x: Sequence[Tensor], rpn_results_list: InstanceList,
                batch_data_samples: SampleList, rescale: bool = False) -> InstanceList:
        """mmdet's protocol: detections of each image from lists of proposals."""
        metas = [sample.metainfo for sample in batch_data_samples]
        proposals = instances_to_proposals(rpn_results_list)
        detections = self.detect(x, proposals, image_sizes(metas, x[0].device))
        if rescale:
            detections = rescale_bboxes(detections, metas)
        return unpack(detections.mask, bboxes=detections.bboxes,
                      scores=detections.scores, labels=detections.labels)
