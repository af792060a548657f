"""Mixed precision on a CPU."""

from collections.abc import Iterator
from contextlib import contextmanager

from mmengine.optim import OptimWrapper
from torch import nn

from ..accelerate.precision import mixed_precision
from ..registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class BF16OptimWrapper(OptimWrapper):
    """Trains in bfloat16 on a CPU, as mmengine's ``AmpOptimWrapper`` does on a GPU.

    Convolutions and linear layers run in bfloat16; weights, their updates, losses and
    boxes stay float32. bfloat16 has the range of float32, so that no loss has to be
    scaled. It pays on processors that have instructions for it, see
    :func:`~frcnn_plugin.accelerate.precision.has_bfloat16`.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Around the forward pass."""
        with super().optim_context(model), mixed_precision('cpu'):
            yield
