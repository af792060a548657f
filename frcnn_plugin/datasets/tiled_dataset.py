"""Training on tiles of pictures that are larger than a network's input."""

import copy

import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmdet.datasets import BaseDetDataset
from mmengine.dataset import BaseDataset

from ..errors import SettingError
from ..io.large_image import LargeImage, is_large
from ..registry import DATASETS, TRANSFORMS
from .reports import warn
from .tiles import OVERLAP, VISIBLE, check_tiles, cut, tiles_of


@DATASETS.register_module()
class TiledDataset(BaseDetDataset):
    """The tiles of another data set's pictures, each as one picture.

    An object that a tile cuts is clipped to the tile. Where too little of it shows, it
    is ignored in that tile, as difficult objects are.

    The pipeline begins with ``LoadTile``::

        dataset=dict(type='TiledDataset', size=640, pipeline=[
            dict(type='LoadTile'), dict(type='LoadAnnotations', with_bbox=True), ...],
            dataset=dict(type='VOCFolder', data_root=..., pipeline=[]))

    Args:
        dataset: The data set of whole pictures, or its config.
        size: Of a tile in pixels of the picture.
        pipeline: What is done with a tile.
        overlap: The least share of a tile that the next one has too.
        visible: The least share of an object that a tile has to show, or else the
            object is ignored there.
        empty: Whether to keep tiles that show no object, or only ignored ones.

    Raises:
        UserError: If there can be no tiles of this size and overlap.
    """

    def __init__(self, dataset: BaseDataset | dict, size: int, pipeline: list,
                 overlap: float = OVERLAP, visible: float = VISIBLE,
                 empty: bool = False) -> None:
        check_tiles(size, overlap)
        self.dataset = (DATASETS.build(dataset) if isinstance(dataset, dict)
                        else dataset)
        self.size, self.overlap = size, overlap
        self.visible, self.empty = visible, empty
        super().__init__(metainfo=self.dataset.metainfo, pipeline=pipeline,
                         serialize_data=True)

    def load_data_list(self) -> list[dict]:
        """One entry for each tile.

        Returns:
            list[dict]: That of its picture with ``tile``, (4,) x1, y1, x2, y2, and with
            ``instances``, ``height`` and ``width`` of the tile.
        """
        self.dataset.full_init()
        self.unseen = 0  # objects of which no tile shows enough
        tiles = [tile for index in range(len(self.dataset))
                 for tile in self.tiles_of_picture(self.dataset.get_data_info(index))]
        kept = [tile for tile in tiles if self.empty or not all(
            each['ignore_flag'] for each in tile['instances'])]
        warn(f'{len(self.dataset)} pictures have {len(tiles)} tiles; '
             f'{len(tiles) - len(kept)} without objects are left out')
        if self.unseen:
            warn(f'{self.unseen} objects are too large: no tile shows {self.visible:g} '
                 'of them, so that they are not learned')
        return kept

    def tiles_of_picture(self, info: dict) -> list[dict]:
        """The entries of one picture.

        Raises:
            SettingError: If it has proposals, which are of the whole picture.
        """
        if 'proposals' in info:
            raise SettingError('proposals from a file are of whole pictures, not of '
                               'their tiles')
        best = np.zeros(len(info['instances']))
        boxes = np.array([each['bbox'] for each in info['instances']], np.float64)
        boxes = boxes.reshape(-1, 4)
        entries = []
        for tile in tiles_of(info['height'], info['width'], self.size, self.overlap):
            seen, shares = cut(boxes, tile)
            best = np.maximum(best, shares)
            instances = []
            for place in np.flatnonzero(shares > 0):
                instance = copy.copy(info['instances'][place])
                instance['bbox'] = seen[place].tolist()
                if shares[place] < self.visible:
                    instance['ignore_flag'] = 1
                instances.append(instance)
            entries.append({**info, 'instances': instances, 'tile': tile.tolist(),
                            'height': int(tile[3] - tile[1]),
                            'width': int(tile[2] - tile[0])})
        self.unseen += int((best < self.visible).sum())
        return entries


@TRANSFORMS.register_module()
class LoadTile(LoadImageFromFile):
    """mmcv's ``LoadImageFromFile`` for a tile; of a large TIFF only the tile is read.

    The last picture is cached, since a validation reads its tiles one after another.
    """

    last: tuple[str, np.ndarray] | None = None  # the file, and what is in it

    def transform(self, results: dict) -> dict:
        """Add ``img``, (H, W, 3) uint8 of the tile, ``img_shape`` and ``ori_shape``."""
        x1, y1, x2, y2 = results['tile']
        if is_large(results['img_path']):
            image = LargeImage(results['img_path'])[y1:y2, x1:x2]
        else:
            if self.last is None or self.last[0] != results['img_path']:
                self.last = None  # two would be in memory
                self.last = (results['img_path'], super().transform(results)['img'])
            image = self.last[1][y1:y2, x1:x2].copy()
        results.update(img=image, img_shape=image.shape[:2], ori_shape=image.shape[:2])
        return results
