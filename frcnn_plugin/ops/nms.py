"""Non-maximum suppression for a whole batch, by torchvision's kernel.

Comes in: padded boxes with a mask. Goes out: a mask of those that stay.
"""

import torch
import torchvision  # noqa: F401 - loading it registers torch.ops.torchvision
from torch import Tensor

PER_CALL = 50_000  # boxes in one call of the GPU's kernel, whose mask is 300 MB then


def masked_nms(bboxes: Tensor, scores: Tensor, mask: Tensor, iou_thr: float,
               groups: Tensor | None = None, offset: int = 0) -> Tensor:
    """Suppress boxes within each image, and within each group of it.

    Boxes of different groups are moved so far apart that they never meet, in float64 so
    that the distance costs no precision. Boxes that are masked out share one far place,
    where the first suppresses the rest.

    Args:
        bboxes: (B, K, 4) boxes.
        scores: (B, K) scores; higher ones suppress lower ones.
        mask: (B, K) bool; False boxes neither stay nor suppress.
        iou_thr: Suppressed above this IoU.
        groups: (B, K) or (K,) int64, >= 0; classes or levels that do not compete.
        offset: 1 if the last pixel of a box belongs to it.

    Returns:
        Tensor: (B, K) bool; True where a box stays.
    """
    if groups is None:
        groups = torch.zeros_like(scores, dtype=torch.long)
    groups = groups.expand_as(scores)
    if offset:  # a box that ends behind its last pixel has the same IoU without offset
        bboxes = torch.cat([bboxes[..., :2], bboxes[..., 2:] + offset], dim=-1)
    # the kernels compare boxes of different images too, so their work grows with the
    # square of a call: the CPU gets one image at a time, a GPU, which has to be waited
    # for after each call, as many as still fit into a mask of moderate size
    images = 1 if bboxes.device.type == 'cpu' else max(1, PER_CALL // scores.size(1))
    parts = zip(*(x.split(images) for x in (bboxes, scores, mask, groups)), strict=True)
    return torch.cat([_nms_of_images(*part, iou_thr) for part in parts])


def _nms_of_images(bboxes: Tensor, scores: Tensor, mask: Tensor, groups: Tensor,
                   iou_thr: float) -> Tensor:
    """One call of the kernel for all the images."""
    num_images, num_boxes = scores.shape
    image = torch.arange(num_images, device=bboxes.device).view(-1, 1)
    group = groups * num_images + image
    boxes = torch.where(mask.unsqueeze(-1), bboxes.double(), 0)
    low, high = boxes.amin(), boxes.amax()
    boxes = boxes - low + (group + 1).unsqueeze(-1) * (high - low + 1)
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
    count = min(num, scores.size(1)) if num > 0 else scores.size(1)
    indices = scores.masked_fill(~mask, float('-inf')).topk(count, dim=1).indices
    return indices, mask.gather(1, indices)
