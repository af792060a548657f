"""mmcv's deformable convolutions, both versions, by torchvision's kernel.

mmcv hands over buffers that its own kernels work in, and tensors to write the results
into. The kernel of torchvision needs none of the former. It computes in float32: places
in half precision would be a pixel off, and it has no CPU kernel for bfloat16.
"""

from collections.abc import Callable

import torch
import torchvision  # noqa: F401 - loading it registers torch.ops.torchvision
from torch import Tensor

FORWARD = torch.ops.torchvision.deform_conv2d
BACKWARD = torch.ops.torchvision._deform_conv2d_backward


def deform_conv_forward(input: Tensor, weight: Tensor, offset: Tensor, output: Tensor,
                        columns: Tensor, ones: Tensor, **settings: int) -> None:
    """The first version (arXiv:1703.06211), into ``output``."""
    output.copy_(in_float32(
        FORWARD, input, weight, offset, *without_mask(input, weight),
        settings=settings, use_mask=False))


def deform_conv_backward_input(
        input: Tensor, offset: Tensor, grad_output: Tensor, grad_input: Tensor,
        grad_offset: Tensor, weight: Tensor, columns: Tensor, **settings: int) -> None:
    """Its gradients with respect to the map and the offsets."""
    found = in_float32(
        BACKWARD, grad_output, input, weight, offset, *without_mask(input, weight),
        settings=settings, use_mask=False)
    grad_input.copy_(found[0])
    grad_offset.copy_(found[2])


def deform_conv_backward_parameters(
        input: Tensor, offset: Tensor, grad_output: Tensor, grad_weight: Tensor,
        columns: Tensor, ones: Tensor, scale: float = 1, **settings: int) -> None:
    """Its gradient with respect to the weights, whose values do not matter to it."""
    found = in_float32(
        BACKWARD, grad_output, input, grad_weight, offset,
        *without_mask(input, grad_weight), settings=settings, use_mask=False)
    grad_weight.add_(found[1].to(grad_weight.dtype), alpha=scale)


def modulated_deform_conv_forward(
        input: Tensor, weight: Tensor, bias: Tensor, ones: Tensor, offset: Tensor,
        mask: Tensor, output: Tensor, columns: Tensor, with_bias: bool = True,
        **settings: int) -> None:
    """The second version (arXiv:1811.11168), into ``output``."""
    size = output.shape[-2:]
    output.copy_(in_float32(
        FORWARD, input, weight, first_of(offset, size), first_of(mask, size),
        bias_of(weight, bias, with_bias), settings=settings, use_mask=True))


def modulated_deform_conv_backward(
        input: Tensor, weight: Tensor, bias: Tensor, ones: Tensor, offset: Tensor,
        mask: Tensor, columns: Tensor, grad_input: Tensor, grad_weight: Tensor,
        grad_bias: Tensor, grad_offset: Tensor, grad_mask: Tensor, grad_output: Tensor,
        with_bias: bool = True, **settings: int) -> None:
    """All of its gradients."""
    size = grad_output.shape[-2:]
    found = in_float32(
        BACKWARD, grad_output, input, weight, first_of(offset, size),
        first_of(mask, size), bias_of(weight, bias, with_bias), settings=settings,
        use_mask=True)
    grad_input.copy_(found[0])
    grad_weight.copy_(found[1])
    put_first(grad_offset, found[2])
    put_first(grad_mask, found[3])
    if with_bias:
        grad_bias.copy_(found[4])


def in_float32(kernel: Callable, *tensors: Tensor, settings: dict[str, int],
               use_mask: bool):
    """What a kernel of torchvision computes; backward ones give all gradients.

    Args:
        kernel: The operator, or its backward one: the gradients are those of the map,
            weights, offsets, mask and bias, in this order.
        *tensors: In the kernel's order.
        settings: See :func:`numbers`.
        use_mask: Whether the mask counts.
    """
    return kernel(*(each.float() for each in tensors), *numbers(settings), use_mask)


def first_of(values: Tensor, size: torch.Size) -> Tensor:
    """(B, C, H, W) offsets or masks, of a height and a width that may be too large.

    mmcv's kernel reads as much of an image's values as the output has places, from the
    first on, as if they were of its size. mmdet's DyHead relies on that.
    """
    batch, channels, *_ = values.shape
    if values.shape[-2:] == size:
        return values
    return values.flatten(1)[:, :channels * size.numel()].view(batch, channels, *size)


def put_first(target: Tensor, values: Tensor) -> None:
    """Write what :func:`first_of` has read, and 0 behind it."""
    if target.shape != values.shape:
        whole = values.new_zeros(target.size(0), target[0].numel())
        whole[:, :values[0].numel()] = values.flatten(1)
        values = whole.view(target.shape)
    target.copy_(values)


def without_mask(input: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """What the kernel is given in place of a mask and a bias."""
    return input.new_zeros(input.size(0), 1), input.new_zeros(weight.size(0))


def bias_of(weight: Tensor, bias: Tensor, with_bias: bool) -> Tensor:
    """mmcv gives an empty one if there is none."""
    return bias if with_bias else weight.new_zeros(weight.size(0))


def numbers(settings: dict[str, int]) -> list[int]:
    """Strides, padding, dilation and groups in the kernel's order.

    Args:
        settings: By the names that mmcv has for the first version, or for the second.
    """
    if 'dW' in settings:
        names = ('dH', 'dW', 'padH', 'padW', 'dilationH', 'dilationW')
    else:
        names = ('stride_h', 'stride_w', 'pad_h', 'pad_w', 'dilation_h', 'dilation_w')
    return [settings[name] for name in (*names, 'group', 'deformable_group')]


SERVED = dict(
    deform_conv_forward=deform_conv_forward,
    deform_conv_backward_input=deform_conv_backward_input,
    deform_conv_backward_parameters=deform_conv_backward_parameters,
    modulated_deform_conv_forward=modulated_deform_conv_forward,
    modulated_deform_conv_backward=modulated_deform_conv_backward)
