"""What the second stage is trained on: proposals with their classes and deltas."""

import torch
from torch import Tensor

from ..mmdet_bridge.targets import MMDetTargetSampler
from ..ops import BoxCoder, encode, gather_rows, match, subsample
from ..ops.matching import Matches, compare
from ..registry import TASK_UTILS
from ..structures import GroundTruth, Proposals, RoISamples


@TASK_UTILS.register_module()
class ProposalTargetSampler(MMDetTargetSampler):
    """Labels proposals by IoU and samples a fixed number of each image.

    The ground truth is added to the proposals, so that there are positives from the
    first step on. A proposal takes the class of the box with the highest IoU where that
    is at least ``pos_iou_thr``; it is background where it lies in ``neg_iou_thr``.
    Other code bases call this ``ProposalTargetCreator`` (chainercv) or
    ``proposal_target_layer`` (py-faster-rcnn). It also follows mmdet's ``assign`` and
    ``sample`` protocols.

    Source: Fast R-CNN (arXiv:1504.08083), section 2.3, where background starts at IoU
    0.1; Faster R-CNN's code lowers that to 0.

    Args:
        num: Regions per image, S; -1 keeps all that have a label.
        pos_fraction: The largest share of positives among them.
        pos_iou_thr: Positive from this IoU on.
        neg_iou_thr: (low, high); background where low <= IoU < high.
        add_gt_as_proposals: Whether the ground truth joins the proposals.
        offset: 1 if the last pixel of a box belongs to it, as in py-faster-rcnn.
        context: Given by stock mmdet heads; not used.
    """

    def __init__(self, num: int = 128, pos_fraction: float = 0.25,
                 pos_iou_thr: float = 0.5,
                 neg_iou_thr: tuple[float, float] = (0.0, 0.5),
                 add_gt_as_proposals: bool = True, offset: int = 0,
                 context: object = None) -> None:
        self.num = num
        self.pos_fraction = pos_fraction
        self.pos_iou_thr = pos_iou_thr
        low, high = neg_iou_thr
        self.neg_iou_thr = (low, high)
        self.add_gt_as_proposals = add_gt_as_proposals
        self.offset = offset
        self.compare = compare  # a faster one may take its place: accelerate/

    def __call__(self, proposals: Proposals, gt: GroundTruth, num_classes: int,
                 bbox_coder: BoxCoder) -> RoISamples:
        """Sample the regions of a batch.

        Args:
            proposals: Padded proposals.
            gt: Padded ground truth.
            num_classes: C, which is the label of the background.
            bbox_coder: The coder whose deltas the head predicts.

        Returns:
            RoISamples: S = ``num`` rows per image, positives first; fewer if there are
            fewer proposals, and a row for each of them if ``num`` is -1.
        """
        bboxes, mask = proposals.bboxes, proposals.mask
        if self.add_gt_as_proposals:
            bboxes = torch.cat([bboxes, gt.bboxes], dim=1)
            mask = torch.cat([mask, gt.mask], dim=1)
        matches = self.match(bboxes, gt, mask)
        labels = subsample(matches.labels, self.num, self.pos_fraction)
        slots = labels.size(1) if self.num < 0 else min(self.num, labels.size(1))
        # positives, then background, then rows that were not picked
        labels, indices = labels.topk(slots, dim=1)
        bboxes = gather_rows(bboxes, indices)
        gt_indices = matches.gt_indices.gather(1, indices)

        positive, mask = labels == 1, labels >= 0
        classes = torch.where(positive, gt.labels.gather(1, gt_indices), num_classes)
        deltas = encode(bbox_coder, bboxes, gather_rows(gt.bboxes, gt_indices))
        deltas = torch.where(positive.unsqueeze(-1), deltas, 0)
        bboxes = torch.where(mask.unsqueeze(-1), bboxes, 0)
        return RoISamples(bboxes, classes, deltas, mask)

    def match(self, bboxes: Tensor, gt: GroundTruth,
              valid: Tensor | None = None) -> Matches:
        """Labels before sampling, see :func:`frcnn_plugin.ops.match`."""
        return match(bboxes, gt.bboxes, gt.mask, pos_iou_thr=self.pos_iou_thr,
                     neg_iou_thr=self.neg_iou_thr, offset=self.offset, valid=valid,
                     compare=self.compare)
