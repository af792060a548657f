"""Plain parts of a detector replaced by faster ones that do the same."""

import logging
import warnings
from functools import cache
from importlib.util import find_spec

import torch
from mmdet.models.task_modules.coders import (
    DeltaXYWHBBoxCoder,
    LegacyDeltaXYWHBBoxCoder,
)
from mmengine.logging import print_log
from torch import nn

from ..ops import masked_nms
from ..ops.matching import compare
from .c5_on_map import C5OnMap, DeferredRoIAlign
from .convolution import ProductConv2d
from .matching import compare_in_blocks
from .residual import FoldedBlock
from .roi_align import PixelRoIAlign
from .roi_pool import PixelRoIPool
from .suppression import greedy_nms


def with_class(module: nn.Module, kind: type[nn.Module]) -> nn.Module:
    """A module of a different class with the same weights, buffers and settings."""
    new = kind.__new__(kind)
    new.__dict__ = dict(module.__dict__)
    return new


def on_cpu(detector: nn.Module) -> bool:
    """Whether it computes on a CPU."""
    return all(part.device.type == 'cpu' for part in detector.parameters())


def replace_parts(detector: nn.Module) -> None:
    """Replace suppression, matching and pooling; on a CPU also ``ResNetC5Head``."""
    pooling = on_cpu(detector)
    device = next((each.device for each in detector.parameters()), torch.device('cpu'))
    nms, kinds = greedy_nms, (PixelRoIAlign, PixelRoIPool) if pooling else ()
    if device.type == 'cuda':
        nms, kinds = kernels_of_triton(device)
    for part in detector.modules():
        if device.type == 'cuda':
            keep_on_device(getattr(part, 'bbox_coder', None), device)
        for owner in (part, getattr(part, 'proposal_creator', None),
                      getattr(part, 'target_sampler', None)):
            if getattr(owner, 'nms', None) is masked_nms:
                owner.nms = nms
            if getattr(owner, 'compare', None) is compare:
                owner.compare = compare_in_blocks
        extractor = getattr(part, 'bbox_roi_extractor', None)
        head = getattr(part, 'shared_head', None)
        if pooling and C5OnMap.fits(extractor, head):
            part.bbox_roi_extractor = with_class(extractor, DeferredRoIAlign)
            part.shared_head = with_class(head, C5OnMap)
            part.shared_head.pool_cells = part.bbox_roi_extractor.pool_cells
        else:
            for kind in kinds:
                if kind.fits(extractor):
                    part.bbox_roi_extractor = with_class(extractor, kind)


@cache
def kernels_of_triton(device: torch.device) -> tuple:
    """The suppression function and the extractor classes for a GPU.

    Where Triton does not run they are the plain one and none. It comes with torch on
    Linux, and needs compute capability 7.0 and a C compiler.
    """
    if find_spec('triton') is None or torch.cuda.get_device_capability(device)[0] < 7:
        return masked_nms, ()
    try:
        from .triton_roi_align import TritonRoIAlign
        from .triton_suppression import triton_nms
        boxes = torch.zeros(1, 1, 4, device=device)
        triton_nms(boxes, boxes[..., 0], boxes[..., 0] == 0, 0.5)
    except Exception as error:  # whatever its compiler raises
        print_log(f'Triton cannot be used: {error}. Slower kernels take the place of '
                  'its own', logger='current', level=logging.WARNING)
        return masked_nms, ()
    return triton_nms, (TritonRoIAlign,)


def keep_on_device(coder, device: torch.device) -> None:
    """Keep the means and stds of one of mmdet's coders on the device.

    As lists they would be copied in every call, and the host would wait for the GPU.
    """
    if type(coder) in (DeltaXYWHBBoxCoder, LegacyDeltaXYWHBBoxCoder):
        warnings.filterwarnings(  # it suggests another way to copy a tensor
            'ignore', 'To copy construct', UserWarning, r'mmdet\..*coders')
        for name in ('means', 'stds'):
            value = torch.as_tensor(
                getattr(coder, name), dtype=torch.float32, device=device)
            setattr(coder, name, value)


def replace_convolutions(detector: nn.Module) -> None:
    """Replace convolutions by :class:`ProductConv2d`, where it is faster."""
    for part in list(detector.modules()):
        for name, child in part.named_children():
            if ProductConv2d.fits(child):
                setattr(part, name, with_class(child, ProductConv2d))


def replace_blocks(detector: nn.Module) -> None:
    """Replace residual blocks whose batch normalisations were folded.

    The first block of a stage stays if its shortcut has no convolution: the new one
    would write over an input that may be read elsewhere.
    """
    for stage in detector.modules():
        if isinstance(stage, nn.Sequential):
            for name, block in stage.named_children():
                if FoldedBlock.fits(block) and (
                        name != '0' or block.downsample is not None):
                    setattr(stage, name, with_class(block, FoldedBlock))
