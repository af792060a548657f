"""What stock mmengine, mmcv and mmdet need in order to run on today's torch.

One patch a file, each with its reason, each applied only where it is needed, and only
when what it changes is imported: until then neither torch nor mmengine is.
"""

from functools import cache
from types import ModuleType

from .imports import after_import, if_missing


@cache
def make_ready() -> None:
    """Have every patch applied that this installation needs. Safe to call again."""
    if_missing('mmcv._ext', _operators)
    after_import('mmengine.runner.checkpoint', _load_checkpoints_weights_only)


def _operators(name: str) -> ModuleType:
    from .mmcv_operators import TorchvisionOperators

    return TorchvisionOperators(name)


def _load_checkpoints_weights_only() -> None:
    from .safe_checkpoints import load_checkpoints_weights_only

    load_checkpoints_weights_only()
