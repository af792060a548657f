"""Image -> feature map."""

from .identity_backbone import IdentityBackbone
from .resnet_c4 import ResNetC4
from .vgg16 import VGG16

__all__ = ['VGG16', 'IdentityBackbone', 'ResNetC4']
