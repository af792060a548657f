"""Lets mmengine load its own checkpoints weights-only.

Since torch 2.6 ``torch.load`` refuses what mmengine stores beside the weights, so that
resuming and testing end in ``UnpicklingError``. mmengine reads a file with the loader
that is registered for the beginning of its path. Those that load checkpoints are
replaced here by ones that also allow the types of mmengine's log while they load.
"""

import os
from collections.abc import Callable
from functools import wraps

import torch
from mmengine.dist import barrier, get_rank
from mmengine.runner import checkpoint
from mmengine.runner.checkpoint import CheckpointLoader

from ..io.weights_only import load_weights_only, mmengine_types_allowed


def load_checkpoints_weights_only() -> None:
    """Register the loaders with mmengine."""
    CheckpointLoader.register_scheme('', load_from_local, force=True)
    CheckpointLoader.register_scheme(
        ['http://', 'https://'], load_from_http, force=True)
    CheckpointLoader.register_scheme(
        'pavi://', _with_types(checkpoint.load_from_pavi), force=True)
    CheckpointLoader.register_scheme(
        [r'(\S+\:)?s3://', r'(\S+\:)?petrel://'],
        _with_types(checkpoint.load_from_ceph), force=True)


def load_from_local(filename: str, map_location=None) -> object:
    """Load a local file; mmengine's log has its name from that of this function."""
    return load_weights_only(os.path.expanduser(filename), map_location)


def load_from_http(filename: str, map_location=None) -> object:
    """Load from a URL; mmengine's own loader would run code that is in the file."""
    if get_rank() == 0:
        content = _from_url(filename, map_location)
    barrier()  # the others find the file in the cache
    return content if get_rank() == 0 else _from_url(filename, map_location)


def _from_url(url: str, map_location) -> object:
    with mmengine_types_allowed():
        return torch.hub.load_state_dict_from_url(
            url, map_location=map_location, weights_only=True)


def _with_types(loader: Callable) -> Callable:

    @wraps(loader)
    def load(filename: str, map_location=None) -> object:
        with mmengine_types_allowed():
            return loader(filename, map_location)

    return load
