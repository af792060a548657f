"""Mixed precision: convolutions and linear layers in a type of 16 bits."""

import torch

from ..errors import MixedPrecisionError


def has_bfloat16() -> bool:
    """Whether the CPU has instructions for bfloat16: AVX-512 BF16, or AMX."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def has_mixed_precision(device: torch.device | str) -> bool:
    """Whether the device is a GPU, or a CPU with instructions for bfloat16."""
    return torch.device(device).type != 'cpu' or has_bfloat16()


def check_mixed_precision(device: torch.device | str) -> None:
    """Raise :class:`MixedPrecisionError` if the device has no mixed precision."""
    if not has_mixed_precision(device):
        raise MixedPrecisionError(
            'mixed precision needs a GPU, or a CPU with instructions for bfloat16 '
            '(AVX-512 BF16 or AMX); torch finds neither')


def half_type(device: torch.device | str) -> torch.dtype:
    """The type of mixed precision: float16 on a GPU, bfloat16 on a CPU."""
    return torch.bfloat16 if torch.device(device).type == 'cpu' else torch.float16


def mixed_precision(device: torch.device | str) -> torch.autocast:
    """Around a forward pass, which then computes in :func:`half_type`."""
    return torch.autocast(torch.device(device).type, dtype=half_type(device))


def type_of(x: torch.Tensor) -> torch.dtype:
    """The type that a convolution of ``x`` on the CPU computes in."""
    if torch.is_autocast_enabled('cpu'):
        return torch.get_autocast_dtype('cpu')
    return x.dtype
