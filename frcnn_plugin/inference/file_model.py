"""Detectors as ``frcnn detect`` uses them, in mmengine's test loop."""

from typing import Any

import torch
from mmengine.model import BaseModel
from mmengine.structures import InstanceData

from ..datasets.tiles import OVERLAP
from ..registry import MODELS
from .detector import Detector
from .tiled_detector import TiledDetector
from .torch_detector import ModelDetector


class DetectorModel(BaseModel):
    """Gives whole pictures, as they are in their files, to a :class:`Detector`.

    Args:
        tiles: The size of tiles that it looks at one after another, if any.
        overlap: The least share of a tile that the next one has too.
    """

    def __init__(self, tiles: int | None = None, overlap: float = OVERLAP) -> None:
        super().__init__()
        self.tiles, self.overlap = tiles, overlap

    def use(self, detector: Detector) -> None:
        """Set the detector."""
        self.detector = detector if self.tiles is None else TiledDetector(
            detector, self.tiles, self.overlap)

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


@MODELS.register_module()
class FileModel(DetectorModel):
    """A file of ``frcnn export``, to be measured as it will be used.

    Args:
        file: The ``.xml`` or ``.onnx``.
        amp: Whether it computes in bfloat16.
        **tiles: The arguments of :class:`DetectorModel`.
    """

    def __init__(self, file: str, amp: bool = False, **tiles: Any) -> None:
        super().__init__(**tiles)
        from .file_detector import FileDetector  # OpenVINO may not be there

        self.use(FileDetector(file, amp=amp))


@MODELS.register_module()
class TiledModel(DetectorModel):
    """A detector of a config that looks at tiles.

    Args:
        module: The detector, or its config.
        pipeline: What its pictures go through.
        **tiles: The arguments of :class:`DetectorModel`.
    """

    def __init__(self, module: dict, pipeline: list[dict], **tiles: Any) -> None:
        super().__init__(**tiles)
        self.module = MODELS.build(module)
        self.use(ModelDetector(self.module, pipeline))
