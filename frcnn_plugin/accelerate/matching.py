"""Boxes compared with ground truth in blocks that stay in a processor's cache."""

import torch
from torch import Tensor

from ..ops.boxes import box_iou
from ..ops.matching import Comparison, compare, good_best, last_true

PAIRS = dict(cpu=2**19)  # in one block
ELSEWHERE = 2**25  # a GPU wants large calls


def compare_in_blocks(bboxes: Tensor, gt_bboxes: Tensor, offset: int,
                      min_best_iou: float | None) -> Comparison:
    """The same as :func:`frcnn_plugin.ops.matching.compare`, in less memory.

    In a graph the compiler makes the blocks, and never holds all pairs either.
    """
    pairs = PAIRS.get(gt_bboxes.device.type, ELSEWHERE)
    size = max(1, pairs // gt_bboxes[..., 0].numel())
    if torch.compiler.is_compiling() or bboxes.size(1) <= size:
        return compare(bboxes, gt_bboxes, offset, min_best_iou)
    # results go into tensors made beforehand: small ones between the large ones that
    # come and go would fragment the memory
    (images, number), boxes = bboxes.shape[:2], gt_bboxes.size(1)
    blocks = [slice(start, start + size) for start in range(0, number, size)]
    max_iou = bboxes.new_empty(images, number)
    gt_indices = torch.empty_like(max_iou, dtype=torch.long)
    best_of, is_best, best_iou = None, None, None
    if min_best_iou is not None:
        best_of = torch.empty_like(gt_indices)
        is_best = bboxes.new_empty((images, number, boxes), dtype=torch.bool)
        best_iou = bboxes.new_empty(len(blocks), images, 1, boxes)
    for block, rows in enumerate(blocks):
        iou = box_iou(bboxes[:, rows], gt_bboxes, offset)
        max_iou[:, rows], gt_indices[:, rows] = iou.max(-1)
        if best_iou is not None:
            best_iou[block] = iou.amax(-2, keepdim=True)
            is_best[:, rows] = iou == best_iou[block]
    if best_iou is not None:
        best = best_iou.amax(0)
        counts = good_best(best, min_best_iou) & (best_iou == best)
        for block, rows in enumerate(blocks):
            best_of[:, rows] = last_true(is_best[:, rows] & counts[block])
    return Comparison(max_iou, gt_indices, best_of)
