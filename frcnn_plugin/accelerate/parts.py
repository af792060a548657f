"""Plain parts of a detector replaced by faster ones that do the same."""

import warnings

import torch
from torch import nn

from ..ops import masked_nms
from ..ops.matching import compare
from .c5_on_map import C5OnMap, DeferredRoIAlign
from .convolution import ProductConv2d
from .matching import compare_in_blocks
from .residual import FoldedBlock
from .roi_align import PixelRoIAlign
from .roi_pool import PixelRoIPool
from .suppression import HAS_TRITON, greedy_nms


def with_class(module: nn.Module, kind: type[nn.Module]) -> nn.Module:
    """A module of a different class with the same weights, buffers and settings."""
    new = kind.__new__(kind)
    new.__dict__ = dict(module.__dict__)
    return new


def on_cpu(detector: nn.Module) -> bool:
    """Whether it computes on a CPU."""
    return all(part.device.type == 'cpu' for part in detector.parameters())


def replace_parts(detector: nn.Module) -> None:
    """Suppression, matching and pooling; on a CPU what is linear after it, too."""
    pooling = on_cpu(detector)
    device = next((each.device for each in detector.parameters()), torch.device('cpu'))
    for part in detector.modules():
        if not pooling and hasattr(part, 'bbox_coder'):
            keep_on_device(part.bbox_coder, device)
        for owner in (part, getattr(part, 'proposal_creator', None),
                      getattr(part, 'target_sampler', None)):
            if getattr(owner, 'nms', None) is masked_nms:
                owner.nms = greedy_nms
            if getattr(owner, 'compare', None) is compare:
                owner.compare = compare_in_blocks
        extractor = getattr(part, 'bbox_roi_extractor', None)
        head = getattr(part, 'shared_head', None)
        if pooling and C5OnMap.fits(extractor, head):
            part.bbox_roi_extractor = with_class(extractor, DeferredRoIAlign)
            part.shared_head = with_class(head, C5OnMap)
            part.shared_head.pool_cells = part.bbox_roi_extractor.pool_cells
        elif device.type == 'cuda' and HAS_TRITON:
            from .triton_roi_align import TritonRoIAlign
            if TritonRoIAlign.fits(extractor):
                part.bbox_roi_extractor = with_class(extractor, TritonRoIAlign)
        elif pooling:
            for kind in (PixelRoIAlign, PixelRoIPool):
                if kind.fits(extractor):
                    part.bbox_roi_extractor = with_class(extractor, kind)


def keep_on_device(coder, device: torch.device) -> None:
    """Means and deviations of one of mmdet's coders, which copies its lists each time.

    For such a copy the host waits until a GPU has done all that it was told before.
    """
    warnings.filterwarnings(  # it suggests another way to copy a tensor
        'ignore', 'To copy construct', UserWarning, r'mmdet\.')
    for name in ('means', 'stds'):
        value = getattr(coder, name, None)
        if value is not None and not isinstance(value, torch.Tensor):
            setattr(coder, name, torch.tensor(value, device=device))


def replace_convolutions(detector: nn.Module) -> None:
    """Plain convolutions, whose weights get their gradients by matrix products."""
    for part in list(detector.modules()):
        for name, child in part.named_children():
            if ProductConv2d.fits(child):
                setattr(part, name, with_class(child, ProductConv2d))


def replace_blocks(detector: nn.Module) -> None:
    """Residual blocks without batch normalisation, in stages of such blocks."""
    for stage in detector.modules():
        if isinstance(stage, nn.Sequential):
            for name, block in stage.named_children():
                if FoldedBlock.fits(block) and (
                        name != '0' or block.downsample is not None):
                    setattr(stage, name, with_class(block, FoldedBlock))
