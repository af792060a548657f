"""The outputs of the RPN's network, one row per anchor."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class RPNOutputs(NamedTuple):
    """The RPN's outputs for every anchor, all levels concatenated."""

    logits: Tensor  # (B, N, 2) float32 for (background, foreground), or (B, N, 1)
    deltas: Tensor  # (B, N, 4) float32
    anchors: Tensor  # (N, 4) float32
    featmap_sizes: list  # (H, W) of each level
    level_sizes: list  # anchors of each level; they sum to N


def rows_of_anchors(maps: Sequence[Tensor], channels: int) -> Tensor:
    """(B, K * channels, H, W) predictions per level, as (B, N, channels) float32.

    One row an anchor, in the order of ``grid_priors``.
    """
    rows = [level.permute(0, 2, 3, 1).reshape(level.size(0), -1, channels)
            for level in maps]
    return torch.cat(rows, dim=1).float()
