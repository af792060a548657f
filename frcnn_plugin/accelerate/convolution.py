"""Convolution whose weights' gradient is a sum of matrix products."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .precision import type_of

MANY_CHANNELS = 64  # that make a product worth its call
ENOUGH_CHANNELS = 256  # that make a product for each position of the kernel pay
LARGE = 1 << 18  # weights of a position of the kernel: enough in bfloat16
CHUNK = 1 << 20  # numbers in the windows of one product, which stay in the cache
TYPES = torch.float32, torch.bfloat16


def products_are_faster(weight: Tensor, dtype: torch.dtype) -> bool:
    """Whether the gradient of the weights is computed faster as matrix products.

    In float32 MKL's products were faster than oneDNN's kernel on a processor with AVX2,
    and slower or no faster on two with AVX-512. In bfloat16 products were faster on the
    one with AMX, where channels are many; others have not been measured in it.
    ``tools/benchmark.py convolution --precision bf16`` measures both on the processor
    at hand.

    Args:
        weight: (O, I, h, w), of which only the shape matters.
        dtype: In which it is computed.
    """
    outputs, inputs = weight.shape[:2]
    if dtype == torch.float32:
        return (torch.backends.cpu.get_cpu_capability() == 'AVX2'
                and inputs >= MANY_CHANNELS)
    return (dtype == torch.bfloat16 and torch.cpu._is_amx_tile_supported()
            and outputs * inputs >= LARGE)


def conv2d(x: Tensor, weight: Tensor, bias: Tensor | None = None,
           stride: tuple[int, int] = (1, 1), padding: tuple[int, int] = (0, 0)
           ) -> Tensor:
    """``torch.nn.functional.conv2d``, but for its backward pass on a CPU.

    In ``channels_last`` memory the gradient of the weights is the matrix product of the
    output's gradient with the windows of the input, where that is faster.

    Args:
        x: (N, I, H, W).
        weight: (O, I, h, w).
        bias: (O,) or None.
        stride: Along y and x, as is the padding.
    """
    by_products = (
        x.device.type == 'cpu' and weight.requires_grad and torch.is_grad_enabled()
        and not torch.compiler.is_compiling()
        and x.is_contiguous(memory_format=torch.channels_last)
        and products_are_faster(weight, type_of(x)))
    convolve = conv2d_by_products if by_products else F.conv2d
    return convolve(x, weight, bias, stride, padding)


def conv2d_by_products(x: Tensor, weight: Tensor, bias: Tensor | None,
                       stride: tuple[int, int], padding: tuple[int, int]) -> Tensor:
    """:func:`conv2d` whose gradient of the weights is made by products in any case."""
    dtype = type_of(x)
    x, weight = x.to(dtype), weight.to(dtype)
    return _Convolution.apply(
        x, weight, None if bias is None else bias.to(dtype), stride, padding)


class ProductConv2d(nn.Conv2d):
    """``torch.nn.Conv2d`` through :func:`conv2d`."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, I, H, W) to (N, O, H', W')."""
        return conv2d(x, self.weight, self.bias, self.stride, self.padding)

    @classmethod
    def fits(cls, module: nn.Module) -> bool:
        """Whether a module is a convolution that it can replace and makes faster."""
        return type(module) is nn.Conv2d and module.groups == 1 and (
            module.dilation == (1, 1) and module.padding_mode == 'zeros'
            and not isinstance(module.padding, str)
            and any(products_are_faster(module.weight, each) for each in TYPES))


class _Convolution(torch.autograd.Function):

    @staticmethod
    def forward(ctx, x, weight, bias, stride, padding):
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(x, weight, bias, stride, padding)

    @staticmethod
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        of_x = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            of_x, _, _ = torch.ops.aten.convolution_backward(
                gradient, x, weight, None, ctx.stride, ctx.padding, (1, 1), False,
                (0, 0), 1, (True, False, False))
        if ctx.needs_input_grad[1]:
            of_weight = weight_gradient(
                x, gradient, weight.shape[2:], ctx.stride, ctx.padding)
        if ctx.needs_input_grad[2]:
            of_bias = gradient.sum((0, 2, 3))
        return of_x, of_weight, of_bias, None, None


def weight_gradient(x: Tensor, gradient: Tensor, kernel_size: tuple[int, int],
                    stride: tuple[int, int], padding: tuple[int, int]) -> Tensor:
    """The (O, I, h, w) gradient of a convolution's weights, in ``channels_last``.

    From the (N, I, H, W) input and the (N, O, H', W') gradient of the output. Each
    position of the kernel has one product. With few channels all positions share one,
    of a few rows of the output at a time, so that their windows stay in the cache; not
    in bfloat16, in which sums of such parts would be rounded each time.
    """
    count, outputs, height, width = gradient.shape
    rows, columns = kernel_size
    channels = x.size(1)
    gradient = gradient.permute(0, 2, 3, 1)
    pixels = F.pad(x.permute(0, 2, 3, 1), (0, 0, padding[1], padding[1],
                                           padding[0], padding[0])).contiguous()
    image, row, column, _ = pixels.stride()
    windows = pixels.as_strided(  # they overlap
        (count, height, width, rows, columns * channels),
        (image, row * stride[0], column * stride[1], row, 1))
    whole = channels >= ENOUGH_CHANNELS or gradient.dtype == torch.bfloat16
    if whole or rows == columns == 1:
        result = gradient.new_empty(outputs, rows, columns, channels)
        by_output = gradient.flatten(0, 2).t()  # (O, N H' W')
        for y in range(rows):
            for x1, tap in enumerate(windows[:, :, :, y].split(channels, -1)):
                result[:, y, x1] = by_output @ tap.flatten(0, 2)
        return result.permute(0, 3, 1, 2)
    size = rows * columns * channels
    result = gradient.new_zeros(size, outputs)
    step = max(1, CHUNK // (width * size))
    buffer = gradient.new_empty(step, *windows.shape[2:])
    for index in range(count):
        for top in range(0, height, step):
            part = windows[index, top:top + step]
            part = buffer[:len(part)].copy_(part).view(-1, size)
            result.addmm_(part.t(), gradient[index, top:top + step].flatten(0, 1))
    result = result.t().contiguous().view(outputs, rows, columns, channels)
    return result.permute(0, 3, 1, 2)
