"""The entrance of ``layer4`` run once on the map, instead of once per region.

RoIAlign and a 1x1 convolution are both linear, one over positions and one over
channels, so that their order does not matter. The two convolutions at the entrance of a
bottleneck stage can come before the pooling, and of what their stride leaves out
nothing needs to be pooled: this saves over a third of the second stage's operations.
A GPU keeps the order: products are cheap there, and its kernel would pool 2560 channels
and not 1024.
"""

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..roi.resnet_c5_head import ResNetC5Head
from .convolution import conv2d
from .residual import conv_relu
from .roi_align import PixelRoIAlign


class DeferredRoIAlign(PixelRoIAlign):
    """Hands the map and the regions on to :class:`C5OnMap`, which pools later."""

    def forward(self, feats, rois: Tensor) -> tuple[Tensor, Tensor]:
        """One level and (R, 5) regions, as they are."""
        return feats[0], rois

    def pool_cells(self, feature: Tensor, rois: Tensor, step: int = 1) -> Tensor:
        """(R, C, 14 / step, 14 / step) cells of (B, C, H, W) maps."""
        return super().forward([feature], rois, step=step)


class C5OnMap(ResNetC5Head):
    """A ``ResNetC5Head`` that takes the map and the regions; its weights are the same.

    Attributes:
        pool_cells: ``DeferredRoIAlign.pool_cells`` of the extractor before it.
    """

    def forward(self, region: tuple[Tensor, Tensor]) -> Tensor:
        """(B, C, H, W) map and (R, 5) regions to (R, 2 C, 7, 7)."""
        feature, rois = region
        block, *others = self.layer4
        shortcut = block.downsample
        if any(isinstance(norm, _BatchNorm) and norm.training
               for norm in (block.bn1, shortcut[1])):  # not linear
            return super().forward(self.pool_cells(feature, rois))
        x = block.relu(self.pool_after(feature, rois, block.conv1, block.bn1))
        others = nn.Sequential(*others)
        if isinstance(block.bn2, nn.Identity):  # folded
            x = conv_relu(block.conv2, x)
            return others(conv_relu(
                block.conv3, x, self.pool_after(feature, rois, *shortcut)))
        x = block.relu(block.bn2(block.conv2(x)))
        x = block.bn3(block.conv3(x)) + self.pool_after(feature, rois, *shortcut)
        return others(block.relu(x))

    def pool_after(self, feature: Tensor, rois: Tensor, conv: nn.Conv2d,
                   norm: nn.Module) -> Tensor:
        """A 1x1 convolution and its normalisation on the map, then the cells.

        The bias is added after the pooling: where a cell reaches beyond the border, its
        weights do not sum to one.
        """
        weight, bias = conv.weight, conv.bias
        if isinstance(norm, _BatchNorm):  # it was not folded, and there is no bias yet
            gain = norm.weight * (norm.running_var + norm.eps).rsqrt()
            weight = weight * gain.view(-1, 1, 1, 1)
            bias = norm.bias - norm.running_mean * gain
        cells = self.pool_cells(conv2d(feature, weight), rois, step=conv.stride[0])
        # in their type: else all of them are copied to the bias's and back
        return cells.add_(bias.to(cells.dtype).view(-1, 1, 1))

    @classmethod
    def fits(cls, extractor: nn.Module, head: nn.Module) -> bool:
        """Whether this pair can be replaced: RoIAlign, one level, bottlenecks."""
        return PixelRoIAlign.fits(extractor) and extractor.num_inputs == 1 and (
            extractor.roi_scale_factor is None
            and type(head) is ResNetC5Head and hasattr(head.layer4[0], 'conv3'))
