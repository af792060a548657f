"""Lets mmengine load its own checkpoints weights-only.

Since torch 2.6 ``torch.load`` refuses what mmengine stores beside the weights, so that
resuming and testing end in ``UnpicklingError``. mmengine reads a file with the loader
that is registered for the beginning of its path. Those that load checkpoints are
replaced here by ones that also allow the types of mmengine's log while they load.
"""

import os

import torch
from mmengine.dist import barrier, get_rank
from mmengine.runner import checkpoint
from mmengine.runner.checkpoint import CheckpointLoader

from ..io.weights_only import load_weights_only, mmengine_types_allowed


def load_checkpoints_weights_only() -> None:
    """Register the loaders with mmengine."""
    for prefixes, loader in (
            ('', load_from_local), (('http://', 'https://'), load_from_http),
            ('pavi://', mmengine_types_allowed()(checkpoint.load_from_pavi)),
            ((r'(\S+\:)?s3://', r'(\S+\:)?petrel://'),
             mmengine_types_allowed()(checkpoint.load_from_ceph))):
        CheckpointLoader.register_scheme(prefixes, loader, force=True)


def load_from_local(filename: str, map_location=None) -> object:
    """Load a local file; mmengine's log has its name from that of this function."""
    return load_weights_only(os.path.expanduser(filename), map_location)


@mmengine_types_allowed()
def load_from_http(filename: str, map_location=None) -> object:
    """Load from a URL; mmengine's own loader would run code that is in the file."""
    if get_rank() > 0:
        barrier()  # the file is in the cache then
    content = torch.hub.load_state_dict_from_url(
        filename, map_location=map_location, weights_only=True)
    if get_rank() == 0:
        barrier()
    return content
