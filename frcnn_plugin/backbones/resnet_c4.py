"""The first half of a ResNet: images to one feature map of stride 16.

The C4 detector cuts a ResNet after ``layer3``: the first half runs once over the image,
``layer4`` runs on every region (``ResNetC5Head``).
"""

import torchvision
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..registry import MODELS
from .pretrained import InitFromWeights

DEPTHS = (18, 34, 50, 101, 152)


@MODELS.register_module()
class ResNetC4(InitFromWeights):
    """A ResNet up to ``layer3``, torchvision's, under torchvision's names.

    Source: ResNet (arXiv:1512.03385), appendix A, where Faster R-CNN shares conv1 to
    conv4 and puts conv5 on each region; Mask R-CNN (arXiv:1703.06870), section 3, names
    this "C4".

    Args:
        depth: 18, 34, 50, 101 or 152; the map has 256 channels for the first two and
            1024 for the others.
        frozen_stages: Stages whose weights stay fixed: 0 the stem, 1 also ``layer1``,
            and so on to 3; -1 none.
        norm_eval: Whether batch normalisation keeps its running statistics fixed in
            training, as is usual in detectors, which train on few images per step.
        norm_requires_grad: Whether its scales and offsets are trained.
        style: ``'pytorch'`` or ``'caffe'``, see :func:`torchvision_resnet`.
        ceil_pool: Whether the stem's pooling has no padding and rounds up, as in Caffe,
            instead of one pixel of padding on each side.
        init_cfg: Initialisation; ``dict(type='Pretrained', checkpoint=...)`` takes
            ``torchvision://resnet50``, a path or a URL. Default: torchvision's random
            one.

    Raises:
        ValueError: If ``depth``, ``style`` or ``frozen_stages`` is none of these.
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
        self.out_channels = resnet.fc.in_features // 2
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        self.norm_requires_grad = norm_requires_grad
        self.train()

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Normalised (B, 3, H, W) images to a tuple of one map of stride 16.

        It is (B, out_channels, ceil(H / 16), ceil(W / 16)) without ``ceil_pool``.
        """
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return (self.layer3(self.layer2(self.layer1(x))),)

    def train(self, mode: bool = True) -> 'ResNetC4':
        """Switch to training, but for what is frozen."""
        super().train(mode)
        stages = [nn.Sequential(self.conv1, self.bn1), self.layer1, self.layer2,
                  self.layer3]
        for stage in stages[:self.frozen_stages + 1]:
            stage.eval().requires_grad_(False)
        for norm in batch_norms(self):
            if self.norm_eval:
                norm.eval()
            if not self.norm_requires_grad:
                norm.requires_grad_(False)
        return self


def torchvision_resnet(depth: int, style: str = 'pytorch'
                       ) -> torchvision.models.ResNet:
    """torchvision's ResNet with random weights.

    Args:
        depth: 18, 34, 50, 101 or 152.
        style: Where a bottleneck that halves the map has its stride: ``'pytorch'`` on
            the 3x3 convolution (torchvision), ``'caffe'`` on the first 1x1 (the
            original of He et al., whose weights detectron2 uses).

    Raises:
        ValueError: If the depth or the style is none of these.
    """
    if depth not in DEPTHS:
        raise ValueError(f'ResNet: depth {depth} is none of {DEPTHS}')
    if style not in ('pytorch', 'caffe'):
        raise ValueError(f"ResNet: style {style!r} is neither 'pytorch' nor 'caffe'")
    resnet = getattr(torchvision.models, f'resnet{depth}')(weights=None)
    if style == 'caffe' and depth >= 50:
        for layer in (resnet.layer2, resnet.layer3, resnet.layer4):
            block = layer[0]
            block.conv1.stride, block.conv2.stride = block.conv2.stride, (1, 1)
    return resnet


def batch_norms(module: nn.Module) -> list[_BatchNorm]:
    """All batch normalisation layers of a module."""
    return [child for child in module.modules() if isinstance(child, _BatchNorm)]
