"""VGG16 without its last pooling: images to one feature map of stride 16."""

from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

from ..registry import MODELS
from .pretrained import InitFromWeights


@MODELS.register_module()
class VGG16(InitFromWeights):
    """conv1_1 to conv5_3 with four poolings, under torchvision's names.

    The poolings round up, so that a map covers its whole image, unless told otherwise.

    Source: VGG (arXiv:1409.1556), configuration D, as used in Faster R-CNN.

    Args:
        frozen_stages: Groups of convolutions whose weights stay fixed: 1 conv1_x, 2
            also conv2_x (as in Fast R-CNN, section 4.5), and so on to 5; -1 or 0 none.
        ceil_mode: Whether the poolings round up (py-faster-rcnn, chainercv) or down
            (simple-faster-rcnn-pytorch).
        init_cfg: Initialisation; ``dict(type='Pretrained', checkpoint=...)`` takes
            ``torchvision://vgg16``, a path or a URL. Default: torchvision's random one.

    Raises:
        ValueError: If ``frozen_stages`` is not -1 to 5.
    """

    out_channels = 512

    def __init__(self, frozen_stages: int = -1, ceil_mode: bool = True,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg or dict(
            type='Kaiming', layer='Conv2d', mode='fan_out', nonlinearity='relu'))
        if not -1 <= frozen_stages <= 5:
            raise ValueError(f'VGG16: frozen_stages is {frozen_stages}, not -1 to 5')
        self.features = make_layers(cfgs['D'])[:-1]
        stage = 1
        for layer in self.features:
            layer.requires_grad_(stage > frozen_stages)
            if isinstance(layer, nn.MaxPool2d):
                layer.ceil_mode = ceil_mode
                stage += 1

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Normalised (B, 3, H, W) images to a tuple of one map of stride 16.

        It is (B, 512, H / 16, W / 16), rounded as ``ceil_mode`` says.
        """
        return (self.features(x),)
