"""Non-maximum suppression for a whole batch, by torchvision's kernel.

Comes in: padded boxes with a mask. Goes out: a mask of those that stay.
"""

import torch
import torchvision  # noqa: F401 - loading it registers torch.ops.torchvision
from torch import Tensor

from .boxes import box_iou

BLOCK = 512  # boxes that a CPU takes at once
PAIRS = 2**17  # of boxes that it compares in its cache
PER_CALL = 50_000  # boxes in one call of the GPU's kernel, whose mask is 300 MB then


def masked_nms(bboxes: Tensor, scores: Tensor, mask: Tensor, iou_thr: float,
               groups: Tensor | None = None, offset: int = 0,
               num: int = -1) -> Tensor:
    """Suppress boxes within each image, and within each group of it.

    Boxes of different groups are moved so far apart that they never meet, in float64 so
    that the distance costs no precision. It is one operator of its own, so that a graph
    (``torch.compile``, ``torch.export``) sees a result of known size.

    Args:
        bboxes: (B, K, 4) boxes.
        scores: (B, K) scores; higher ones suppress lower ones, of equals the first.
        mask: (B, K) bool; False boxes neither stay nor suppress.
        iou_thr: Suppressed above this IoU.
        groups: (B, K) or (K,) int64, >= 0; classes or levels that do not compete.
        offset: 1 if the last pixel of a box belongs to it.
        num: How many of each image are wanted; once that many are found the others may
            be False whether they would stay or not. Not positive: all.

    Returns:
        Tensor: (B, K) bool; True where a box stays.
    """
    if offset:  # a box that ends behind its last pixel has the same IoU without offset
        bboxes = torch.cat([bboxes[..., :2], bboxes[..., 2:] + offset], dim=-1)
    if groups is not None:
        groups = groups.expand_as(scores)
    return _masked_nms(bboxes, scores, mask, groups, iou_thr, num)


@torch.library.custom_op('frcnn_plugin::masked_nms', mutates_args=())
def _masked_nms(bboxes: Tensor, scores: Tensor, mask: Tensor, groups: Tensor | None,
                iou_thr: float, num: int) -> Tensor:
    if bboxes.device.type == 'cpu':
        kept = torch.zeros_like(mask)
        for image, real in enumerate(mask):
            rows = real.nonzero().squeeze(1)
            found = greedy(bboxes[image, rows], scores[image, rows], iou_thr,
                           None if groups is None else groups[image, rows], num)
            kept[image, rows[found]] = True
        return kept
    if groups is None:
        groups = torch.zeros_like(scores, dtype=torch.long)
    # a GPU, which has to be waited for after each call, gets as many images as still
    # fit into a mask of moderate size
    images = max(1, PER_CALL // scores.size(1))
    parts = zip(*(x.split(images) for x in (bboxes, scores, mask, groups)), strict=True)
    return torch.cat([nms_of_images(*part, iou_thr) for part in parts])


@_masked_nms.register_fake
def _(bboxes, scores, mask, groups, iou_thr, num):
    return torch.empty_like(mask)


def greedy(bboxes: Tensor, scores: Tensor, iou_thr: float, groups: Tensor | None,
           num: int) -> Tensor:
    """The boxes of one image that stay, found from the best on until there are enough.

    They are taken in blocks, whose boxes are first compared with those that are known
    to stay, many pairs in one operation, and then with one another by the kernel.

    Args:
        bboxes: (n, 4) boxes.
        scores: (n,) scores.
        iou_thr: Suppressed above this IoU.
        groups: (n,) int64, or None.
        num: How many are wanted; all if not positive.

    Returns:
        Tensor: (k,) int64 indices, the best first.
    """
    order = scores.argsort(descending=True, stable=True)
    bboxes = bboxes[order]
    if groups is not None and len(order):
        bboxes = apart(bboxes, groups[order])
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


def apart(bboxes: Tensor, groups: Tensor) -> Tensor:
    """(..., 4) float64 boxes, those of each group at a place of their own."""
    boxes = bboxes.double()
    low, high = boxes.amin(), boxes.amax()
    return boxes - low + (groups + 1).unsqueeze(-1) * (high - low + 1)


def nms_of_images(bboxes: Tensor, scores: Tensor, mask: Tensor, groups: Tensor,
                  iou_thr: float) -> Tensor:
    """One call of the kernel for all the images.

    Boxes that are masked out share one far place, where the first suppresses the rest.
    """
    num_images, num_boxes = scores.shape
    image = torch.arange(num_images, device=bboxes.device).view(-1, 1)
    boxes = apart(torch.where(mask.unsqueeze(-1), bboxes, 0),
                  groups * num_images + image)
    dead = boxes.new_full((4,), -1.0)  # a unit box below every group's place
    dead[:2] -= 1
    boxes = torch.where(mask.unsqueeze(-1), boxes, dead)
    ranks = scores.double().masked_fill(~mask, float('-inf'))
    keep = torch.ops.torchvision.nms(boxes.view(-1, 4), ranks.reshape(-1), iou_thr)
    kept = mask.new_zeros(num_images * num_boxes).index_fill(0, keep, True)
    return kept.view_as(mask) & mask


def keep_best(scores: Tensor, mask: Tensor, num: int) -> tuple[Tensor, Tensor]:
    """The best rows of each image, real ones first.

    Args:
        scores: (B, K) scores.
        mask: (B, K) bool; which rows may be kept.
        num: How many; all K if not positive.

    Returns:
        tuple: (B, M) indices with M = min(num, K), and (B, M) bool, which of them are
        real.
    """
    count = smaller(num, scores.size(1)) if num > 0 else scores.size(1)
    indices = scores.masked_fill(~mask, float('-inf')).topk(count, dim=1).indices
    return indices, mask.gather(1, indices)


def smaller(num: int, size: int) -> int:
    """The smaller of the two, where ``torch.export`` leaves a size open too.

    ``min`` would settle there which of the two it is; ``torch.compile``, which takes
    any size for an int, would break its graph at ``torch.sym_min``.
    """
    if isinstance(size, torch.SymInt):
        return torch.sym_min(num, size)
    return min(num, size)
