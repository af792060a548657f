"""Faster R-CNN as a plugin package of the mmengine / mmdet ecosystem.

Importing it makes stock mmdet importable where mmcv has no compiled operators, and all
components known to mmengine as ``frcnn_plugin.NAME``::

    custom_imports = dict(imports=['frcnn_plugin'])

It imports nothing that takes long: a component is imported when a registry is asked for
it (``registry.py``), ``Detector`` when it is used.
"""

from typing import TYPE_CHECKING

import lazy_loader

from .compat import make_ready
from .version import __version__

if TYPE_CHECKING:
    from .inference import Detector, Prediction

make_ready()
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__, submod_attrs={'inference': ['Detector', 'Prediction']}, submodules=[
        'accelerate', 'backbones', 'datasets', 'detectors', 'engine', 'evaluation',
        'inference', 'registry', 'report', 'roi', 'rpn', 'visualization'])

__all__ = ['Detector', 'Prediction', '__version__']
