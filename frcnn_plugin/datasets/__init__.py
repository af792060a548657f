"""Data sets in the layouts of PASCAL VOC and COCO, as training reads them."""

from .coco_folder import CocoFolder
from .voc_folder import VOCFolder

__all__ = ['CocoFolder', 'VOCFolder']
