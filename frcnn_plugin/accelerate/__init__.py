"""What is there for speed alone, put on a finished detector from outside."""

from .inference import for_inference
from .training import for_training

__all__ = ['for_inference', 'for_training']
