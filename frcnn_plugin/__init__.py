"""Faster R-CNN as a plugin package of the mmengine / mmdet ecosystem.

Importing it makes stock mmdet importable where mmcv has no compiled operators, and
registers every component as ``frcnn_plugin.NAME``::

    custom_imports = dict(imports=['frcnn_plugin'])
"""

from .compat import make_ready

make_ready()

from . import (
    accelerate,
    backbones,
    datasets,
    detectors,
    engine,
    evaluation,
    report,
    roi,
    rpn,
    visualization,
)
from .inference import Detections, Detector
from .version import __version__

__all__ = ['Detections', 'Detector', '__version__', 'accelerate', 'backbones',
           'datasets', 'detectors', 'engine', 'evaluation', 'report', 'roi', 'rpn',
           'visualization']
