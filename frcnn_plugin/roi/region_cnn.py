"""A whole CNN, run on the pixels of every region."""

import torch
from mmengine.model import BaseModule
from torch import Tensor

from ..registry import MODELS


@MODELS.register_module()
class RegionCNN(BaseModule):
    """A backbone and the layers behind it as the shared head of R-CNN.

    Source: R-CNN (arXiv:1311.2524), section 2.1, "Feature extraction".

    Args:
        backbone: Config of the first part, whose last feature map is used.
        head: Config of the second part, such as ``ResNetC5Head``; None for none.
        chunk: Regions that run at once in test; 2000 at once would need tens of
            gigabytes. In training, and wherever gradients are enabled, all run at once.
        init_cfg: Initialisation of the whole; the parts have their own.
    """

    def __init__(self, backbone: dict, head: dict | None = None, chunk: int = 100,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.backbone = MODELS.build(backbone)
        self.head = MODELS.build(head) if head else None
        self.chunk = chunk

    def forward(self, x: Tensor) -> Tensor:
        """(R, 3, h, w) pixels to (R, C, h', w') features."""
        if self.training or torch.is_grad_enabled():
            return self._run(x)
        return torch.cat([self._run(part) for part in x.split(self.chunk)])

    def _run(self, x: Tensor) -> Tensor:
        features = self.backbone(x)[-1]
        return features if self.head is None else self.head(features)
