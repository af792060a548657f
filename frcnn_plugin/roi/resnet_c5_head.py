"""The second half of a ResNet, run on every region."""

from torch import Tensor

from ..backbones.pretrained import InitFromWeights
from ..backbones.resnet_c4 import batch_norms, torchvision_resnet
from ..registry import MODELS


@MODELS.register_module()
class ResNetC5Head(InitFromWeights):
    """``layer4`` of torchvision's ResNet as the shared head of the second stage.

    Source: Object Detection Networks on Convolutional Feature Maps (arXiv:1504.06066);
    ResNet (arXiv:1512.03385), appendix A.

    Args:
        depth: 18, 34, 50, 101 or 152; (R, 256, ...) to (R, 512, ...) for the first two.
        norm_eval: Whether batch normalisation keeps its running statistics fixed in
            training.
        norm_requires_grad: Whether its scales and offsets are trained.
        style: ``'pytorch'`` or ``'caffe'``.
        init_cfg: As that of ``ResNetC4``, from the same file.
    """

    def __init__(self, depth: int = 50, norm_eval: bool = True,
                 norm_requires_grad: bool = True, style: str = 'pytorch',
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        resnet = torchvision_resnet(depth, style)
        self.layer4 = resnet.layer4
        self.out_channels = resnet.fc.in_features
        self.norm_eval = norm_eval
        for norm in batch_norms(self):
            norm.requires_grad_(norm_requires_grad)

    def forward(self, x: Tensor) -> Tensor:
        """(R, C, 14, 14) to (R, 2 C, 7, 7)."""
        return self.layer4(x)

    def train(self, mode: bool = True) -> 'ResNetC5Head':
        """Switch to training, but for the statistics that stay fixed."""
        super().train(mode)
        if self.norm_eval:
            for norm in batch_norms(self):
                norm.eval()
        return self
