"""A convolution and the batch normalisation after it as one convolution."""

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def is_fixed(norm: nn.Module) -> bool:
    """Whether a normalisation does not depend on the batch: it may be folded."""
    return not isinstance(norm, _BatchNorm) or not norm.training


def fold(conv: nn.Conv2d, norm: nn.Module) -> tuple[Tensor, Tensor | None]:
    """The weight and bias that do what both do, with gradients to all of them.

    Args:
        conv: A convolution.
        norm: A batch normalisation with fixed statistics, or ``nn.Identity`` where it
            has been folded before.

    Returns:
        tuple: (O, I, h, w) weight and (O,) bias, or None without one.
    """
    if not isinstance(norm, _BatchNorm):
        return conv.weight, conv.bias
    gain = norm.weight * (norm.running_var + norm.eps).rsqrt()
    bias = norm.bias - norm.running_mean * gain
    if conv.bias is not None:
        bias = bias + conv.bias * gain
    return conv.weight * gain.view(-1, 1, 1, 1), bias
