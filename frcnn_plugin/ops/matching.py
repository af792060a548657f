"""Which box of ground truth does each anchor or proposal stand for, if any?

Comes in: boxes and padded ground truth. Goes out: a label and an index for each box.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from .boxes import box_iou


class Matches(NamedTuple):
    """The result of :func:`match`.

    Attributes:
        labels (Tensor): (B, N) int64; 1 positive, 0 negative, -1 neither.
        gt_indices (Tensor): (B, N) int64 in [0, G); the box of ground truth with the
            highest IoU. Meaningful where the label is 1.
        max_iou (Tensor): (B, N) the IoU with that box; 0 in an image without boxes.
    """

    labels: Tensor
    gt_indices: Tensor
    max_iou: Tensor


def match(bboxes: Tensor, gt_bboxes: Tensor, gt_mask: Tensor, *,
          pos_iou_thr: float, neg_iou_thr: tuple[float, float],
          match_low_quality: bool = False, min_pos_iou: float = 0.0,
          reassign_low_quality: bool = False, neg_inclusive: bool = False,
          offset: int = 0, valid: Tensor | None = None) -> Matches:
    """Match boxes to ground truth by IoU.

    Source: Faster R-CNN (arXiv:1506.01497), section 3.1.2, and Fast R-CNN
    (arXiv:1504.08083), section 2.3. Code bases differ on one point: when a box is made
    positive because it is the best of some ground truth, py-faster-rcnn, detectron2 and
    torchvision keep its own closest ground truth as its target, and mmdet hands it to
    the one that it is the best of.

    Args:
        bboxes: (N, 4) boxes common to all images, or (B, N, 4).
        gt_bboxes: (B, G, 4) ground truth, padded; G >= 1.
        gt_mask: (B, G) bool; False where padded.
        pos_iou_thr: Positive from this IoU on.
        neg_iou_thr: (low, high); negative where low <= IoU < high.
        match_low_quality: Whether the best box of each ground truth is positive even
            below ``pos_iou_thr``; boxes that tie for best all are.
        min_pos_iou: ... but only from this IoU on, and never at IoU 0.
        reassign_low_quality: Whether such a box takes the ground truth that it is the
            best of as its target (mmdet) or its own closest one (the others).
        neg_inclusive: Whether IoU = high is negative too.
        offset: 1 if the last pixel of a box belongs to it.
        valid: (B, N) bool; boxes that take no part get label -1. Default: all do.

    Returns:
        Matches: Labels, indices and IoU for each of the N boxes.
    """
    iou = box_iou(bboxes, gt_bboxes, offset)  # (B, N, G)
    iou = iou.masked_fill(~gt_mask.unsqueeze(-2), -1)
    if valid is not None:
        iou = iou.masked_fill(~valid.unsqueeze(-1), -1)
    max_iou, gt_indices = iou.max(-1)

    low, high = neg_iou_thr
    overlap = max_iou.clamp(min=0)  # without ground truth everything is background
    labels = torch.full_like(gt_indices, -1)
    below = overlap <= high if neg_inclusive else overlap < high
    labels = labels.masked_fill((overlap >= low) & below, 0)
    labels = labels.masked_fill(max_iou >= pos_iou_thr, 1)

    if match_low_quality:
        best_iou = iou.amax(-2, keepdim=True)  # (B, 1, G)
        is_best = (iou == best_iou) & (best_iou > 0) & (best_iou >= min_pos_iou)
        forced = is_best.any(-1)
        labels = labels.masked_fill(forced, 1)
        if reassign_low_quality:
            # of several, the last one, which is the order of mmdet's assignment
            order = torch.arange(iou.size(-1), device=iou.device)
            last = torch.where(is_best, order, -1).amax(-1)
            gt_indices = torch.where(forced, last, gt_indices)
    if valid is not None:
        labels = labels.masked_fill(~valid, -1)
    return Matches(labels, gt_indices, overlap)
