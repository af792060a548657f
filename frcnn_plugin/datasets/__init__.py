"""Data sets in the layouts of PASCAL VOC and COCO, as training reads them.

The functions that read their files import neither torch nor mmdet; the registered
classes do, and are imported when they are used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={
        'coco_folder': ['CocoFolder'], 'tiled_dataset': ['TiledDataset'],
        'voc_folder': ['VOCFolder']})
