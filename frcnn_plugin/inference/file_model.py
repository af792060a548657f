"""An exported detector in mmengine's test loop."""

import torch
from mmengine.model import BaseModel
from mmengine.structures import InstanceData

from ..registry import MODELS


@MODELS.register_module()
class FileModel(BaseModel):
    """A file of ``frcnn export``, to be measured as it will be used.

    Its data come as they are in their files: the exported detector resizes them.

    Args:
        file: The ``.xml`` or ``.onnx``.
        amp: Whether it computes in bfloat16.
    """

    def __init__(self, file: str, amp: bool = False) -> None:
        super().__init__()
        from .file_detector import FileDetector  # OpenVINO may not be there

        self.detector = FileDetector(file, amp=amp)

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
