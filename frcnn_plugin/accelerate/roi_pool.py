"""RoIPool as a choice among the maxima of all windows of the map.

The bins of a region are windows of a few sizes, and there are about as many bins as
windows. The maximum of every window of these sizes is made first, each from two of a
smaller size; a bin is then a row of that table, a position with all of its channels,
where torchvision's kernel on a CPU goes channel by channel.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from ..roi.roi_pool_extractor import RoIPoolExtractor

MANY_CHANNELS = 64  # of a map whose pixels are worth reading as a whole
# up to which the table costs less than torchvision's kernel, forward only and with the
# backward pass, as measured with AVX-512
WINDOWS_A_BIN = dict(forward=4, both=1)


class PixelRoIPool(RoIPoolExtractor):
    """A ``RoIPoolExtractor`` that pools by pixels where that is faster.

    That is on a CPU, for RoIPool on maps of many channels, unless there are many more
    windows than bins; elsewhere it does what its base does.
    """

    @classmethod
    def fits(cls, module) -> bool:
        """Whether a module is an extractor whose place it can take."""
        return type(module) is RoIPoolExtractor and module.kind == 'RoIPool'

    def pool_map(self, feature: Tensor, rois: Tensor, spatial_scale: float) -> Tensor:
        """(R, C, h, w) of (R, 5) regions of one (B, C, H, W) map."""
        if feature.device.type == 'cpu' and feature.size(1) >= MANY_CHANNELS and (
                not torch.compiler.is_compiling()):  # the sizes depend on the data
            bins = find_bins(rois.float(), feature.shape, self.output_size,
                             spatial_scale)
            ways = 'both' if torch.is_grad_enabled() and feature.requires_grad else (
                'forward')
            if bins.num_windows <= WINDOWS_A_BIN[ways] * bins.first.numel():
                return roi_pool_bins(feature, bins)
        return super().pool_map(feature, rois, spatial_scale)


class Step(NamedTuple):
    """How windows of one size are made: from a smaller one and its shifted copy."""

    source: int  # place of the smaller size in the table
    axis: int  # of (B, H, W, C): 1 or 2
    shift: int  # pixels


class Bins(NamedTuple):
    """Where the bins of regions are in a table of windows."""

    first: Tensor  # (R, h, w) int64, rows of the table
    second: Tensor  # the same, or the window that holds the rest of the bin
    steps: list[Step]  # of every size after that of one pixel
    num_windows: int  # rows of the table; one more is 0, for empty bins


def find_bins(rois: Tensor, shape: torch.Size, output_size: tuple[int, int],
              spatial_scale: float) -> Bins:
    """The bins of regions, and the windows that they are made of.

    Windows have every width up to the widest bin's, and the heights 1, 2, 3, 4, 8, 16,
    ...; a bin of another height is covered by two of them, which overlap.

    Args:
        rois: (R, 5) float32 regions (image index, x1, y1, x2, y2).
        shape: That of the maps, (B, C, H, W).
        output_size: Bins of a region, (h, w).
        spatial_scale: Pixels of a map for one of the regions' coordinates.
    """
    left, top, right, bottom = round_half_away(
        rois[:, 1:].detach() * spatial_scale).unbind(1)
    y, height = bins_along(top, bottom, output_size[0], shape[2])
    x, width = bins_along(left, right, output_size[1], shape[3])
    heights = torch.tensor([1, 2, 3, *(2**power for power in range(2, 16))])
    kind = (torch.searchsorted(heights, height, right=True) - 1).clamp(min=0)

    most = torch.zeros(max([1, *width.flatten().tolist()]) + 1, dtype=torch.long)
    most.scatter_reduce_(0, width.flatten(), kind.amax(1).repeat_interleave(
        width.size(1)), 'amax')  # the highest kind of each width
    places = (most[1:] + 1).cumsum(0) - most[1:] - 1
    steps = []
    for wide, (place, kinds) in enumerate(zip(
            places.tolist(), most[1:].tolist(), strict=True)):
        if wide:
            steps.append(Step(int(places[wide - 1]), 2, 1))
        steps += [Step(place + i, 1, int(heights[i + 1] - heights[i]))
                  for i in range(kinds)]

    area = shape[2] * shape[3]
    num_windows = (len(steps) + 1) * shape[0] * area
    place = places[(width - 1).clamp(min=0)].unsqueeze(1) + kind.unsqueeze(2)
    row = ((place * shape[0] + rois[:, 0].long().view(-1, 1, 1)) * area
           + x.unsqueeze(1))
    empty = (height == 0).unsqueeze(2) | (width == 0).unsqueeze(1)
    first, second = (
        torch.where(empty, num_windows, row + (begin * shape[3]).unsqueeze(2))
        for begin in (y, y + height - heights[kind]))
    return Bins(first, second, steps, num_windows)


def round_half_away(x: Tensor) -> Tensor:
    """The nearest integers, as C's ``round`` has them; ``Tensor.round`` is to even."""
    whole = x.trunc()
    return whole + ((x - whole).abs() >= 0.5) * x.sign()


def bins_along(start: Tensor, last: Tensor, num: int, size: int
               ) -> tuple[Tensor, Tensor]:
    """(R, num) first pixel of every bin along one axis, and how many it has.

    Args:
        start: (R,) first pixel of each region, a whole number.
        last: (R,) its last one.
        num: Bins of a region.
        size: Pixels of the map.
    """
    length = (last - start + 1).clamp(min=1)
    edges = torch.arange(num + 1) * (length / num).unsqueeze(1)
    begin, end = (each + start.unsqueeze(1) for each in (
        edges[:, :-1].floor(), edges[:, 1:].ceil()))
    begin, end = (each.clamp(0, size).long() for each in (begin, end))
    return begin, (end - begin).clamp(min=0)


def roi_pool_bins(feature: Tensor, bins: Bins) -> Tensor:
    """The same as ``torchvision.ops.roi_pool``, bit for bit, in ``channels_last``.

    Only the gradients of a pixel that is the maximum of several bins are added in
    another order, in float32 whatever the type of the map is.

    Source: Fast R-CNN (arXiv:1504.08083), section 2.1.

    Args:
        feature: (B, C, H, W) of any floating type, without NaN.
        bins: Of (R, 5) regions on it; see :func:`find_bins`.

    Returns:
        Tensor: (R, C, h, w).
    """
    return _RoIPool.apply(feature, bins)


class _RoIPool(torch.autograd.Function):

    @staticmethod
    def forward(ctx, feature, bins):
        ctx.save_for_backward(feature)
        ctx.bins = bins
        table = table_of(feature, bins)
        cells = table.index_select(0, bins.first.flatten())
        more = (bins.first != bins.second).flatten().nonzero().squeeze(1)
        if len(more):
            rest = table[bins.second.flatten()[more]]
            cells[more] = torch.maximum(cells[more], rest)
        return cells.unflatten(0, bins.first.shape).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, gradient):
        """The first maximum, row by row, has it all."""
        (feature,), bins = ctx.saved_tensors, ctx.bins
        table = table_of(feature, bins)
        of_cells = gradient.permute(0, 2, 3, 1).flatten(0, 2).float()
        of_table = torch.zeros_like(table, dtype=torch.float32)
        first, second = bins.first.flatten(), bins.second.flatten()
        more = (first != second).nonzero().squeeze(1)
        if len(more):
            rest = of_cells[more].masked_fill(
                table[first[more]] >= table[second[more]], 0)
            of_table.index_add_(0, second[more], rest)
            of_cells = of_cells.index_add(0, more, rest, alpha=-1)
        of_table.index_add_(0, first, of_cells)

        shape = feature.permute(0, 2, 3, 1).shape
        windows, of_windows = (each[:-1].view(-1, *shape) for each in (table, of_table))
        for place, (source, axis, shift) in reversed(
                list(enumerate(bins.steps, start=1))):
            size = shape[axis] - shift
            whole = of_windows[place].narrow(axis, 0, size)
            here, there = (windows[source].narrow(axis, start, size)
                           for start in (0, shift))
            rest = whole.masked_fill(here >= there, 0)
            of_windows[source].narrow(axis, 0, size).add_(whole).sub_(rest)
            of_windows[source].narrow(axis, shift, size).add_(rest)
        return of_windows[0].to(feature.dtype).permute(0, 3, 1, 2), None


def table_of(feature: Tensor, bins: Bins) -> Tensor:
    """(N + 1, C) maxima of all windows of (B, C, H, W) maps.

    Windows that reach beyond the map have any value.
    """
    pixels = feature.permute(0, 2, 3, 1)
    table = pixels.new_empty(bins.num_windows + 1, pixels.size(3))
    table[-1] = 0
    windows = table[:-1].view(-1, *pixels.shape)
    windows[0] = pixels
    for place, (source, axis, shift) in enumerate(bins.steps, start=1):
        size = pixels.size(axis) - shift
        here, there = (windows[source].narrow(axis, start, size)
                       for start in (0, shift))
        torch.maximum(here, there, out=windows[place].narrow(axis, 0, size))
    return table
