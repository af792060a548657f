"""Plain parts of a detector replaced by faster ones that do the same."""

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
    """Suppression and matching; on a CPU pooling too, and what is linear after it."""
    pooling = on_cpu(detector)
    for part in detector.modules():
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
        elif pooling:
            for kind in (PixelRoIAlign, PixelRoIPool):
                if kind.fits(extractor):
                    part.bbox_roi_extractor = with_class(extractor, kind)


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
