"""Another size for each batch in training."""

import torch
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import scale_boxes
from mmengine.logging import MessageHub
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ..registry import MODELS

SHARE_KEY = 'share_of_time'  # in mmengine's message hub, if training has a time


@MODELS.register_module()
class BatchRandomScale(nn.Module):
    """Resizes a batch and its boxes by a random factor, which may grow in training.

    For ``batch_augments`` of mmdet's ``DetDataPreprocessor``. Where each picture has a
    size of its own a batch is as large as its largest picture, and the padding of the
    others is computed for nothing. mmdet's ``BatchSyncRandomResize`` takes a range of
    heights, so that upright pictures would get another size than wide ones.

    Source: multi-scale training, one size a batch, of YOLO9000 (arXiv:1612.08242),
    section 2; small images first, of EfficientNetV2 (arXiv:2104.00298), section 4.

    Args:
        scales: The smallest and the largest factor when training begins.
        until: Those when it ends; in between they change evenly. Default: the same.
        divisor: Height and width become multiples of it.
    """

    def __init__(self, scales: tuple[float, float],
                 until: tuple[float, float] | None = None, divisor: int = 32) -> None:
        super().__init__()
        self.scales, self.until, self.divisor = scales, until or scales, divisor

    def forward(self, inputs: Tensor, data_samples: list[DetDataSample]
                ) -> tuple[Tensor, list[DetDataSample]]:
        """Resize (B, 3, H, W) float32 images; their samples are changed in place."""
        share = share_of_training()
        low, high = (begin + share * (end - begin)
                     for begin, end in zip(self.scales, self.until, strict=True))
        factor = low + (high - low) * torch.rand(()).item()
        before = inputs.shape[2:]
        height, width = (max(1, round(side * factor / self.divisor)) * self.divisor
                         for side in before)
        if (height, width) == tuple(before):
            return inputs, data_samples
        down, across = height / before[0], width / before[1]
        inputs = interpolate(inputs, (height, width), mode='bilinear')
        for sample in data_samples:
            for name in ('gt_instances', 'ignored_instances', 'proposals'):
                if name in sample:
                    instances = sample.get(name)
                    instances.bboxes = scale_boxes(instances.bboxes, (across, down))
            own, scale = sample.img_shape, sample.get('scale_factor', (1.0, 1.0))
            sample.set_metainfo(dict(
                img_shape=(round(own[0] * down), round(own[1] * across)),
                batch_input_shape=(height, width), pad_shape=(height, width),
                scale_factor=(scale[0] * across, scale[1] * down)))
        return inputs, data_samples


def share_of_training() -> float:
    """How much of the training is done, from 0 to 1: of its time, or else its steps."""
    info = MessageHub.get_current_instance().runtime_info
    return info.get(SHARE_KEY, info.get('iter', 0) / max(info.get('max_iters', 0), 1))
