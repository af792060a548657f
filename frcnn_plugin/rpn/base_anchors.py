"""The K anchors of one position, as each code base computes them.

The papers give sizes and ratios; code bases differ in where the centre is and in what
is rounded when: for a base of 16 pixels this moves centres by up to 8 pixels, and sides
of anchors of 512 pixels differ by up to 21. All of them are here, so that one can
be checked against another. Each takes the side of the base box in pixels, ratios of
height over width, and scales, which are multiples of that side; and gives (K, 4)
float32 boxes. The ratio changes slowest, the scale fastest.
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
    The last pixel of a box belongs to it.
    """
    ratio, scale = _grid(ratios, scales, torch.float64)
    width = (base_size * base_size / ratio).sqrt().round()
    height = (width * ratio).round()
    center = (base_size - 1) / 2
    return _around(center, width * scale - 1, height * scale - 1).float()


def mmdet_base_anchors(base_size: float, ratios: Sequence[float],
                       scales: Sequence[float], center_offset: float = 0.0) -> Tensor:
    """Unrounded anchors about a multiple of the base size.

    Source: ``AnchorGenerator.gen_single_level_base_anchors`` of mmdet 3. The centre is
    ``center_offset * base_size``; 0.5 is the middle of the cell where the base size is
    the stride.
    """
    ratio, scale = _grid(ratios, scales)
    height_factor = ratio.sqrt()
    widths = base_size * (1 / height_factor) * scale
    heights = base_size * height_factor * scale
    return _around(center_offset * base_size, widths, heights)


def torchvision_base_anchors(base_size: float, ratios: Sequence[float],
                             scales: Sequence[float]) -> Tensor:
    """Anchors about (0, 0), every coordinate rounded to a whole pixel.

    Source: ``AnchorGenerator.generate_anchors`` of torchvision, whose ``sizes`` are
    ``base_size * scales``.
    """
    ratio, scale = _grid(ratios, scales)
    height_factor, sizes = ratio.sqrt(), base_size * scale
    return _around(0.0, (1 / height_factor) * sizes, height_factor * sizes).round()


def area_base_anchors(base_size: float, ratios: Sequence[float],
                      scales: Sequence[float], center_offset: float = 0.5) -> Tensor:
    """Unrounded anchors from their areas: width = sqrt(area / ratio).

    The textbook formula; it differs from mmdet's in the last bits only. The centre is
    ``center_offset * base_size``.
    """
    ratio, scale = _grid(ratios, scales)
    area = (base_size * scale) ** 2
    widths = (area / ratio).sqrt()
    return _around(center_offset * base_size, widths, area / widths)


STYLES = dict(classic=classic_base_anchors, mmdet=mmdet_base_anchors,
              torchvision=torchvision_base_anchors, area=area_base_anchors)


def _grid(ratios: Sequence[float], scales: Sequence[float],
          dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """A column of ratios and a row of scales."""
    return (torch.tensor(ratios, dtype=dtype).view(-1, 1),
            torch.tensor(scales, dtype=dtype).view(1, -1))


def _around(center: float, widths: Tensor, heights: Tensor) -> Tensor:
    half = 0.5 * torch.stack([widths, heights], dim=-1).view(-1, 2)
    return torch.cat([center - half, center + half], dim=-1)
