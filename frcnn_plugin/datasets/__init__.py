"""Folders in the layouts of PASCAL VOC and COCO, and the shapes of the demo."""

from .coco_folder import CocoFolder
from .voc_folder import VOCFolder

__all__ = ['CocoFolder', 'VOCFolder']
