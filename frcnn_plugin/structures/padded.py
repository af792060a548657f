"""What flows between the stages: padded batches with a mask.

Boxes are (x1, y1, x2, y2) in pixels of the network's input. Where a mask is False the
row is padding: boxes, scores and deltas are 0 there. Real rows come first in each
image. ``AnchorTargets`` are not padded.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class GroundTruth(NamedTuple):
    """The annotated boxes of a batch."""

    bboxes: Tensor  # (B, G, 4) float32, G >= 1
    labels: Tensor  # (B, G) int64 in [0, C)
    mask: Tensor  # (B, G) bool


class Proposals(NamedTuple):
    """Regions that may hold an object, best first."""

    bboxes: Tensor  # (B, P, 4) float32
    scores: Tensor  # (B, P) float32 in [0, 1]
    mask: Tensor  # (B, P) bool


class AnchorTargets(NamedTuple):
    """The targets of each anchor."""

    labels: Tensor  # (B, N) int64; 1 object, 0 background, -1 not trained on
    deltas: Tensor  # (B, N, 4) float32; 0 where the label is not 1


class RoISamples(NamedTuple):
    """The proposals that the second stage is trained on, with their targets."""

    bboxes: Tensor  # (B, S, 4) float32
    labels: Tensor  # (B, S) int64 in [0, C], where C is the background
    deltas: Tensor  # (B, S, 4) float32 regression targets; 0 for the background
    mask: Tensor  # (B, S) bool


class Detections(NamedTuple):
    """What the detector found, best first."""

    bboxes: Tensor  # (B, D, 4) float32
    scores: Tensor  # (B, D) float32 in [0, 1]
    labels: Tensor  # (B, D) int64 in [0, C)
    mask: Tensor  # (B, D) bool


def bbox2roi(bboxes: Tensor) -> Tensor:
    """(B, P, 4) boxes as (B * P, 5) RoIs (image index, x1, y1, x2, y2).

    That is the format of ``torchvision.ops`` and mmcv.
    """
    num_images, num_boxes, _ = bboxes.shape
    image = torch.arange(num_images, device=bboxes.device, dtype=bboxes.dtype)
    image = image.view(-1, 1, 1).expand(-1, num_boxes, -1)
    return torch.cat([image, bboxes], dim=-1).view(-1, 5)
