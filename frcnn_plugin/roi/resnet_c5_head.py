"""The second half of a ResNet, run on every region.

Comes in: (R, 1024, 14, 14) pooled features. Goes out: (R, 2048, 7, 7).
"""

from collections.abc import Callable

from mmengine.model import BaseModule
from torch import Tensor, nn

from ..accelerate.convolution import conv2d
from ..accelerate.folding import fold, is_fixed
from ..backbones.pretrained import InitFromWeights
from ..backbones.resnet import batch_norms, stage_channels, torchvision_resnet
from ..registry import MODELS


@MODELS.register_module()
class ResNetC5Head(InitFromWeights, BaseModule):
    """``layer4`` of torchvision's ResNet as the shared head of the second stage.

    Source: Networks on Conv feature maps (arXiv:1504.06066); ResNet (arXiv:1512.03385),
    appendix A.

    Args:
        depth: 18, 34, 50, 101 or 152; (R, 256, ...) to (R, 512, ...) for the first two.
        norm_eval: Whether batch normalisation keeps its running statistics fixed in
            training.
        norm_requires_grad: Whether its scales and offsets are trained.
        style: ``'pytorch'`` or ``'caffe'``.
        init_cfg: As that of ``ResNetC4``, from the same file.

    Attributes:
        out_channels (int): Channels that go out.
    """

    def __init__(self, depth: int = 50, norm_eval: bool = True,
                 norm_requires_grad: bool = True, style: str = 'pytorch',
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.layer4 = torchvision_resnet(depth, style).layer4
        self.out_channels = stage_channels(depth, 4)
        self.norm_eval = norm_eval
        for norm in batch_norms(self):
            norm.requires_grad_(norm_requires_grad)

    def forward(self, x: Tensor) -> Tensor:
        """(R, C, 14, 14) to (R, 2 C, 7, 7)."""
        return self.layer4(x)

    def forward_on_map(self, feature: Tensor, pool: Callable[..., Tensor]) -> Tensor:
        """The same as pooling and :meth:`forward`, with fewer operations.

        RoIAlign and a 1x1 convolution are both linear, one over positions and one over
        channels, so that their order does not matter: the two at the entrance of
        ``layer4`` run once on the map instead of on every region, and of what a stride
        leaves out nothing is pooled.

        Args:
            feature: (B, C, H, W) the feature map.
            pool: (B, K, H, W) maps and ``step`` to (R, K, 14 / step, 14 / step) cells.

        Returns:
            Tensor: (R, 2 C, 7, 7).
        """
        block, *others = self.layer4
        shortcut = block.downsample
        if not (hasattr(block, 'conv3') and is_fixed(block.bn1)
                and is_fixed(shortcut[1])):
            return self(pool(feature))
        x = block.relu(pool_after(pool, feature, block.conv1, block.bn1))
        x = block.relu(block.bn2(block.conv2(x)))
        x = block.bn3(block.conv3(x)) + pool_after(pool, feature, *shortcut)
        return nn.Sequential(*others)(block.relu(x))

    def train(self, mode: bool = True) -> 'ResNetC5Head':
        """Switch to training, but for the statistics that stay fixed."""
        super().train(mode)
        if self.norm_eval:
            for norm in batch_norms(self):
                norm.eval()
        return self


def pool_after(pool: Callable[..., Tensor], feature: Tensor, conv: nn.Conv2d,
               norm: nn.Module) -> Tensor:
    """A 1x1 convolution and its normalisation on a map, then the cells they would read.

    The bias is added last: of a cell beyond the border the weights do not sum to one.
    """
    weight, bias = fold(conv, norm)
    return pool(conv2d(feature, weight), step=conv.stride[0]) + bias.view(-1, 1, 1)
