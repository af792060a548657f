"""Residual blocks whose additions and ReLUs are made while a convolution writes.

In plain torch each is another pass over the output, which for hundreds of regions is
hundreds of megabytes. oneDNN applies both to values that are still in registers.
"""

import torch
from mmdet.models.backbones import resnet as mmdet_resnet
from torch import Tensor, nn
from torchvision.models import resnet

from .precision import type_of

BLOCKS = (resnet.BasicBlock, resnet.Bottleneck, mmdet_resnet.BasicBlock,
          mmdet_resnet.Bottleneck)
MANY_VALUES = 2**20  # of an input; with fewer, in the cache, it was slower on AVX-512


class FoldedBlock(nn.Module):
    """A block of a ResNet with its batch normalisations folded; the same numbers.

    It may write over its input, which nothing else may read then: it is for a block
    after another one, or one whose shortcut has a convolution.
    """

    @classmethod
    def fits(cls, module: nn.Module) -> bool:
        """Whether a module is a block whose place it can take."""
        return type(module) in BLOCKS and (
            isinstance(getattr(module, 'bn1', None), nn.Identity)
            and not getattr(module, 'with_plugins', False)
            and all(type(conv) is nn.Conv2d for conv in convolutions(module)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', H', W')."""
        shortcut = x if self.downsample is None else self.downsample(x)
        *others, last = convolutions(self)
        for conv in others:
            x = conv_relu(conv, x)
        return conv_relu(last, x, shortcut)


def convolutions(block: nn.Module) -> list[nn.Module]:
    """Those on the long way through a block, in order."""
    return [part for name, part in block.named_children() if name.startswith('conv')]


def conv_relu(conv: nn.Conv2d, x: Tensor, other: Tensor | None = None) -> Tensor:
    """``relu(conv(x) + other)``, in one pass where that is possible and faster.

    It may write over ``other``: with AVX-512, a kernel that writes the sum elsewhere
    was slower than three passes.
    """
    if torch.compiler.is_compiling() or not in_one_pass(conv, x):
        x = conv(x)
        return (x if other is None else x.add_(other)).relu_()
    dtype = type_of(x)
    weight, bias = (None if each is None else each.to(dtype)
                    for each in (conv.weight, conv.bias))
    layout = conv.padding, conv.stride, conv.dilation, conv.groups
    if other is None:
        return torch.ops.mkldnn._convolution_pointwise(
            x.to(dtype), weight, bias, *layout, 'relu', [], '')
    return torch.ops.mkldnn._convolution_pointwise_.binary(
        other.to(dtype), x.to(dtype), weight, bias, *layout, 'add', 1.0, 'relu', [], '')


def in_one_pass(conv: nn.Conv2d, x: Tensor) -> bool:
    """Whether oneDNN's fused kernel, which has no backward, is usable and faster."""
    with_gradient = torch.is_grad_enabled() and (
        x.requires_grad or conv.weight.requires_grad)
    if with_gradient or x.device.type != 'cpu' or x.numel() < MANY_VALUES or (
            not torch.backends.mkldnn.is_available()):
        return False
    types = {torch.float32}
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():
        types.add(torch.bfloat16)
    return type_of(x) in types and x.is_contiguous(memory_format=torch.channels_last)
