"""Anchors for every position of the feature maps."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.modules.utils import _pair

from ..registry import TASK_UTILS
from .base_anchors import STYLES


@TASK_UTILS.register_module()
class AnchorGenerator:
    """Anchors of several scales and ratios at each position of each level.

    Follows mmdet's prior-generator protocol, so stock dense heads can use it. The
    default style is mmdet's; the others reproduce their sources bit for bit, see
    :mod:`frcnn_plugin.rpn.base_anchors`.

    Source: Faster R-CNN (arXiv:1506.01497), section 3.1.1.

    Args:
        strides: Stride of each level in pixels, one number or (x, y).
        ratios: Heights over widths.
        scales: Multiples of the base size.
        base_sizes: Base size of each level in pixels. Default: the smaller stride.
        style: ``'classic'`` (py-faster-rcnn), ``'mmdet'``, ``'torchvision'`` (rounded;
            detectron2 has the same unrounded) or ``'area'``.
        center_offset: For the styles ``'mmdet'`` and ``'area'``: the centre as a share
            of the base size. Default: 0 for ``'mmdet'``, 0.5 for ``'area'``.
        fit_strides: Whether the stride of coarser levels is the input's size over that
            of the map, rounded down, as in torchvision: 60 instead of 64 where the last
            level has 8 rows for an input of 480. The input's size is taken to be that
            of the first level times its stride.

    Raises:
        ValueError: If the style is not known, if it fixes the centre and one is given,
            or if there is not one base size for each stride.
    """

    def __init__(self, strides: Sequence, ratios: Sequence[float],
                 scales: Sequence[float], base_sizes: Sequence[float] | None = None,
                 style: str = 'mmdet', center_offset: float | None = None,
                 fit_strides: bool = False) -> None:
        if style not in STYLES:
            raise ValueError(
                f'AnchorGenerator: style {style!r} is none of {sorted(STYLES)}')
        if center_offset is not None and style in ('classic', 'torchvision'):
            raise ValueError(
                f'AnchorGenerator: style {style!r} has a centre of its own; '
                "center_offset is for 'mmdet' and 'area'")
        self.strides = [_pair(stride) for stride in strides]
        self.base_sizes = list(base_sizes or [min(stride) for stride in self.strides])
        if len(self.base_sizes) != len(self.strides):
            raise ValueError(f'AnchorGenerator: {len(self.base_sizes)} base sizes for '
                             f'{len(self.strides)} strides')
        self.style = style
        self.fit_strides = fit_strides
        options = {} if center_offset is None else {'center_offset': center_offset}
        self.base_anchors = [STYLES[style](size, ratios, scales, **options)
                             for size in self.base_sizes]
        self._on_device: dict = {}

    @property
    def num_levels(self) -> int:
        """Number of feature levels, L."""
        return len(self.strides)

    @property
    def num_base_priors(self) -> list[int]:
        """Anchors at one position, K, of each level."""
        return [len(anchors) for anchors in self.base_anchors]

    def _base_anchors_on(self, level: int, dtype: torch.dtype,
                         device: torch.device | str) -> Tensor:
        if torch.compiler.is_compiling():  # a graph keeps its constants itself
            return self.base_anchors[level].to(device, dtype)
        key = level, dtype, str(device)  # one copy to a device in a generator's life
        if key not in self._on_device:
            self._on_device[key] = self.base_anchors[level].to(device, dtype)
        return self._on_device[key]

    def single_level_grid_priors(self, featmap_size: tuple[int, int], level_idx: int,
                                 dtype: torch.dtype = torch.float32,
                                 device: torch.device | str = 'cpu',
                                 stride: tuple | None = None) -> Tensor:
        """(H * W * K, 4) anchors of one level, in pixels of the network's input.

        ``featmap_size`` is (H, W); a ``stride`` (x, y) replaces that of the level.
        """
        height, width = featmap_size
        stride_x, stride_y = stride or self.strides[level_idx]
        x = torch.arange(width, device=device, dtype=dtype) * stride_x
        y = torch.arange(height, device=device, dtype=dtype) * stride_y
        y, x = torch.meshgrid(y, x, indexing='ij')
        shifts = torch.stack([x, y, x, y], dim=-1).view(-1, 1, 4)
        anchors = shifts + self._base_anchors_on(level_idx, dtype, device)
        return anchors.view(-1, 4)

    def grid_priors(self, featmap_sizes: Sequence[tuple[int, int]],
                    dtype: torch.dtype = torch.float32,
                    device: torch.device | str = 'cpu') -> list[Tensor]:
        """(H * W * K, 4) anchors of each level, whose (H, W) are given.

        Rows vary slowest, then columns, then the K anchors of a position.

        Raises:
            ValueError: If there is not one size for each level.
        """
        if len(featmap_sizes) != self.num_levels:
            raise ValueError(
                f'AnchorGenerator: {self.num_levels} strides but '
                f'{len(featmap_sizes)} feature maps; `anchor_generator.strides` needs '
                'one entry for each map of the backbone or neck')
        strides = strides_on(self, featmap_sizes)
        return [self.single_level_grid_priors(size, level, dtype, device, stride)
                for level, (size, stride) in enumerate(
                    zip(featmap_sizes, strides, strict=True))]

    def valid_flags(self, featmap_sizes: Sequence[tuple[int, int]],
                    pad_shape: tuple,
                    device: torch.device | str = 'cpu') -> list[Tensor]:
        """(H * W * K,) bool per level: whether the position is on the image at all.

        ``pad_shape`` is the image's height and width in pixels.
        """
        sizes = torch.tensor([pad_shape[:2]], dtype=torch.float32, device=device)
        mask = valid_mask(self, featmap_sizes, sizes)[0]
        counts = [h * w * k for (h, w), k in
                  zip(featmap_sizes, self.num_base_priors, strict=True)]
        return list(mask.split(counts))

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(strides={self.strides}, style={self.style!r}, '
                f'base_sizes={self.base_sizes}, '
                f'num_base_priors={self.num_base_priors})')


def strides_on(generator: 'AnchorGenerator', featmap_sizes: Sequence[tuple[int, int]]
               ) -> list[tuple[int, int]]:
    """The stride (x, y) of each level, fitted to the maps if the generator does so."""
    if not getattr(generator, 'fit_strides', False):
        return generator.strides
    (rows, columns), (x, y) = featmap_sizes[0], generator.strides[0]
    return [(columns * x // w, rows * y // h) for h, w in featmap_sizes]


def valid_mask(generator: 'AnchorGenerator', featmap_sizes: Sequence[tuple[int, int]],
               image_sizes: Tensor) -> Tensor:
    """(B, N) bool: anchors at positions whose top left corner is on the image.

    Args:
        generator: Ours or one of mmdet's; ``strides`` and ``num_base_priors`` are read.
        featmap_sizes: (H, W) of each level; N counts the anchors of all of them.
        image_sizes: (B, 2) height and width in pixels.
    """
    masks = []
    limit_y, limit_x = image_sizes.reshape(-1, 2, 1, 1, 1).unbind(1)
    for (height, width), stride, count in zip(
            featmap_sizes, strides_on(generator, featmap_sizes),
            generator.num_base_priors, strict=True):
        rows = torch.arange(height, device=image_sizes.device).view(-1, 1, 1)
        columns = torch.arange(width, device=image_sizes.device).view(-1, 1)
        on_image = (rows < limit_y / stride[1]) & (columns < limit_x / stride[0])
        masks.append(on_image.expand(-1, -1, -1, count).flatten(1))
    return torch.cat(masks, dim=1)
