"""The two fully connected layers of VGG16, run on every region."""

from torch import Tensor, nn

from ..backbones.pretrained import InitFromWeights
from ..registry import MODELS


@MODELS.register_module()
class VGG16FCHead(InitFromWeights):
    """fc6 and fc7 as the shared head of the second stage, under torchvision's names.

    Source: Fast R-CNN (arXiv:1504.08083), section 2.2: the last pooling of VGG16 gives
    way to RoIPool, and its fully connected layers but the last run on each region.

    Args:
        in_channels: Channels of the pooled features.
        roi_feat_size: Their height and width.
        dropout: Probability with which a unit is left out in training; chainercv and
            simple-faster-rcnn-pytorch have 0, py-faster-rcnn 0.5.
        init_cfg: As that of ``VGG16``, from the same file. Default: torchvision's
            random one.
    """

    out_channels = 4096

    def __init__(self, in_channels: int = 512, roi_feat_size: int = 7,
                 dropout: float = 0.5, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg or dict(
            type='Normal', layer='Linear', std=0.01))
        self.classifier = nn.Sequential(
            nn.Linear(in_channels * roi_feat_size**2, 4096), nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(dropout))

    def forward(self, x: Tensor) -> Tensor:
        """(R, 512, 7, 7) to (R, 4096, 1, 1)."""
        return self.classifier(x.flatten(1)).unflatten(1, (-1, 1, 1))
