"""Non-maximum suppression for a whole batch in one call of torchvision's kernel.

Comes in: padded boxes with a mask. Goes out: a mask of those that stay.
"""

import torch
import torchvision  # noqa: F401 - loading it registers torch.ops.torchvision
from torch import Tensor


def masked_nms(bboxes: Tensor, scores: Tensor, mask: Tensor, iou_thr: float,
               groups: Tensor | None = None) -> Tensor:
    """Suppress boxes within each image, and within each group of it.

    Boxes of different groups are moved so far apart that they never meet, in float64 so
    that the distance costs no precision. Boxes that are masked out share one far place,
    where the first suppresses the rest, so that they cost nothing.

    Args:
        bboxes: (B, K, 4) boxes.
        scores: (B, K) scores; higher ones suppress lower ones.
        mask: (B, K) bool; False boxes neither stay nor suppress.
        iou_thr: Suppressed above this IoU.
        groups: (B, K) or (K,) int64, >= 0; classes or levels that do not compete.

    Returns:
        Tensor: (B, K) bool; True where a box stays.
    """
    if bboxes.device.type == 'cpu' and len(bboxes) > 1:
        # the CPU kernel compares each box that stays with all that follow, those of
        # other images too: one image at a time is B times less work
        groups = None if groups is None else groups.expand(len(bboxes), -1)
        return torch.cat([
            masked_nms(bboxes[i:i + 1], scores[i:i + 1], mask[i:i + 1], iou_thr,
                       None if groups is None else groups[i:i + 1])
            for i in range(len(bboxes))])
    num_images, num_boxes = scores.shape
    image = torch.arange(num_images, device=bboxes.device).view(-1, 1)
    group = image.expand(-1, num_boxes)
    if groups is not None:
        group = groups.expand(num_images, -1) * num_images + image
    boxes = torch.where(mask.unsqueeze(-1), bboxes.double(), 0)
    low, high = boxes.amin(), boxes.amax()
    boxes = boxes - low + (group + 1).unsqueeze(-1) * (high - low + 1)
    dead = boxes.new_tensor([-2.0, -2.0, -1.0, -1.0])  # below every group's place
    boxes = torch.where(mask.unsqueeze(-1), boxes, dead)
    ranks = scores.double().masked_fill(~mask, float('-inf'))
    keep = torch.ops.torchvision.nms(boxes.view(-1, 4), ranks.reshape(-1), iou_thr)
    kept = mask.new_zeros(num_images * num_boxes).index_fill(0, keep, True)
    return kept.view_as(mask) & mask
