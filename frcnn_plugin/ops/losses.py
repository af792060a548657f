"""Reducing an element-wise loss over the samples that count.

mmdet's losses reduce by themselves, but a weighted SmoothL1Loss first asks on the host
whether any weight is above zero, which makes a GPU wait. We take their element-wise
values and reduce them here.
"""

import torch
from mmengine.dist import all_reduce
from torch import Tensor, nn


def masked_mean(loss: Tensor, mask: Tensor, normalizer: Tensor) -> Tensor:
    """Sum of a (...) or (..., D) loss over the (...) mask, divided by a normaliser.

    Returns a scalar: 0, with a gradient of 0, if the mask is True nowhere.
    """
    if loss.dim() > mask.dim():
        mask = mask.unsqueeze(-1)
    return torch.where(mask, loss, 0).sum() / normalizer


def count_samples(mask: Tensor) -> Tensor:
    """Number of True samples, averaged over the processes of a job; at least 1.

    With this normaliser, a scalar of float32, the gradients that data-parallel training
    averages over its processes are those of one process with all the images in one
    batch.
    """
    count = mask.sum(dtype=torch.float32)
    all_reduce(count, 'mean')
    return count.clamp(min=1)


def check_delta_loss(loss: nn.Module) -> nn.Module:
    """Return a loss unless it compares boxes; our heads compare deltas.

    Raises:
        ValueError: If it is one of mmdet's IoU losses, which would read the deltas as
            corners.
    """
    if 'IoU' in type(loss).__name__:
        raise ValueError(f'loss_bbox is {type(loss).__name__}, which compares boxes; '
                         'this head compares deltas, with SmoothL1Loss or L1Loss. '
                         "mmdet's bbox heads take it with reg_decoded_bbox=True")
    return loss
