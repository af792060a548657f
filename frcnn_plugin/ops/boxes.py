"""Box arithmetic on batches: overlap, clipping, coding.

``offset`` is mmcv's name for the convention of py-faster-rcnn: with 1 the last pixel of
a box belongs to it, so that it is ``x2 - x1 + 1`` pixels wide; with 0, which is usual
today, ``x2 - x1``.
"""

import torch
from torch import Tensor


def box_iou(bboxes1: Tensor, bboxes2: Tensor, offset: int = 0) -> Tensor:
    """Intersection over union of every pair.

    Args:
        bboxes1: (..., N, 4) boxes (x1, y1, x2, y2).
        bboxes2: (..., G, 4) boxes; leading axes broadcast against those of ``bboxes1``.
        offset: 1 if the last pixel of a box belongs to it.

    Returns:
        Tensor: (..., N, G) IoU in [0, 1]; 0 where both boxes are empty.
    """
    # coordinate by coordinate: no (..., N, G, 2) tensor is ever made
    x1, y1, x2, y2 = bboxes1.movedim(-1, 0).contiguous().unsqueeze(-1)
    u1, v1, u2, v2 = bboxes2.movedim(-1, 0).contiguous().unsqueeze(-2)
    if offset:
        x2, y2, u2, v2 = x2 + offset, y2 + offset, u2 + offset, v2 + offset
    width = (x2.minimum(u2) - x1.maximum(u1)).clamp_(min=0)
    height = (y2.minimum(v2) - y1.maximum(v1)).clamp_(min=0)
    intersection = width * height
    union = (x2 - x1) * (y2 - y1) + (u2 - u1) * (v2 - v1) - intersection
    return intersection / union.clamp_(min=1e-6)


def clip_bboxes(bboxes: Tensor, image_sizes: Tensor, offset: int = 0) -> Tensor:
    """Clip the boxes of each image to that image.

    Args:
        bboxes: (B, ..., 4) boxes.
        image_sizes: (B, 2) height and width of each image in pixels, without padding.
        offset: 1 if the last pixel of a box belongs to it.

    Returns:
        Tensor: (B, ..., 4) boxes with 0 <= x <= width - offset, and y alike.
    """
    limits = image_sizes.flip(-1).repeat(1, 2).to(bboxes) - offset  # (B, 4): w, h, w, h
    limits = limits.view(-1, *[1] * (bboxes.dim() - 2), 4)
    return bboxes.clamp(min=0).minimum(limits)


def inside_mask(anchors: Tensor, image_sizes: Tensor, allowed_border: float,
                border_inclusive: bool = False) -> Tensor:
    """Which anchors stay on their image.

    Args:
        anchors: (N, 4) anchors.
        image_sizes: (B, 2) height and width of each image in pixels.
        allowed_border: Pixels by which they may leave it; below 0: any number.
        border_inclusive: Whether an anchor that ends exactly on the right or lower
            border is inside (chainercv, simple-faster-rcnn-pytorch) or not
            (py-faster-rcnn, mmdet).

    Returns:
        Tensor: (B, N) bool.
    """
    if allowed_border < 0:
        return torch.ones(len(image_sizes), len(anchors), dtype=torch.bool,
                          device=anchors.device)
    x1, y1, x2, y2 = anchors.unbind(-1)
    height, width = image_sizes.to(anchors).unsqueeze(-1).unbind(1)  # (B, 1) each
    right, bottom = width + allowed_border, height + allowed_border
    begins = (x1 >= -allowed_border) & (y1 >= -allowed_border)
    if border_inclusive:
        return begins & (x2 <= right) & (y2 <= bottom)
    return begins & (x2 < right) & (y2 < bottom)


def encode(coder, bboxes: Tensor, gt_bboxes: Tensor) -> Tensor:
    """Deltas that turn boxes into their ground truth, by one of mmdet's box coders.

    Args:
        coder: A box coder of mmdet, for example ``DeltaXYWHBBoxCoder``.
        bboxes: (..., 4) boxes.
        gt_bboxes: (..., 4) the ground truth of each box.

    Returns:
        Tensor: (..., 4) deltas in float32; not finite where either box is empty, which
        callers mask.
    """
    bboxes, gt_bboxes = bboxes.float(), gt_bboxes.float()
    deltas = coder.encode(bboxes.reshape(-1, 4), gt_bboxes.reshape(-1, 4))
    return deltas.view(*bboxes.shape[:-1], deltas.size(-1))


def decode(coder, bboxes: Tensor, deltas: Tensor,
           wh_ratio_clip: float | None = None) -> Tensor:
    """Boxes after the deltas are applied, not clipped to the image.

    Args:
        coder: A box coder of mmdet.
        bboxes: (..., 4) anchors or proposals.
        deltas: (..., 4) or (..., 4 * C) deltas.
        wh_ratio_clip: A box grows or shrinks by at most the inverse of this. Default:
            the coder's, 16 / 1000 in mmdet.

    Returns:
        Tensor: Boxes in float32, of the shape of ``deltas``.
    """
    flat = deltas.reshape(-1, deltas.size(-1)).float()
    options = {} if wh_ratio_clip is None else dict(wh_ratio_clip=wh_ratio_clip)
    decoded = coder.decode(bboxes.reshape(-1, 4).float(), flat, **options)
    return decoded.view_as(deltas)


def gather_rows(values: Tensor, indices: Tensor) -> Tensor:
    """Rows of each image by index.

    Args:
        values: (B, N) or (B, N, D).
        indices: (B, M) integers in [0, N).

    Returns:
        Tensor: (B, M) or (B, M, D).
    """
    if values.dim() == 2:
        return values.gather(1, indices)
    return values.gather(1, indices.unsqueeze(-1).expand(-1, -1, values.size(-1)))
