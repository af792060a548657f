"""Mixed precision on a CPU."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from ..registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class BF16OptimWrapper(OptimWrapper):
    """Trains in bfloat16 on a CPU, as mmengine's ``AmpOptimWrapper`` does on a GPU.

    Convolutions and linear layers run in bfloat16; weights, their updates, losses and
    boxes stay float32. bfloat16 has the range of float32, so that no loss has to be
    scaled. It pays on processors that have instructions for it, see
    :func:`has_bfloat16`.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Around the forward pass."""
        with super().optim_context(model), torch.autocast('cpu', dtype=torch.bfloat16):
            yield


def has_bfloat16() -> bool:
    """Whether the CPU has instructions for bfloat16: AVX-512 BF16, or AMX."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
