"""No network: the image itself as the feature map, for regions cut out of it."""

from mmengine.model import BaseModule
from torch import Tensor

from ..registry import MODELS


@MODELS.register_module()
class IdentityBackbone(BaseModule):
    """Hands the image on, so that the RoI extractor warps regions of pixels (R-CNN).

    Source: R-CNN (arXiv:1311.2524), section 2.1.
    """

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Images (B, 3, H, W) to a tuple of one map of stride 1."""
        return (x,)
