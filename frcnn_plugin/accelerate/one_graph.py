"""All of inference as one CUDA graph, by ``torch.compile``."""

import threading
from types import MethodType

import torch
from torch import Tensor, nn

from ..roi.roi_head import RoIHead
from ..roi.roi_pool_extractor import RoIPoolExtractor
from ..rpn.rpn_head import RPNHead
from ..structures import Detections, Proposals

FREEZING = dict(freezing=True)
ONE_GRAPH = {**FREEZING, 'triton.cudagraphs': True}  # a GPU is told all of it at once


class OneGraph:
    """Takes the place of the ``detect`` of one detector, on a GPU.

    Each shape of the images gets its own graph. CUDA graphs run in the main thread
    only; other threads, and calls with given proposals, use the plain ``detect``.
    Results are copies, which later calls do not overwrite.

    Args:
        detector: A ``FasterRCNN`` in evaluation mode.
    """

    def __init__(self, detector: nn.Module) -> None:
        self.detector = detector
        self.plain = MethodType(type(detector).detect, detector)
        self.graph = torch.compile(self.plain, options=ONE_GRAPH)

    @staticmethod
    def fits(detector: nn.Module) -> bool:
        """Whether it is on a GPU and has our heads, whose shapes are static."""
        head = getattr(detector, 'roi_head', None)
        return (hasattr(detector, 'detect')
                and isinstance(getattr(detector, 'rpn_head', None), RPNHead)
                and isinstance(head, RoIHead)
                and isinstance(head.bbox_roi_extractor, RoIPoolExtractor)
                and next(detector.parameters()).device.type == 'cuda')

    def __call__(self, images: Tensor, image_sizes: Tensor,
                 proposals: Proposals | None = None) -> Detections:
        """See ``FasterRCNN.detect``."""
        if proposals is not None or (
                threading.current_thread() is not threading.main_thread()):
            return self.plain(images, image_sizes, proposals)
        with torch.inference_mode(False), torch.no_grad():
            found = self.graph(images.clone(), image_sizes.clone())
            return Detections(*(value.clone() for value in found))

    def __reduce__(self) -> tuple:
        """A copy of the detector compiles its own."""
        return type(self), (self.detector,)
