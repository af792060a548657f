"""The gradient of convolutions' weights: by matrix products, and by torch's kernel."""

from argparse import Namespace

import torch
from torch import nn

from frcnn_plugin.accelerate.convolution import ProductConv2d, products_are_faster
from frcnn_plugin.accelerate.parts import with_class

from .pairs import Work, agree

# (channels, stride of the map, kernel) of the layers of a ResNet
LAYERS = ((64, 4, 3), (128, 8, 3), (256, 16, 3), (512, 16, 3), (1024, 16, 1))


def convolution(args: Namespace) -> Work:
    """Forward and backward through one layer of each stage.

    Training takes the faster one: which that is, a rule tells by the instruction set.
    """
    theirs, inputs = [], []
    for channels, stride, kernel in LAYERS:
        theirs.append(nn.Conv2d(channels, channels, kernel, padding=kernel // 2).to(
            memory_format=torch.channels_last))
        sides = [side // stride for side in args.size]
        inputs.append(torch.randn(args.batch, channels, *sides).to(
            memory_format=torch.channels_last).requires_grad_())
    mine = [with_class(conv, ProductConv2d) for conv in theirs]

    def run(convs: list[nn.Module]):
        for conv, x in zip(convs, inputs, strict=True):
            conv.weight.grad = x.grad = None
            conv(x).sum().backward()
        return convs[2].weight.grad

    agree("gradient of a layer's weights", run(mine), run(theirs), 1e-2)
    chosen = 'by products' if products_are_faster() else "torch's"
    print(f'{torch.backends.cpu.get_cpu_capability()}: training takes {chosen}')
    return {'by products': lambda: run(mine), "torch's": lambda: run(theirs)}
