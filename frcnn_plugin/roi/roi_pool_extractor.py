"""Cuts a feature of fixed size out of the feature map for every region.

Comes in: feature maps and (R, 5) regions. Goes out: (R, C, h, w).
"""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor
from torch.nn.modules.utils import _pair
from torchvision.ops import roi_align, roi_pool

from ..accelerate.roi_align import roi_align_cells
from ..registry import MODELS

MANY_CHANNELS = 64  # of a map whose pixels are worth reading as a whole


@MODELS.register_module()
class RoIPoolExtractor(BaseModule):
    """RoIPool or RoIAlign, on one level or on the level that fits each region.

    Follows mmdet's RoI-extractor protocol and takes the arguments of its
    ``SingleRoIExtractor``.

    Source: RoIPool, Fast R-CNN (arXiv:1504.08083), section 2.1; RoIAlign, Mask R-CNN
    (arXiv:1703.06870), section 3; the choice of the level, FPN (arXiv:1612.03144),
    equation 1. Kernels: ``torchvision.ops``.

    Args:
        roi_layer: ``type`` (``'RoIPool'`` or ``'RoIAlign'``), ``output_size``, and for
            RoIAlign ``sampling_ratio`` (0: as many as the region has cells) and
            ``aligned`` (half a pixel to the left; True as in mmdet and detectron2,
            False in torchvision's detectors).
        out_channels: Channels of the feature maps.
        featmap_strides: Stride of each level in pixels.
        finest_scale: Regions of up to twice this side, in pixels, use the finest level.
        roi_scale_factor: Regions are enlarged by this factor about their centres, after
            their level is chosen, to see what is around them.
        init_cfg: Not used; part of mmdet's protocol.

    Raises:
        ValueError: If the layer is neither RoIPool nor RoIAlign.
    """

    def __init__(self, roi_layer: dict, out_channels: int,
                 featmap_strides: Sequence[int], finest_scale: float = 56,
                 roi_scale_factor: float | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        layer = dict(roi_layer)
        kind = layer.pop('type')
        if kind not in ('RoIPool', 'RoIAlign'):
            raise ValueError(f"RoIPoolExtractor: roi_layer.type is {kind!r}, neither "
                             "'RoIPool' nor 'RoIAlign'")
        self.output_size = _pair(layer.pop('output_size'))
        self.pool, self.options = roi_pool, {}
        if kind == 'RoIAlign':
            self.pool = roi_align
            self.options = dict(sampling_ratio=layer.pop('sampling_ratio', 0),
                                aligned=layer.pop('aligned', True))
        if layer:
            raise ValueError(f'RoIPoolExtractor: {kind} has no {sorted(layer)}')
        self.kind = kind
        self.out_channels = out_channels
        self.featmap_strides = list(featmap_strides)
        self.finest_scale = finest_scale
        self.roi_scale_factor = roi_scale_factor

    @property
    def num_inputs(self) -> int:
        """Number of feature levels, L."""
        return len(self.featmap_strides)

    @property
    def is_linear(self) -> bool:
        """Whether a 1x1 convolution may as well come before the pooling as after it."""
        return self.kind == 'RoIAlign'

    def forward(self, feats: Sequence[Tensor], rois: Tensor,
                roi_scale_factor: float | None = None, step: int = 1,
                by_pixels: bool = False) -> Tensor:
        """Pool the regions of a batch.

        Args:
            feats: (B, C, H, W) a level.
            rois: (R, 5) regions (image index, x1, y1, x2, y2) in pixels of the
                network's input.
            roi_scale_factor: Another factor than that of the constructor.
            step: Only every so many-th cell is wanted, along both axes.
            by_pixels: Whether RoIAlign on a CPU may go through
                :func:`frcnn_plugin.ops.roi_align_cells`, which is faster there and
                rounds otherwise than torchvision's kernel.

        Returns:
            Tensor: (R, C, h, w) of the type of the features; with a ``step``
            (R, C, ceil(h / step), ceil(w / step)).
        """
        levels = map_roi_levels(rois[:, 1:], self.num_inputs, self.finest_scale)
        factor = roi_scale_factor or self.roi_scale_factor
        if factor is not None:
            rois = enlarge(rois, factor)
        by_pixels = by_pixels and feats[0].device.type == 'cpu' and (
            self.kind == 'RoIAlign' and feats[0].size(1) >= MANY_CHANNELS)
        if self.num_inputs == 1:
            by_pixels = by_pixels and factor is None  # such ones may exceed the map
        else:  # groups of regions depend on the data, which no graph may
            by_pixels = by_pixels and (
                self.options['sampling_ratio'] > 0 or not torch.compiler.is_compiling())
        if by_pixels:
            pooled = roi_align_cells(
                [level.float() for level in feats], rois.float(), levels,
                self.output_size, [1 / stride for stride in self.featmap_strides],
                step=step, **self.options)
            return pooled.to(feats[0].dtype)
        pooled = self._pool_levels(feats, rois, levels)
        return pooled if step == 1 else pooled[:, :, ::step, ::step]

    def _pool_levels(self, feats: Sequence[Tensor], rois: Tensor,
                     levels: Tensor) -> Tensor:
        if self.num_inputs == 1:
            return self._pool_level(feats[0], rois, self.featmap_strides[0])
        pooled = None
        for level, (feature, stride) in enumerate(
                zip(feats, self.featmap_strides, strict=True)):
            # a region of another level shrinks to a point here, which costs little
            here = (levels == level).view(-1, 1)
            boxes = torch.where(here, rois[:, 1:], 0)
            part = self._pool_level(
                feature, torch.cat([rois[:, :1], boxes], dim=1), stride)
            part = torch.where(here.view(-1, 1, 1, 1), part, 0)
            pooled = part if pooled is None else pooled + part
        return pooled

    def _pool_level(self, feature: Tensor, rois: Tensor, stride: int) -> Tensor:
        # coordinates lose whole pixels in half precision
        pooled = self.pool(feature.float(), rois.float(), self.output_size,
                           spatial_scale=1 / stride, **self.options)
        return pooled.to(feature.dtype)

    def extra_repr(self) -> str:
        """The settings, for printing."""
        return (f'{self.kind}, output_size={self.output_size}, '
                f'featmap_strides={self.featmap_strides}')


def map_roi_levels(bboxes: Tensor, num_levels: int, finest_scale: float) -> Tensor:
    """The feature level of each region: floor(log2(sqrt(w h) / finest_scale)).

    With ``finest_scale`` 56 this is equation 1 of the FPN paper, where a region of 224
    pixels belongs to the third level (k0 = 4, counted from 2).

    Args:
        bboxes: (R, 4) regions.
        num_levels: How many levels there are.
        finest_scale: Side of a region, in pixels, from which on it is on the first.

    Returns:
        Tensor: (R,) int64 in [0, num_levels).
    """
    width, height = (bboxes[:, 2:] - bboxes[:, :2]).unbind(-1)
    scale = (width * height).clamp(min=0).sqrt()
    levels = (scale / finest_scale + 1e-6).log2().floor()
    return levels.clamp(min=0, max=num_levels - 1).long()


def enlarge(rois: Tensor, factor: float) -> Tensor:
    """Scale (R, 5) regions about their centres."""
    center = (rois[:, 1:3] + rois[:, 3:5]) / 2
    half = (rois[:, 3:5] - rois[:, 1:3]) / 2 * factor
    return torch.cat([rois[:, :1], center - half, center + half], dim=1)
