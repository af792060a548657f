"""What stock mmengine, mmcv and mmdet need in order to run on today's torch.

One patch a file, each with its reason, each applied only where it is needed.
"""

from .mmcv_operators import serve_operators
from .safe_checkpoints import load_checkpoints_weights_only


def make_ready() -> None:
    """Apply every patch that this installation needs. Safe to call again."""
    serve_operators()
    load_checkpoints_weights_only()
