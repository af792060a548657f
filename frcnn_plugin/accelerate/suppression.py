"""Non-maximum suppression on a CPU, from the best box on until there are enough."""

import torch
from torch import Tensor

from ..ops.boxes import box_iou
from ..ops.suppression import masked_nms, nms_inputs, spread

BLOCK = 512  # boxes that are taken at once
PAIRS = 2**17  # of boxes that are compared in the cache


def greedy_nms(bboxes: Tensor, scores: Tensor, mask: Tensor, iou_thr: float,
               groups: Tensor | None = None, offset: int = 0,
               num: int = -1) -> Tensor:
    """The same as :func:`frcnn_plugin.ops.masked_nms`, which it calls off the CPU.

    Once ``num`` boxes of an image are found the others are False, whether they would
    stay or not.
    """
    if bboxes.device.type != 'cpu':
        return masked_nms(bboxes, scores, mask, iou_thr, groups, offset, num)
    return torch.ops.frcnn_plugin.greedy_nms(
        *nms_inputs(bboxes, scores, groups, offset, mask), iou_thr, num)


@torch.library.custom_op('frcnn_plugin::greedy_nms', mutates_args=())
def _greedy_nms(bboxes: Tensor, scores: Tensor, mask: Tensor, groups: Tensor | None,
                iou_thr: float, num: int) -> Tensor:
    kept = torch.zeros_like(mask)
    for image, real in enumerate(mask):
        rows = real.nonzero().squeeze(1)
        found = greedy(bboxes[image, rows], scores[image, rows], iou_thr,
                       None if groups is None else groups[image, rows], num)
        kept[image, rows[found]] = True
    return kept


_greedy_nms.register_fake(lambda bboxes, scores, mask, *_: torch.empty_like(mask))


def greedy(bboxes: Tensor, scores: Tensor, iou_thr: float, groups: Tensor | None,
           num: int) -> Tensor:
    """The boxes of one image that stay.

    They are taken in blocks, whose boxes are first compared with those that are known
    to stay, many pairs in one operation, and then with one another by the kernel.
    Returns (k,) int64 indices of the (n, 4) boxes, best first; k <= ``num`` if that is
    positive.
    """
    order = scores.argsort(descending=True, stable=True)
    bboxes = bboxes[order].double()  # as masked_nms compares them
    if groups is not None and len(order):
        bboxes = spread(bboxes, groups[order])
    num = num if num > 0 else len(order)
    kept, places = bboxes[:0], [order[:0]]
    for block, place in zip(bboxes.split(BLOCK), order.split(BLOCK), strict=True):
        free = highest_iou(block, kept) <= iou_thr
        block, place = block[free], place[free]
        ranks = torch.arange(len(block), 0, -1, dtype=block.dtype)
        stays = torch.ops.torchvision.nms(block, ranks, iou_thr)
        kept = torch.cat([kept, block[stays]])
        places.append(place[stays])
        if len(kept) >= num:
            break
    return torch.cat(places)[:num]


def highest_iou(bboxes: Tensor, others: Tensor) -> Tensor:
    """(n,) the highest IoU of each (n, 4) box with any of the (m, 4) others, or 0."""
    if not len(others):
        return bboxes.new_zeros(len(bboxes))
    parts = bboxes.split(max(1, PAIRS // len(others)))
    return torch.cat([box_iou(part, others).amax(1) for part in parts])
