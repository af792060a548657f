"""Image -> feature map."""

from .resnet_c4 import ResNetC4

__all__ = ['ResNetC4']
