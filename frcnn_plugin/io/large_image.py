"""Large pictures: how large they may be, and TIFFs of which only parts are read."""

import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from ..errors import DataError

MOST_PIXELS = 2**30  # of a picture, as OpenCV has it
LARGE = 2**26  # pixels, from which on a TIFF is not read as a whole
SUFFIXES = ('.tif', '.tiff')
MODES = ('L', 'RGB', 'RGBA')  # of Pillow, in which a sample is a byte
BITS, PHOTOMETRIC, ORIENTATION, EXTRA = 258, 262, 274, 338  # tags
PLAIN = (1, 2, 6)  # of PHOTOMETRIC: zero is black, RGB, YCbCr
MULTIPLIED = 1  # of EXTRA: colours are multiplied by alpha
CACHE = 64  # MiB of blocks that GDAL keeps


def allow_large_pictures() -> None:
    """Let Pillow read pictures of :data:`MOST_PIXELS` in this process.

    It warns of larger ones, and refuses those of twice as many.
    """
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS


class LargeImage:
    """Stands in for an array (H, W, 3) uint8, BGR: slices of it are read by rasterio.

    Args:
        path: A TIFF for which :func:`is_large` is true.

    Attributes:
        shape: Height, width and 3.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        with TiffImageFile(path) as image:
            self.shape = (image.height, image.width, 3)

    def __getitem__(self, place: tuple[slice, slice]) -> np.ndarray:
        """(h, w, 3) uint8, for a slice of rows and one of columns, both with ends."""
        rows, columns = place
        return self.read(((rows.start, rows.stop), (columns.start, columns.stop)))

    def reduced(self, longest: int) -> np.ndarray:
        """All of it, (h, w, 3) uint8, with a longer side of at most ``longest``."""
        factor = min(1, longest / max(self.shape[:2]))
        return self.read(None, [max(1, round(side * factor))
                                for side in self.shape[:2]])

    def read(self, window: tuple | None, size: list[int] | None = None) -> np.ndarray:
        """(h, w, 3) uint8, BGR: a part of the picture.

        Args:
            window: ((y1, y2), (x1, x2)) in pixels; None: all of it.
            size: Height and width to resize it to. Default: as it is.

        Raises:
            DataError: If it cannot be read.
        """
        import rasterio
        from rasterio.enums import Resampling
        from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

        with warnings.catch_warnings(), rasterio.Env(GDAL_CACHEMAX=CACHE):
            warnings.simplefilter('ignore', NotGeoreferencedWarning)
            try:
                with rasterio.open(self.path) as file:
                    bands = [3, 2, 1] if file.count >= 3 else [1, 1, 1]
                    pixels = file.read(bands, window=window, out_shape=(
                        size and (3, *size)), resampling=Resampling.average)
            except RasterioIOError as error:
                raise DataError(f'{self.path}: not a readable image ({error})'
                                ) from error
        return np.ascontiguousarray(pixels.transpose(1, 2, 0))


def is_large(path: str | Path) -> bool:
    """Whether it is a TIFF too large to be read at once, and rasterio is there.

    A picture that is stored turned, or with other samples than plain bytes, is read at
    once.
    """
    if not str(path).lower().endswith(SUFFIXES) or find_spec('rasterio') is None:
        return False
    try:
        with TiffImageFile(path) as image:  # Image.open refuses the largest
            tags = image.tag_v2
            return (image.width * image.height > LARGE and image.mode in MODES
                    and set(tags.get(BITS, (1,))) == {8}
                    and tags.get(PHOTOMETRIC) in PLAIN
                    and MULTIPLIED not in tags.get(EXTRA, ())
                    and tags.get(ORIENTATION, 1) == 1)
    except Exception:  # who reads it says what is wrong with it
        return False
