"""Detecting in any number of pictures: memory does not grow with it, nothing is lost.

``sources`` lists pictures one after another, ``Detection`` makes a line of each,
``Results`` keeps the lines, and ``Share`` divides the work among processes.
"""

from .detection import Detection
from .results import Results
from .shares import Share
from .sources import Source, batches, sources

__all__ = ['Detection', 'Results', 'Share', 'Source', 'batches', 'sources']
