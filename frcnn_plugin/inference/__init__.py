"""A trained detector for programs that only want detections."""

from .detector import Detector, Prediction

__all__ = ['Detector', 'Prediction']
