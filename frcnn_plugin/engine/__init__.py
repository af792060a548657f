"""What runs around the model: metrics, hooks and loops."""

from .voc_metric import VOCMetric

__all__ = ['VOCMetric']
