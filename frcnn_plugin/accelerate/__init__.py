"""All that is there for speed alone, put on a finished detector from outside.

Each part is a module or a function that does the same as a plain one of the core, equal
to it in a test, and takes its place in one detector. Without any of it everything runs,
plain and slow.
"""

from .inference import for_inference
from .training import AccelerateHook, for_training

__all__ = ['AccelerateHook', 'for_inference', 'for_training']
