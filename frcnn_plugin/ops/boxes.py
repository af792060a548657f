"""Box arithmetic on batches: overlap, clipping, coding.

``offset`` is mmcv's name for the convention of py-faster-rcnn: with 1 the last pixel of
a box belongs to it, so that it is ``x2 - x1 + 1`` pixels wide; with 0, which is usual
today, ``x2 - x1``. ``image_sizes`` are (B, 2): height and width of each image in
pixels, without padding. A ``coder`` is one of mmdet's, such as ``DeltaXYWHBBoxCoder``.
"""

from typing import Any, Protocol

import torch
from torch import Tensor


class BoxCoder(Protocol):
    """The methods of mmdet's box coders that are called here."""

    def encode(self, bboxes: Tensor, gt_bboxes: Tensor) -> Tensor:
        """(N, 4) deltas that turn (N, 4) boxes into their ground truth."""

    def decode(self, bboxes: Tensor, pred_bboxes: Tensor, **options: Any) -> Tensor:
        """(N, 4 or 4 * C) boxes, in the shape of the deltas ``pred_bboxes``."""


def box_iou(bboxes1: Tensor, bboxes2: Tensor, offset: int = 0) -> Tensor:
    """Intersection over union of every pair, 0 where both boxes are empty.

    (..., N, 4) and (..., G, 4) boxes, whose leading axes broadcast, to (..., N, G) in
    [0, 1].
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
    """(B, ..., 4) boxes with 0 <= x <= width - offset of their image, and y alike."""
    limits = image_sizes.flip(-1).repeat(1, 2).to(bboxes) - offset  # (B, 4): w, h, w, h
    limits = limits.view(-1, *[1] * (bboxes.dim() - 2), 4)
    return bboxes.clamp(min=0).minimum(limits)


def inside_mask(anchors: Tensor, image_sizes: Tensor, allowed_border: float,
                border_inclusive: bool = False) -> Tensor:
    """(B, N) bool: which of (N, 4) anchors stay on each image.

    They may extend beyond it by up to ``allowed_border`` pixels; a negative value sets
    no limit. One that ends exactly at the right or lower limit is inside only if
    ``border_inclusive``.
    """
    border = allowed_border if allowed_border >= 0 else float('inf')
    x1, y1, x2, y2 = anchors.unbind(-1)
    height, width = image_sizes.to(anchors).unsqueeze(-1).unbind(1)  # (B, 1) each
    before = torch.le if border_inclusive else torch.lt
    return ((x1 >= -border) & (y1 >= -border)
            & before(x2, width + border) & before(y2, height + border))


def encode(coder: BoxCoder, bboxes: Tensor, gt_bboxes: Tensor) -> Tensor:
    """(..., 4) float32 deltas that turn (..., 4) boxes into their ground truth.

    They are not finite where either box is empty, which callers mask.
    """
    bboxes, gt_bboxes = bboxes.float(), gt_bboxes.float()
    deltas = coder.encode(bboxes.reshape(-1, 4), gt_bboxes.reshape(-1, 4))
    return deltas.view_as(bboxes)


def decode(coder: BoxCoder, bboxes: Tensor, deltas: Tensor,
           wh_ratio_clip: float | None = None) -> Tensor:
    """(..., 4) boxes after (..., 4) or (..., 4 * C) deltas are applied, not clipped.

    They are float32, in the shape of ``deltas``. Width and height change by at most a
    factor of 1 / ``wh_ratio_clip``; default: the coder's own, 16 / 1000 in mmdet.
    """
    flat = deltas.reshape(-1, deltas.size(-1)).float()
    options = {} if wh_ratio_clip is None else dict(wh_ratio_clip=wh_ratio_clip)
    decoded = coder.decode(bboxes.reshape(-1, 4).float(), flat, **options)
    return decoded.view_as(deltas)


def gather_rows(values: Tensor, indices: Tensor) -> Tensor:
    """(B, M, D) rows of (B, N, D) values by (B, M) indices in [0, N)."""
    return values.gather(1, indices.unsqueeze(-1).expand(-1, -1, values.size(-1)))
