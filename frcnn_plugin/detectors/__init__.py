"""The two stages as one model."""

from .dense import DenseDetector, DenseLosses
from .faster_rcnn import FasterRCNN
from .for_inference import for_inference
from .for_training import for_training

__all__ = ['DenseDetector', 'DenseLosses', 'FasterRCNN', 'for_inference',
           'for_training']
