"""RoIAlign as a product of a sparse matrix with the pixels of the maps.

A cell is a weighted sum of a few pixels, and the weights of rows and columns are
independent. Their product is one embedding-bag: it reads whole pixels, all channels at
once and of all levels in one table, where torchvision's kernel on a CPU goes channel by
channel, forward and, at ten times the cost, back. It can also make every second cell
only, which is all that a convolution with stride 2 reads.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..roi.roi_pool_extractor import RoIPoolExtractor, enlarge, map_roi_levels

MANY_CHANNELS = 64  # of a map whose pixels are worth reading as a whole


class PixelRoIAlign(RoIPoolExtractor):
    """A ``RoIPoolExtractor`` that pools by pixels where that is faster.

    That is on a CPU, for RoIAlign on maps of many channels; elsewhere it does what its
    base does. It rounds otherwise than torchvision's kernel.
    """

    @classmethod
    def fits(cls, module) -> bool:
        """Whether a module is an extractor whose place it can take."""
        return type(module) is RoIPoolExtractor and module.kind == 'RoIAlign'

    def forward(self, feats: Sequence[Tensor], rois: Tensor,
                roi_scale_factor: float | None = None, step: int = 1) -> Tensor:
        """See :meth:`RoIPoolExtractor.forward`; every ``step``-th cell along both axes.

        Returns:
            Tensor: (R, C, ceil(h / step), ceil(w / step)).
        """
        feats = feats[:self.num_inputs]
        factor = roi_scale_factor or self.roi_scale_factor
        if not self.pools_by_pixels(feats[0], factor):
            pooled = super().forward(feats, rois, roi_scale_factor)
            return pooled if step == 1 else pooled[:, :, ::step, ::step]
        levels = map_roi_levels(rois[:, 1:], self.num_inputs, self.finest_scale)
        if factor is not None:
            rois = enlarge(rois, factor)
        dtype = feats[0].dtype
        if torch.is_grad_enabled() and feats[0].requires_grad:
            feats = [level.float() for level in feats]  # which gradients are summed in
        pooled = roi_align_cells(
            feats, rois.float(), levels, self.output_size,
            [1 / stride for stride in self.featmap_strides], step=step, **self.options)
        return pooled.to(dtype)

    def pools_by_pixels(self, feature: Tensor, factor: float | None) -> bool:
        """Whether :func:`roi_align_cells` is the faster way, and a possible one."""
        if feature.device.type != 'cpu' or feature.size(1) < MANY_CHANNELS:
            return False
        if self.num_inputs == 1:
            return factor is None  # enlarged regions may exceed the map
        # groups of regions depend on the data, which no graph may
        return self.options['sampling_ratio'] > 0 or not torch.compiler.is_compiling()


def roi_align_cells(features: Sequence[Tensor], rois: Tensor, levels: Tensor,
                    output_size: tuple[int, int], scales: Sequence[float],
                    sampling_ratio: int = 0, aligned: bool = True,
                    step: int = 1) -> Tensor:
    """The same as ``torchvision.ops.roi_align`` on each level, but for rounding.

    Source: Mask R-CNN (arXiv:1703.06870), section 3.

    Args:
        features: (B, C, H, W) per level; of bfloat16 and float16 the cells are summed
            in float32, gradients not.
        rois: (R, 5) float32 regions (image index, x1, y1, x2, y2).
        levels: (R,) int64, the level of each region.
        output_size: Cells of a region, (h, w).
        scales: 1 / stride of each level: pixels of its map per pixel of a region.
        sampling_ratio: Samples in a cell along each axis; 0: one for each pixel of the
            map that it covers.
        aligned: Whether regions are moved by half a pixel of the map.
        step: Only every ``step``-th cell is made, along both axes, from the first on.

    Returns:
        Tensor: (R, C, ceil(h / step), ceil(w / step)) in ``channels_last``.

    Raises:
        RuntimeError: In a graph of ``torch.compile`` or ``torch.export``, with one
            level and ``sampling_ratio`` 0, if a region is longer than the map by more
            than a pixel of it.
    """
    table = torch.cat([level.permute(0, 2, 3, 1).flatten(0, 2) for level in features])
    # (R, 2) along y and x: where a region begins, how long it is, and how long its map
    scale = rois.new_tensor(scales)[levels].unsqueeze(1)
    corners = rois[:, 1:].detach() * scale - (0.5 if aligned else 0.0)
    start, length = corners[:, :2].flip(1), (corners[:, 2:] - corners[:, :2]).flip(1)
    if not aligned:
        length = length.clamp(min=1)
    sizes = torch.tensor([level.shape[-2:] for level in features], device=rois.device)
    areas, images = sizes.prod(1), len(features[0])
    ends = (areas * images).cumsum(0)  # of the levels in the table
    first = ends[levels] - areas[levels] * (images - rois[:, 0].long())
    places = start, length, sizes[levels], first

    limits = [side + 1 for side in features[0].shape[-2:]]
    if sampling_ratio:
        most = [(sampling_ratio, sampling_ratio)]
    elif len(features) == 1 and within(length, limits):
        most = [tuple(-(-limit // cells)
                      for limit, cells in zip(limits, output_size, strict=True))]
    else:
        most, groups = group_by_need(length, output_size)

    def pool(most: tuple[int, int], start: Tensor, length: Tensor, sizes: Tensor,
             first: Tensor) -> Tensor:
        along_y, along_x = (
            taps(start[:, axis], length[:, axis], sizes[:, axis], output_size[axis],
                 sampling_ratio, most[axis], step) for axis in (0, 1))
        return weighted_sums(table, first, along_y, along_x, sizes[:, 1])

    if len(most) == 1:
        return pool(most[0], *places)
    cells = torch.cat([pool(each, *(field[group] for field in places))
                       for each, group in zip(most, groups, strict=True)])
    return cells[torch.cat(groups).argsort()]


def within(length: Tensor, limits: Sequence[int]) -> bool:
    """Whether no region is longer than its map, which tells how many pixels are needed.

    That holds for all regions that were clipped to their image. A graph cannot branch
    on it: there the answer is True, and the device asserts it.
    """
    fits = (length[:, 0] <= limits[0]).all() & (length[:, 1] <= limits[1]).all()
    if torch.compiler.is_compiling():
        torch._assert_async(fits, 'RoIAlign: a region is larger than the feature map')
        return True
    return bool(fits)


def group_by_need(length: Tensor, output_size: tuple[int, int]
                  ) -> tuple[list[tuple[int, int]], list[Tensor]]:
    """Group regions whose cells cover about as many pixels.

    Otherwise one long thin region on a fine level would make all others pay for it.

    Returns:
        tuple: Samples in a cell along y and x, powers of two, and the (r,) indices of
        the regions that need no more, for each group.
    """
    needs = (length / length.new_tensor(output_size)).clamp(min=1).log2().ceil().long()
    kinds, kind = needs.unique(dim=0, return_inverse=True)
    return ([(2**y, 2**x) for y, x in kinds.tolist()] or [(1, 1)],
            [(kind == i).nonzero().squeeze(1) for i in range(len(kinds))])


def taps(start: Tensor, length: Tensor, size: Tensor, num_cells: int,
         sampling_ratio: int, most: int, step: int) -> tuple[Tensor, Tensor]:
    """Which pixels along one axis a cell is made of, and with which weights.

    Args:
        start: (R,) where each region begins, in pixels of its map.
        length: (R,) how long it is.
        size: (R,) how long its map is.
        num_cells: Cells of a region.
        sampling_ratio: As that of :func:`roi_align_cells`, as is ``step``.
        most: The most samples of a cell.

    Returns:
        tuple: (R, n, T) int64 and (R, n, T) weights; T is two for each sample, or,
        where there is a sample for each pixel, as many as they touch together.
    """
    start, length, size = (each.view(-1, 1, 1) for each in (start, length, size))
    bins = length / num_cells
    counts = (torch.full_like(bins, sampling_ratio) if sampling_ratio
              else bins.ceil().clamp(max=most))
    cell = torch.arange(0, num_cells, step, device=start.device).view(1, -1, 1)
    sample = torch.arange(most, device=start.device)
    positions = start + cell * bins + (sample + 0.5) * bins / counts
    counted = (sample < counts) & (positions >= -1) & (positions <= size)
    positions = torch.where(counted, positions, 0).clamp(min=0).minimum(size - 1)

    if sampling_ratio:
        begin, num_taps = positions, 2
    else:
        begin = torch.where(counted, positions, size).amin(2, keepdim=True)
        num_taps = most + 2
    offsets = torch.arange(num_taps, device=start.device)
    indices = begin.floor().unsqueeze(-1) + offsets  # (R, n, S or 1, T)
    weights = 1 - (positions.unsqueeze(-1) - indices).abs()
    weights = weights.clamp(min=0) * counted.unsqueeze(-1) / counts.clamp(
        min=1).unsqueeze(-1)
    if not sampling_ratio:
        weights = weights.sum(2, keepdim=True)
    # beyond the last pixel the weight is 0
    indices = indices.flatten(2).minimum(size - 1)
    return indices.long(), weights.flatten(2)


def weighted_sums(table: Tensor, first: Tensor, along_y: tuple[Tensor, Tensor],
                  along_x: tuple[Tensor, Tensor], width: Tensor) -> Tensor:
    """(R, C, n, m) cells of all regions in ``channels_last``.

    Args:
        table: (N, C) pixels of all maps.
        first: (R,) the row of each region's map in the table.
        along_y: (R, n, T) pixels along y and their weights; along x (R, m, U).
        width: (R,) of each region's map.
    """
    (rows, row_weights), (columns, column_weights) = along_y, along_x
    rows = rows * width.view(-1, 1, 1) + first.view(-1, 1, 1)
    pixels = rows[:, :, None, :, None] + columns[:, None, :, None, :]
    weights = row_weights[:, :, None, :, None] * column_weights[:, None, :, None, :]
    shape = pixels.shape[:3]
    pixels, weights = (each.flatten(0, 2).flatten(1) for each in (pixels, weights))
    begins = None
    if table.requires_grad and not torch.compiler.is_compiling():
        # the way back sorts the pixels, of which most have no weight
        used = weights != 0
        counts = used.sum(1)
        pixels, weights, begins = pixels[used], weights[used], counts.cumsum(0) - counts
    cells = F.embedding_bag(pixels, table, begins, mode='sum',
                            per_sample_weights=weights.to(table.dtype))
    return cells.unflatten(0, shape).permute(0, 3, 1, 2)
