"""What the two halves of a ResNet share: torchvision's network, cut and frozen.

The C4 detector cuts a ResNet after ``layer3``: the first half runs once over the image
(:class:`ResNetC4`), ``layer4`` runs on every region (``ResNetC5Head``).
"""

import torchvision
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

DEPTHS = (18, 34, 50, 101, 152)


def torchvision_resnet(depth: int, style: str = 'pytorch') -> nn.Module:
    """torchvision's ResNet with random weights.

    Args:
        depth: 18, 34, 50, 101 or 152.
        style: Where a bottleneck that halves the map has its stride: ``'pytorch'`` on
            the 3x3 convolution (torchvision), ``'caffe'`` on the first 1x1 (the
            original of He et al., whose weights detectron2 uses).

    Raises:
        ValueError: If the depth or the style is none of these.
    """
    if depth not in DEPTHS:
        raise ValueError(f'ResNet: depth {depth} is none of {DEPTHS}')
    if style not in ('pytorch', 'caffe'):
        raise ValueError(f"ResNet: style {style!r} is neither 'pytorch' nor 'caffe'")
    resnet = getattr(torchvision.models, f'resnet{depth}')(weights=None)
    if style == 'caffe' and depth >= 50:
        for layer in (resnet.layer2, resnet.layer3, resnet.layer4):
            block = layer[0]
            block.conv1.stride, block.conv2.stride = block.conv2.stride, (1, 1)
    return resnet


def stage_channels(depth: int, stage: int) -> int:
    """Output channels of ``layer{stage}``: 64, 128, ... or four times that."""
    return 64 * 2**(stage - 1) * (4 if depth >= 50 else 1)


def freeze(module: nn.Module) -> None:
    """Fix weights and batch statistics."""
    module.eval()
    for parameter in module.parameters():
        parameter.requires_grad = False


def batch_norms(module: nn.Module) -> list[_BatchNorm]:
    """All batch normalisation layers of a module."""
    return [child for child in module.modules() if isinstance(child, _BatchNorm)]
