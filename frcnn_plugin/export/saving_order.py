"""The entrance of ``layer4`` ahead of RoIAlign, in operators that every runtime has."""

import torch
from torch import Tensor, nn

from ..accelerate.c5_on_map import C5OnMap, DeferredRoIAlign
from ..accelerate.parts import with_class
from ..roi.roi_pool_extractor import RoIPoolExtractor


class CellRoIAlign(DeferredRoIAlign):
    """Pools by torchvision's operator, and only the cells that are wanted.

    RoIAlign takes as many samples in a cell as the cell has pixels, so that a cell is
    what a region of one cell in its place would be.
    """

    @classmethod
    def fits(cls, module: nn.Module) -> bool:
        """Whether the pooling is ``aligned``, with no fixed number of samples."""
        return super().fits(module) and module.options == dict(
            sampling_ratio=0, aligned=True)

    def pool_cells(self, feature: Tensor, rois: Tensor, step: int = 1) -> Tensor:
        """(R, C, 14 / step, 14 / step) cells of (B, C, H, W) maps."""
        scale = 1 / self.featmap_strides[0]
        if step == 1:
            return RoIPoolExtractor.pool_map(self, feature, rois, scale)
        y, x = (torch.arange(0, number, step) for number in self.output_size)
        places = torch.stack([part.flatten() for part in torch.meshgrid(
            x, y, indexing='xy')], dim=-1)  # row by row
        sides = rois[:, 3:5] - rois[:, 1:3]
        sides = sides.unsqueeze(1) / sides.new_tensor(self.output_size[::-1])
        start = rois[:, 1:3].unsqueeze(1) + places * sides
        image = rois[:, :1].unsqueeze(1).expand(-1, len(places), 1)
        cells = self.pool(
            feature, torch.cat([image, start, start + sides], dim=2).flatten(0, 1),
            (1, 1), spatial_scale=scale, **self.options)
        return cells.view(-1, len(y), len(x), feature.size(1)).permute(0, 3, 1, 2)


def put_convolutions_first(detector: nn.Module) -> None:
    """Change the order where it saves operations, see ``accelerate/c5_on_map.py``."""
    roi_head = detector.roi_head
    extractor = getattr(roi_head, 'bbox_roi_extractor', None)
    head = getattr(roi_head, 'shared_head', None)
    if C5OnMap.fits(extractor, head) and CellRoIAlign.fits(extractor):
        roi_head.bbox_roi_extractor = with_class(extractor, CellRoIAlign)
        roi_head.shared_head = with_class(head, C5OnMap)
        roi_head.shared_head.pool_cells = roi_head.bbox_roi_extractor.pool_cells
