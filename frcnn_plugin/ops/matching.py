"""Which box of ground truth does each anchor or proposal stand for, if any?

Comes in: boxes and padded ground truth. Goes out: a label and an index for each box.
"""

import sys
from typing import NamedTuple

import torch
from torch import Tensor

from .boxes import box_iou

PAIRS = {True: 2**19, False: 2**25}  # in one block, on a CPU and elsewhere
NOWHERE = -1e6  # a place where no image is


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
    bboxes = bboxes.expand(len(gt_bboxes), -1, -1)
    match_low_quality = match_low_quality and bboxes.size(1) > 0
    if valid is not None:  # a box that takes no part overlaps with nothing
        bboxes = torch.where(valid.unsqueeze(-1), bboxes, NOWHERE)
    gt_bboxes = torch.where(gt_mask.unsqueeze(-1), gt_bboxes, -NOWHERE)
    ious = compare(bboxes, gt_bboxes, offset, match_low_quality)
    max_iou = torch.cat([block.max_iou for block in ious], dim=1)
    gt_indices = torch.cat([block.gt_indices for block in ious], dim=1)

    low, high = neg_iou_thr
    labels = torch.full_like(gt_indices, -1)
    below = max_iou <= high if neg_inclusive else max_iou < high
    labels = labels.masked_fill((max_iou >= low) & below, 0)
    real = gt_mask.any(1, keepdim=True)  # without ground truth all is background
    labels = labels.masked_fill((max_iou >= pos_iou_thr) & real, 1)

    if match_low_quality:
        best_iou = torch.stack([block.best_iou for block in ious]).amax(0)
        good = (best_iou > 0) & (best_iou >= min_pos_iou)  # (B, 1, G)
        # of several, the last one, which is the order of mmdet's assignment
        order = torch.arange(1, best_iou.size(-1) + 1, device=best_iou.device,
                             dtype=torch.int32)
        forced = torch.cat([
            last_of(block.is_best & (good & (block.best_iou == best_iou)),
                    order if reassign_low_quality else None) for block in ious], dim=1)
        labels = labels.masked_fill(forced > 0, 1)
        if reassign_low_quality:
            gt_indices = torch.where(forced > 0, forced - 1, gt_indices)
    if valid is not None:
        labels = labels.masked_fill(~valid, -1)
    return Matches(labels, gt_indices, max_iou)


class Comparison(NamedTuple):
    """What remains of the IoU of some boxes with all the ground truth.

    Attributes:
        max_iou (Tensor): (B, n) the highest of each box.
        gt_indices (Tensor): (B, n) int64, with which ground truth.
        best_iou (Tensor | None): (B, 1, G) the highest of each ground truth.
        is_best (Tensor | None): (B, n, G) bool, which pairs have it.
    """

    max_iou: Tensor
    gt_indices: Tensor
    best_iou: Tensor | None
    is_best: Tensor | None


def compare(bboxes: Tensor, gt_bboxes: Tensor, offset: int,
            both_ways: bool) -> list[Comparison]:
    """Compare (B, N, 4) boxes with (B, G, 4) ground truth, in blocks of boxes.

    What remains goes into tensors made beforehand: kept where it arises, it would stand
    between the large ones that come and go, and the memory would grow by them.
    """
    size = block_size(gt_bboxes)
    blocks = bboxes.split(size, dim=1)
    if len(blocks) == 1:
        return [compare_block(bboxes, gt_bboxes, offset, both_ways)]
    (images, number), boxes = bboxes.shape[:2], gt_bboxes.size(1)
    parts = [bboxes.new_empty(images, number).split(size, dim=1),
             bboxes.new_empty((images, number), dtype=torch.long).split(size, dim=1),
             [None] * len(blocks), [None] * len(blocks)]
    if both_ways:
        parts[2:] = [bboxes.new_empty(len(blocks), images, 1, boxes),
                     bboxes.new_empty((images, number, boxes),
                                      dtype=torch.bool).split(size, dim=1)]
    found = [Comparison(*each) for each in zip(*parts, strict=True)]
    for part, block in zip(found, blocks, strict=True):
        result = compare_block(block, gt_bboxes, offset, both_ways)
        for kept, new in zip(part, result, strict=True):
            if new is not None:
                kept.copy_(new)
    return found


def compare_block(bboxes: Tensor, gt_bboxes: Tensor, offset: int,
                  both_ways: bool) -> Comparison:
    """Compare (B, n, 4) boxes with (B, G, 4) ground truth at once."""
    iou = box_iou(bboxes, gt_bboxes, offset)
    max_iou, gt_indices = iou.max(-1)
    if not both_ways:
        return Comparison(max_iou, gt_indices, None, None)
    best_iou = iou.amax(-2, keepdim=True)
    return Comparison(max_iou, gt_indices, best_iou, iou == best_iou)


def last_of(best: Tensor, order: Tensor | None) -> Tensor:
    """(B, n) the highest number in ``order`` of a True column, or 0; or 1 for any."""
    return (best.byte() if order is None else best * order).amax(-1)


def block_size(gt_bboxes: Tensor) -> int:
    """How many boxes of each image are compared at once.

    A CPU is fastest where all pairs stay in its cache; a GPU wants large calls. In a
    graph the compiler makes the blocks, and never holds all pairs either.
    """
    if torch.compiler.is_compiling():
        return sys.maxsize
    pairs = PAIRS[gt_bboxes.device.type == 'cpu']
    return max(1, pairs // gt_bboxes[..., 0].numel())
