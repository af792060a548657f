"""A detector as ``frcnn detect`` uses it, in mmengine's test loop."""

import torch
from mmengine.model import BaseModel
from mmengine.structures import InstanceData

from ..datasets.tiles import OVERLAP
from ..registry import MODELS
from .detector import Detector
from .tiled_detector import TiledDetector


@MODELS.register_module()
class FileModel(BaseModel):
    """A file of ``frcnn export``, or a checkpoint, to be measured as it will be used.

    Its data come as they are in their files: the detector resizes them.

    Args:
        file: The ``.xml``, ``.onnx`` or ``.pth``.
        config: A config to use in place of the one in the checkpoint.
        amp: Whether it computes in mixed precision.
        tiles: The size of tiles that it looks at one after another, if any.
        overlap: The least share of a tile that the next one has too.
    """

    def __init__(self, file: str, config: str | None = None, amp: bool = False,
                 tiles: int | None = None, overlap: float = OVERLAP) -> None:
        super().__init__()
        self.detector = Detector(file, config, amp=amp)
        if tiles:
            self.detector = TiledDetector(self.detector, tiles, overlap)

    def forward(self, inputs: list[torch.Tensor], data_samples: list,
                mode: str = 'predict') -> list:
        """Detections, as ``pred_instances`` of the samples.

        Args:
            inputs: (3, H, W) uint8 images, BGR.
            data_samples: Their samples.
            mode: Always ``'predict'``.
        """
        found = self.detector.detect(
            [image.cpu().permute(1, 2, 0).numpy() for image in inputs])
        for sample, each in zip(data_samples, found, strict=True):
            sample.pred_instances = InstanceData(**{
                name: torch.from_numpy(part) for name, part in (
                    ('bboxes', each.boxes), ('scores', each.scores),
                    ('labels', each.labels))})
        return data_samples
