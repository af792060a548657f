"""Which box of ground truth does each anchor or proposal stand for, if any?"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from .boxes import box_iou

NOWHERE = -1e6  # a coordinate far from every image


class Matches(NamedTuple):
    """The result of :func:`match`."""

    labels: Tensor  # (B, N) int64; 1 positive, 0 negative, -1 neither
    gt_indices: Tensor  # (B, N) int64 in [0, G), the target; meaningful where positive
    max_iou: Tensor  # (B, N) the highest IoU; 0 in an image without boxes


class Comparison(NamedTuple):
    """The IoU of all pairs, reduced to what :func:`match` reads."""

    max_iou: Tensor  # (B, N) highest IoU of each box
    gt_indices: Tensor  # (B, N) int64, the ground truth that has it
    best_of: Tensor | None  # (B, N) int64, 1 + the last gt it is the best box of, or 0


def compare(bboxes: Tensor, gt_bboxes: Tensor, offset: int,
            min_best_iou: float | None) -> Comparison:
    """Compare (B, N, 4) boxes with (B, G, 4) ground truth, G >= 1, all pairs at once.

    A box is a best box of a ground truth if no other overlaps it more and their IoU is
    above 0 and at least ``min_best_iou``; boxes that tie all count. With None, which
    boxes are best is not computed.
    """
    iou = box_iou(bboxes, gt_bboxes, offset)
    max_iou, gt_indices = iou.max(-1)
    if min_best_iou is None or bboxes.size(1) == 0:
        return Comparison(max_iou, gt_indices, None)
    best_iou = iou.amax(-2, keepdim=True)  # (B, 1, G)
    is_best = (iou == best_iou) & good_best(best_iou, min_best_iou)
    return Comparison(max_iou, gt_indices, last_true(is_best))


def good_best(best_iou: Tensor, min_best_iou: float) -> Tensor:
    """Whether the highest IoU of a ground truth is high enough to force a match."""
    return (best_iou > 0) & (best_iou >= min_best_iou)


def last_true(is_best: Tensor) -> Tensor:
    """(B, N) 1 + the last True of (B, N, G), or 0: the order of mmdet's assignment."""
    order = torch.arange(1, is_best.size(-1) + 1, device=is_best.device,
                         dtype=torch.int32)
    return (is_best * order).amax(-1).long()


def match(bboxes: Tensor, gt_bboxes: Tensor, gt_mask: Tensor, *,
          pos_iou_thr: float, neg_iou_thr: tuple[float, float],
          match_low_quality: bool = False, min_pos_iou: float = 0.0,
          reassign_low_quality: bool = False, neg_inclusive: bool = False,
          offset: int = 0, valid: Tensor | None = None,
          compare: Callable[..., Comparison] = compare) -> Matches:
    """Match boxes to ground truth by IoU.

    Source: Faster R-CNN (arXiv:1506.01497), section 3.1.2, and Fast R-CNN
    (arXiv:1504.08083), section 2.3.

    Args:
        bboxes: (N, 4) boxes common to all images, or (B, N, 4).
        gt_bboxes: (B, G, 4) ground truth, padded; G >= 1.
        gt_mask: (B, G) bool; False where padded.
        pos_iou_thr: Positive from this IoU on.
        neg_iou_thr: (low, high); negative where low <= IoU < high.
        match_low_quality: Whether the best box of each ground truth is positive even
            below ``pos_iou_thr``; boxes that tie for best all are.
        min_pos_iou: The lowest IoU at which that happens; it never does at IoU 0.
        reassign_low_quality: Whether such a box takes the ground truth that it is the
            best of as its target (mmdet) or the one that it overlaps most
            (py-faster-rcnn, detectron2, torchvision).
        neg_inclusive: Whether IoU = high is negative too.
        offset: 1 if the last pixel of a box belongs to it.
        valid: (B, N) bool; boxes that take no part get label -1. Default: all do.
        compare: How the pairs are compared; another one may be faster, see
            ``accelerate/matching.py``.
    """
    bboxes = bboxes.expand(len(gt_bboxes), -1, -1)
    if valid is not None:  # a box that takes no part overlaps with nothing
        bboxes = torch.where(valid.unsqueeze(-1), bboxes, NOWHERE)
    gt_bboxes = torch.where(gt_mask.unsqueeze(-1), gt_bboxes, -NOWHERE)
    max_iou, gt_indices, best_of = compare(
        bboxes, gt_bboxes, offset, min_pos_iou if match_low_quality else None)

    low, high = neg_iou_thr
    labels = torch.full_like(gt_indices, -1)
    below = max_iou <= high if neg_inclusive else max_iou < high
    labels = labels.masked_fill((max_iou >= low) & below, 0)
    real = gt_mask.any(1, keepdim=True)  # without ground truth all is background
    labels = labels.masked_fill((max_iou >= pos_iou_thr) & real, 1)
    if best_of is not None:
        labels = labels.masked_fill(best_of > 0, 1)
        if reassign_low_quality:
            gt_indices = torch.where(best_of > 0, best_of - 1, gt_indices)
    if valid is not None:
        labels = labels.masked_fill(~valid, -1)
    return Matches(labels, gt_indices, max_iou)
