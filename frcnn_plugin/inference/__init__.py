"""A trained detector for programs that only want detections."""

from .detector import Detections, Detector

__all__ = ['Detections', 'Detector']
