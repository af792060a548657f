"""The entrance of ``layer4`` ahead of RoIAlign, in operators that every runtime has."""

from torch import Tensor, nn

from ..accelerate.c5_on_map import C5OnMap, DeferredRoIAlign
from ..accelerate.parts import with_class
from ..roi.roi_pool_extractor import RoIPoolExtractor


class SlicedRoIAlign(DeferredRoIAlign):
    """Pools by torchvision's operator, and takes every second cell of its result."""

    def pool_cells(self, feature: Tensor, rois: Tensor, step: int = 1) -> Tensor:
        """(R, C, 14 / step, 14 / step) cells of (B, C, H, W) maps."""
        cells = RoIPoolExtractor.pool_map(
            self, feature, rois, 1 / self.featmap_strides[0])
        return cells[..., ::step, ::step]


def put_convolutions_first(detector: nn.Module) -> None:
    """Change the order where it saves operations, see ``accelerate/c5_on_map.py``."""
    roi_head = detector.roi_head
    extractor = getattr(roi_head, 'bbox_roi_extractor', None)
    head = getattr(roi_head, 'shared_head', None)
    if C5OnMap.fits(extractor, head):
        roi_head.bbox_roi_extractor = with_class(extractor, SlicedRoIAlign)
        roi_head.shared_head = with_class(head, C5OnMap)
        roi_head.shared_head.pool_cells = roi_head.bbox_roi_extractor.pool_cells
