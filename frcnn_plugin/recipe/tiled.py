"""Pictures as the tiles that a detector is trained on."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from mmengine.config import Config

from ..datasets.tiles import VISIBLE, cut, tiles_of
from ..prepare.voc_writer import Picture

EDGES = np.array([0, 0, 1, 1])  # from the last pixels of a box to its edges


def tiles_with_boxes(pictures: Sequence[Picture], side: int) -> list[Picture]:
    """The tiles that show objects, as :class:`TiledDataset` has them."""
    found = []
    for picture in pictures:
        boxes = np.array([item.bbox for item in picture.objects], float)
        boxes = boxes.reshape(-1, 4) + EDGES
        for tile in tiles_of(picture.height, picture.width, side):
            seen, shares = cut(boxes, tile)
            objects = [
                replace(item, bbox=tuple(box),
                        difficult=item.difficult or share < VISIBLE)
                for item, box, share in zip(picture.objects, (seen - EDGES).tolist(),
                                            shares.tolist(), strict=True) if share > 0]
            if any(not item.difficult for item in objects):
                width, height = (tile[2:] - tile[:2]).tolist()
                found.append(replace(picture, width=width, height=height,
                                     objects=objects))
    return found


def cut_into_tiles(cfg: Config, side: int) -> None:
    """Train and validate on tiles; a test takes pictures, and looks at their tiles."""
    cfg.tiles = side
    for name in ('train', 'val'):
        if loader := cfg[f'{name}_dataloader']:
            read, *steps, pack = loader.dataset.pipeline
            if name == 'val':  # a report shows where in the picture it was
                pack = {**pack, 'meta_keys': (*pack['meta_keys'], 'tile')}
            loader.dataset = dict(
                type='TiledDataset', size=side, empty=name == 'val',
                pipeline=[{**read, 'type': 'LoadTile'}, *steps, pack],
                dataset={**loader.dataset, 'pipeline': []})
