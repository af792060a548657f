"""Faster R-CNN as a plugin package of the mmengine / mmdet ecosystem.

Importing it makes stock mmdet importable where mmcv has no compiled operators, and
registers every component as ``frcnn_plugin.NAME``::

    custom_imports = dict(imports=['frcnn_plugin'])
"""

from importlib import import_module

from .startup import only_prints_help
from .version import __version__

if not only_prints_help():
    from .compat import make_ready

    make_ready()
    for room in ('accelerate', 'backbones', 'datasets', 'detectors', 'engine',
                 'evaluation', 'report', 'roi', 'rpn', 'visualization'):
        import_module(f'{__name__}.{room}')

    from .inference import Detector, Prediction

__all__ = ['Detector', 'Prediction', '__version__']
