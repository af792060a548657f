"""A trained detector for programs that only want detections."""

from .detector import Detector
from .prediction import Prediction

__all__ = ['Detector', 'Prediction']
