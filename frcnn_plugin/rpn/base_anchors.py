"""The K anchors of one position, as each code base computes them.

The papers give sizes and ratios; code bases differ in where the centre is and in what
is rounded when, which moves anchors by up to a pixel. All of them are here, so that one
can be checked against another. A ratio is height over width; the ratio changes slowest,
the scale fastest.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def classic_base_anchors(base_size: float, ratios: Sequence[float],
                         scales: Sequence[float]) -> Tensor:
    """The anchors of the paper's own code, with its roundings and inclusive pixels.

    The box of the base size is (0, 0, base_size - 1, base_size - 1); sides are rounded
    for each ratio, then scaled about the centre. Source: ``generate_anchors.py`` of
    py-faster-rcnn. ``(16, (0.5, 1, 2), (8, 16, 32))`` gives its well-known table of 9.

    Args:
        base_size: Side of the base box in pixels.
        ratios: Heights over widths.
        scales: Multiples of the base size.

    Returns:
        Tensor: (K, 4) float32 boxes whose last pixel belongs to them.
    """
    ratio = torch.tensor(ratios, dtype=torch.float64).view(-1, 1)
    scale = torch.tensor(scales, dtype=torch.float64).view(1, -1)
    width = (base_size * base_size / ratio).sqrt().round()
    height = (width * ratio).round()
    center = (base_size - 1) / 2
    half_width = ((width * scale - 1) / 2).flatten()
    half_height = ((height * scale - 1) / 2).flatten()
    return torch.stack([center - half_width, center - half_height,
                        center + half_width, center + half_height], dim=-1).float()


def mmdet_base_anchors(base_size: float, ratios: Sequence[float],
                       scales: Sequence[float], center_offset: float = 0.0) -> Tensor:
    """Unrounded anchors about a multiple of the base size.

    Source: ``AnchorGenerator.gen_single_level_base_anchors`` of mmdet 3.

    Args:
        base_size: Side of the base box in pixels.
        ratios: Heights over widths.
        scales: Multiples of the base size.
        center_offset: The centre, as a share of the base size; 0.5 is the middle of the
            cell where the base size is the stride.

    Returns:
        Tensor: (K, 4) float32 boxes.
    """
    height_factor = torch.tensor(ratios, dtype=torch.float32).sqrt().view(-1, 1)
    scale = torch.tensor(scales, dtype=torch.float32).view(1, -1)
    widths = (base_size * (1 / height_factor) * scale).flatten()
    heights = (base_size * height_factor * scale).flatten()
    return _around(center_offset * base_size, widths, heights)


def torchvision_base_anchors(base_size: float, ratios: Sequence[float],
                             scales: Sequence[float]) -> Tensor:
    """Anchors about (0, 0), every coordinate rounded to a whole pixel.

    Source: ``AnchorGenerator.generate_anchors`` of torchvision, whose ``sizes`` are
    ``base_size * scales``.

    Returns:
        Tensor: (K, 4) float32 boxes.
    """
    height_factor = torch.tensor(ratios, dtype=torch.float32).sqrt().view(-1, 1)
    sizes = base_size * torch.tensor(scales, dtype=torch.float32).view(1, -1)
    widths = ((1 / height_factor) * sizes).flatten()
    heights = (height_factor * sizes).flatten()
    return (torch.stack([-widths, -heights, widths, heights], dim=-1) / 2).round()


def area_base_anchors(base_size: float, ratios: Sequence[float],
                      scales: Sequence[float], center_offset: float = 0.5) -> Tensor:
    """Unrounded anchors from their areas: width = sqrt(area / ratio).

    The textbook formula; it differs from mmdet's in the last bits only.

    Returns:
        Tensor: (K, 4) float32 boxes about ``center_offset * base_size``.
    """
    ratio = torch.tensor(ratios, dtype=torch.float32).view(-1, 1)
    area = (base_size * torch.tensor(scales, dtype=torch.float32).view(1, -1)) ** 2
    widths = (area / ratio).sqrt()
    heights = (area / widths).flatten()
    return _around(center_offset * base_size, widths.flatten(), heights)


def _around(center: float, widths: Tensor, heights: Tensor) -> Tensor:
    return torch.stack([center - 0.5 * widths, center - 0.5 * heights,
                        center + 0.5 * widths, center + 0.5 * heights], dim=-1)
