"""The two stages as one model."""

from .dense import DenseDetector, DenseLosses
from .faster_rcnn import FasterRCNN

__all__ = ['DenseDetector', 'DenseLosses', 'FasterRCNN']
