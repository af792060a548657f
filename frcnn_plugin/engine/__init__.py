"""What runs around the model: metrics and hooks."""

from .pictures_hook import PicturesHook
from .voc_metric import VOCMetric

__all__ = ['PicturesHook', 'VOCMetric']
