"""Cuts a feature of fixed size out of the feature map for every region."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor
from torch.nn.modules.utils import _pair
from torchvision.ops import roi_align, roi_pool

from ..registry import MODELS


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
            RoIAlign ``sampling_ratio`` (samples of a cell along each axis; 0: one for
            each pixel of the map that it covers) and ``aligned`` (shifts regions by
            half a pixel of the map; True as in mmdet and detectron2, False in
            torchvision's detectors).
        out_channels: Channels of the feature maps.
        featmap_strides: Stride of each level in pixels.
        finest_scale: Regions of up to twice this side, in pixels, use the finest level.
        roi_scale_factor: Regions are enlarged by this factor about their centres, after
            their level is chosen, to see what is around them.
        init_cfg: Not used; part of mmdet's protocol.

    Raises:
        ValueError: If the layer is neither RoIPool nor RoIAlign, or has other options.
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

    def forward(self, feats: Sequence[Tensor], rois: Tensor,
                roi_scale_factor: float | None = None) -> Tensor:
        """Pool the regions of a batch to (R, C, h, w) of the type of the features.

        Args:
            feats: (B, C, H, W) per level.
            rois: (R, 5) regions (image index, x1, y1, x2, y2) in pixels of the
                network's input.
            roi_scale_factor: A factor in place of the constructor's.
        """
        feats = feats[:self.num_inputs]
        levels = map_roi_levels(rois[:, 1:], self.num_inputs, self.finest_scale)
        factor = roi_scale_factor or self.roi_scale_factor
        if factor is not None:
            rois = enlarge(rois, factor)
        if self.num_inputs == 1:
            return self.pool_map(feats[0], rois, 1 / self.featmap_strides[0])
        if factor is None:
            return self.pool_map(
                *one_batch(feats, rois.float(), levels, self.featmap_strides), 1.0)
        # an enlarged region may reach beyond its map, into another one
        pooled = feats[0].new_zeros(())
        for level, (feature, stride) in enumerate(
                zip(feats, self.featmap_strides, strict=True)):
            here = (levels == level).view(-1, 1)
            # shrunk to a point, a region of another level costs few samples
            boxes = torch.where(here, rois[:, 1:], 0)
            part = self.pool_map(
                feature, torch.cat([rois[:, :1], boxes], dim=1), 1 / stride)
            pooled = pooled + torch.where(here.view(-1, 1, 1, 1), part, 0)
        return pooled

    def pool_map(self, feature: Tensor, rois: Tensor, spatial_scale: float) -> Tensor:
        """(R, C, h, w) of (R, 5) regions of one (B, C, H, W) map."""
        # coordinates lose whole pixels in half precision
        pooled = self.pool(feature.float(), rois.float(), self.output_size,
                           spatial_scale=spatial_scale, **self.options)
        return pooled.to(feature.dtype)

    def extra_repr(self) -> str:
        """The settings, for printing."""
        return (f'{self.kind}, output_size={self.output_size}, '
                f'featmap_strides={self.featmap_strides}')


def map_roi_levels(bboxes: Tensor, num_levels: int, finest_scale: float) -> Tensor:
    """(R,) int64 levels of (R, 4) regions: floor(log2(sqrt(w h) / finest_scale)).

    With ``finest_scale`` 56 this is equation 1 of the FPN paper, where a region of 224
    pixels belongs to the third level (k0 = 4, counted from 2).
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


def one_batch(feats: Sequence[Tensor], rois: Tensor, levels: Tensor,
              strides: Sequence[int]) -> tuple[Tensor, Tensor]:
    """All levels as images of one batch, so that one call pools every region.

    Each region is then pooled once, and the host never waits: picking the regions of a
    level needs their number on the host, and pooling all of them from every level is L
    times the work. The last row and column of a smaller level are repeated once, as the
    kernels read up to a pixel beyond a map; regions must lie on their image.

    Returns:
        tuple: (L * B, C, H', W') maps, level by level, and (R, 5) regions that index
        them, in pixels of their map.
    """
    height, width = (max(feature.size(axis) for feature in feats) for axis in (2, 3))
    images = []
    for feature in feats:
        if feature.size(2) < height:
            feature = torch.cat([feature, feature[:, :, -1:]], dim=2)
        if feature.size(3) < width:
            feature = torch.cat([feature, feature[..., -1:]], dim=3)
        images.append(F.pad(
            feature, (0, width - feature.size(3), 0, height - feature.size(2))))
    scales = torch.full_like(rois[:, 0], 1 / strides[0])
    for level, stride in enumerate(strides[1:], 1):  # a list would be copied: a wait
        scales = torch.where(levels == level, 1 / stride, scales)
    image = rois[:, 0] + levels * feats[0].size(0)
    return torch.cat(images), torch.cat(
        [image.unsqueeze(1), rois[:, 1:] * scales.unsqueeze(1)], dim=1)
