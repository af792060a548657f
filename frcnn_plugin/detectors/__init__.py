"""The two stages as one model."""

from .dense import DenseDetector, DenseLosses
from .faster_rcnn import FasterRCNN
from .for_inference import for_inference

__all__ = ['DenseDetector', 'DenseLosses', 'FasterRCNN', 'for_inference']
