"""Folders in the layout of PASCAL VOC, and the generated shapes of the demo."""

from .voc_folder import VOCFolder

__all__ = ['VOCFolder']
