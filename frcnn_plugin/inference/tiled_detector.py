"""A detector that looks at a picture tile by tile, and at all of it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..datasets.tiles import OVERLAP, check_tiles, tiles_of
from ..io.large_image import LargeImage, is_large
from .detector import Detector
from .images import Picture
from .merge_tiles import merge
from .prediction import Prediction

WHOLE = 4096  # pixels of the longer side at which all of a large TIFF is looked at


class TiledDetector(Detector):
    """Finds objects that are too small for a detector that shrinks the picture.

    It detects in each tile as if that were a picture, and also in the whole picture,
    since an object may be larger than a tile. A picture no larger than a tile is taken
    as it is.

    Args:
        detector: What detects.
        size: Of a tile, in pixels of the picture.
        overlap: The least share of a tile that the next one has too.
        batch_size: Tiles at once.

    Raises:
        UserError: If there can be no such tiles.
    """

    def __init__(self, detector: Detector, size: int, overlap: float = OVERLAP,
                 batch_size: int = 4) -> None:
        check_tiles(size, overlap)
        self.detector, self.size, self.overlap = detector, size, overlap
        self.batch_size, self.classes = batch_size, detector.classes
        self.operating_points = detector.operating_points
        self.thresholds = detector.thresholds
        if self.operating_points:
            self._points = detector._points

    def read(self, image: Picture) -> np.ndarray | LargeImage:  # type: ignore[override]
        """As all detectors do; of a large TIFF only the tiles are read, one by one."""
        if isinstance(image, str | Path) and is_large(image):
            return LargeImage(image)
        return super().read(image)

    def detect(self, images: Sequence[np.ndarray | LargeImage]) -> list[Prediction]:
        """What is in (H, W, 3) uint8 images, BGR."""
        return [self.detect_in_one(image) for image in images]

    def detect_in_one(self, image: np.ndarray | LargeImage) -> Prediction:
        """What is in one of them."""
        height, width = image.shape[:2]
        tiles = tiles_of(height, width, self.size, self.overlap)
        if len(tiles) == 1:
            return self.detector.detect([image[0:height, 0:width]])[0]
        found: list[Prediction] = []
        for start in range(0, len(tiles), self.batch_size):
            found += self.detector.detect([
                np.ascontiguousarray(image[y1:y2, x1:x2])
                for x1, y1, x2, y2 in tiles[start:start + self.batch_size]])
        whole = image.reduced(WHOLE) if isinstance(image, LargeImage) else image
        found += self.detector.detect([whole])
        tiles = np.concatenate([tiles, [[0, 0, width, height]]])
        tile = np.repeat(np.arange(len(tiles)), [len(each) for each in found])
        boxes, scores, labels = (np.concatenate([getattr(each, name) for each in found])
                                 for name in ('boxes', 'scores', 'labels'))
        boxes[tile == len(tiles) - 1] *= np.array([
            width / whole.shape[1], height / whole.shape[0]] * 2, np.float32)
        boxes += np.tile(tiles[tile, :2], 2).astype(np.float32)
        return self.prediction(
            *merge(boxes, scores, labels, tile, tiles, height, width))
