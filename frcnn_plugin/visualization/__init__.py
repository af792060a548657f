"""Pictures."""

from .pictures_hook import PicturesHook

__all__ = ['PicturesHook']
