"""The first half of a ResNet: images to one feature map of stride 16."""

from mmengine.model import BaseModule
from torch import Tensor, nn

from ..registry import MODELS
from .pretrained import InitFromWeights
from .resnet import batch_norms, freeze, stage_channels, torchvision_resnet


@MODELS.register_module()
class ResNetC4(InitFromWeights, BaseModule):
    """A ResNet up to ``layer3``, torchvision's, under torchvision's names.

    Source: "C4" is the naming of the ResNet paper (arXiv:1512.03385), appendix A, where
    Faster R-CNN shares conv1 to conv4 and puts conv5 on each region.

    Args:
        depth: 18, 34, 50, 101 or 152; the map has 256 channels for the first two and
            1024 for the others.
        frozen_stages: Stages whose weights stay fixed: 0 the stem, 1 also ``layer1``,
            and so on to 3; -1 none.
        norm_eval: Whether batch normalisation keeps its running statistics fixed in
            training, as all detectors do that train on few images a step.
        norm_requires_grad: Whether its scales and offsets are trained.
        style: ``'pytorch'`` or ``'caffe'``, see :func:`torchvision_resnet`.
        ceil_pool: Whether the stem's pooling has no padding and rounds up, as in Caffe,
            instead of one pixel of padding on each side.
        init_cfg: Initialisation; ``dict(type='Pretrained', checkpoint=...)`` takes
            ``torchvision://resnet50``, a path or a URL. Default: torchvision's random
            one.

    Attributes:
        out_channels (int): Channels of the feature map.
    """

    def __init__(self, depth: int = 50, frozen_stages: int = -1, norm_eval: bool = True,
                 norm_requires_grad: bool = True, style: str = 'pytorch',
                 ceil_pool: bool = False, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        if not -1 <= frozen_stages <= 3:
            raise ValueError(f'ResNetC4: frozen_stages is {frozen_stages}, not -1 to 3')
        resnet = torchvision_resnet(depth, style)
        self.conv1, self.bn1 = resnet.conv1, resnet.bn1
        self.relu, self.maxpool = resnet.relu, resnet.maxpool
        if ceil_pool:
            self.maxpool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.layer1, self.layer2, self.layer3 = (
            resnet.layer1, resnet.layer2, resnet.layer3)
        self.depth = depth
        self.out_channels = stage_channels(depth, 3)
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        self.norm_requires_grad = norm_requires_grad
        self._freeze()

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Images (B, 3, H, W), normalised, to a tuple of one map of stride 16."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return (self.layer3(self.layer2(self.layer1(x))),)

    def train(self, mode: bool = True) -> 'ResNetC4':
        """Switch to training, but for what is frozen."""
        super().train(mode)
        self._freeze()
        return self

    def _freeze(self) -> None:
        stages = [(self.conv1, self.bn1), (self.layer1,), (self.layer2,),
                  (self.layer3,)]
        for stage in stages[:self.frozen_stages + 1]:
            for module in stage:
                freeze(module)
        for norm in batch_norms(self):
            if self.norm_eval:
                norm.eval()
            if not self.norm_requires_grad:
                norm.requires_grad_(False)
