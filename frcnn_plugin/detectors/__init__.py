"""The two stages as one model."""

from .faster_rcnn import FasterRCNN

__all__ = ['FasterRCNN']
