"""What a program uses that only wants detections."""

from .detector import Detections, Detector

__all__ = ['Detections', 'Detector']
