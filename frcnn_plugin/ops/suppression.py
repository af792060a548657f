"""Non-maximum suppression for a whole batch, by torchvision's kernel."""

import torch
import torchvision  # noqa: F401 - loading it registers torch.ops.torchvision
from torch import Tensor

PER_CALL = 50_000  # boxes in one call of the kernel, whose mask takes 300 MB then


def masked_nms(bboxes: Tensor, scores: Tensor, mask: Tensor, iou_thr: float,
               groups: Tensor | None = None, offset: int = 0,
               num: int = -1) -> Tensor:
    """Suppress boxes within each image, and within each group of it.

    Boxes of different images and groups are moved so far apart that they never meet, in
    float64 so that the distance costs no precision. It is a single custom operator, so
    that a graph (``torch.compile``, ``torch.export``) sees a result of known size.

    Args:
        bboxes: (B, N, 4) boxes.
        scores: (B, N); higher scores suppress lower ones, the first of equals the rest.
        mask: (B, N) bool; False boxes neither stay nor suppress.
        iou_thr: Suppressed above this IoU.
        groups: (B, N) or (N,) int64, >= 0; classes or levels that do not compete.
        offset: 1 if the last pixel of a box belongs to it.
        num: How many boxes of each image are wanted; not positive: all. Not used here:
            a faster kernel, such as another runtime's, may stop after that many.

    Returns:
        Tensor: (B, N) bool; True where a box stays.
    """
    return torch.ops.frcnn_plugin.masked_nms(
        *nms_inputs(bboxes, scores, groups, offset, mask), iou_thr, num)


def nms_inputs(bboxes: Tensor, scores: Tensor, groups: Tensor | None, offset: int,
               mask: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Boxes without an offset, scores, mask, and (B, N) groups or None."""
    if offset:  # a box that ends after its last pixel has the same IoU without offset
        bboxes = torch.cat([bboxes[..., :2], bboxes[..., 2:] + offset], dim=-1)
    return bboxes, scores, mask, None if groups is None else groups.expand_as(scores)


@torch.library.custom_op('frcnn_plugin::masked_nms', mutates_args=())
def _masked_nms(bboxes: Tensor, scores: Tensor, mask: Tensor, groups: Tensor | None,
                iou_thr: float, num: int) -> Tensor:
    if groups is None:
        groups = torch.zeros_like(scores, dtype=torch.long)
    # the host has to wait for the result of each call: as many images as fit into one
    images = max(1, PER_CALL // max(1, scores.size(1)))
    parts = zip(*(x.split(images) for x in (bboxes, scores, mask, groups)), strict=True)
    return torch.cat([nms_of_images(a, b, c, d, iou_thr) for a, b, c, d in parts])


@_masked_nms.register_fake
def _(bboxes: Tensor, scores: Tensor, mask: Tensor, groups: Tensor, iou_thr: float,
      num: int) -> Tensor:
    return torch.empty_like(mask)


def nms_of_images(bboxes: Tensor, scores: Tensor, mask: Tensor, groups: Tensor,
                  iou_thr: float) -> Tensor:
    """One call of the kernel for several images.

    Boxes that are masked out share one far place, where the first suppresses the rest.
    """
    num_images, num_boxes = scores.shape
    if num_boxes == 0:
        return mask.clone()
    image = torch.arange(num_images, device=bboxes.device).view(-1, 1)
    boxes = spread(torch.where(mask.unsqueeze(-1), bboxes, 0),
                   groups * num_images + image)
    dead = boxes.new_full((4,), -1.0)  # a unit box below every group's place
    dead[:2] -= 1
    boxes = torch.where(mask.unsqueeze(-1), boxes, dead)
    ranks = scores.double().masked_fill(~mask, float('-inf'))
    keep = torch.ops.torchvision.nms(boxes.view(-1, 4), ranks.reshape(-1), iou_thr)
    kept = mask.new_zeros(num_images * num_boxes).index_fill(0, keep, True)
    return kept.view_as(mask) & mask


def spread(bboxes: Tensor, groups: Tensor) -> Tensor:
    """(..., 4) float64 boxes, those of each group at a place of their own."""
    boxes = bboxes.double()
    low, high = boxes.amin(), boxes.amax()
    return boxes - low + (groups + 1).unsqueeze(-1) * (high - low + 1)


def nms_settings(nms: dict) -> tuple[float, int]:
    """The IoU threshold and the offset of a setting ``nms`` of mmdet.

    Raises:
        ValueError: If it asks for another kind than plain NMS.
    """
    if nms.get('type', 'nms') != 'nms':
        raise ValueError(f"nms.type is {nms['type']!r}; only 'nms' is supported "
                         'here, use the heads of mmdet for others')
    return nms['iou_threshold'], nms.get('offset', 0)


def masked_topk(scores: Tensor, mask: Tensor, num: int) -> tuple[Tensor, Tensor]:
    """The best ``num`` of each image's (B, N) scores; those in the mask come first.

    Returns:
        tuple: (B, M) int64 indices with M = ``at_most(num, N)``, and the (B, M) mask.
    """
    count = at_most(num, scores.size(1))
    indices = scores.masked_fill(~mask, float('-inf')).topk(count, dim=1).indices
    return indices, mask.gather(1, indices)


def at_most(num: int, size: int) -> int:
    """The smaller of the two; the size if ``num`` is not positive: no limit.

    ``torch.sym_min`` keeps a size that ``torch.export`` leaves symbolic, which ``min``
    would fix. ``torch.compile`` sees sizes as plain ints, and ``torch.sym_min`` would
    break its graph.
    """
    if num <= 0:
        return size
    smaller = torch.sym_min if isinstance(size, torch.SymInt) else min
    return smaller(num, size)
