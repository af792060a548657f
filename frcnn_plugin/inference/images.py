"""Pictures read and resized with NumPy and Pillow alone."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from ..datasets.orientation import orientation_of
from ..errors import CannotWriteError, DataError

Picture = str | Path | bytes | Image.Image | np.ndarray
ONE = 2**11  # of a weight, in the whole numbers that OpenCV resizes with
TURNS = dict(enumerate((
    Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_180,
    Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270, Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90), start=2))  # that make a picture upright


def read_image(image: Picture) -> np.ndarray:
    """An image from a path, bytes, a PIL image, or an array, which stays as it is.

    Pixels are those that OpenCV reads. A file that is stored turned comes back upright;
    a PIL image stays as it is, whatever its EXIF says.

    Returns:
        np.ndarray: (H, W, 3) uint8, BGR.

    Raises:
        DataError: If it is not an image.
    """
    if isinstance(image, np.ndarray):
        if image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3:
            return image
        what = f'an array of {image.dtype} {image.shape}'
    elif isinstance(image, Image.Image):
        return _in_bgr(image)
    elif isinstance(image, str | Path | bytes):
        name = 'in memory' if isinstance(image, bytes) else image
        if not (isinstance(image, bytes) or Path(image).is_file()):
            raise DataError(f'{name}: no such image')
        try:
            with Image.open(BytesIO(image) if isinstance(image, bytes) else image
                            ) as found:
                return _in_bgr(_upright(found))
        except UnidentifiedImageError as error:
            raise DataError(f'{name}: not a readable image') from error
        except Exception as error:  # of Pillow's many plug-ins
            raise DataError(f'{name}: not a readable image ({error})') from error
    else:
        what = f'a {type(image).__name__}'
    raise DataError('an image is a path, bytes, a PIL image or a uint8 array '
                    f'(H, W, 3), not {what}')


def write_image(path: Path, image: np.ndarray) -> None:
    """Write (H, W, 3) uint8, BGR; the folder is made if need be.

    Raises:
        CannotWriteError: If it cannot be written.
    """
    picture = Image.fromarray(np.ascontiguousarray(image[..., ::-1]))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, quality=95)
    except OSError as error:
        raise CannotWriteError(
            f'{path}: cannot be written ({error.strerror or error})') from error
    except (ValueError, KeyError) as error:  # of a suffix, or a suffix of another kind
        raise CannotWriteError(f'{path}: no picture can be written under a name with '
                               'this ending') from error


def _upright(image: Image.Image) -> Image.Image:
    image.load()  # Pillow turns a TIFF while it loads, and then forgets the tag
    turn = TURNS.get(orientation_of(image))
    return image if turn is None else image.transpose(turn)


def _in_bgr(image: Image.Image) -> np.ndarray:
    if image.mode.startswith('I;16'):
        grey = (np.asarray(image) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    return np.ascontiguousarray(np.asarray(image.convert('RGB'))[..., ::-1])


def resized_shape(height: int, width: int, resize: dict) -> tuple[int, int]:
    """Height and width after mmdet's ``Resize`` with these settings.

    Args:
        resize: ``scale`` (two sides) and ``keep_ratio``, or ``scale_factor``; or
            nothing.
    """
    if resize.get('scale_factor'):
        across, down = np.broadcast_to(resize['scale_factor'], 2)
    elif not resize:
        return height, width
    elif resize['keep_ratio']:
        small, large = sorted(resize['scale'])
        across = down = min(large / max(height, width), small / min(height, width))
    else:
        return tuple(resize['scale'][::-1])
    return max(1, int(height * down + 0.5)), max(1, int(width * across + 0.5))


def resize_image(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize (H, W, 3) uint8, within one grey level of OpenCV's ``INTER_LINEAR``."""
    (top, bottom, up, down), (left, right, near, far) = (
        _taps(new, old) for new, old in zip((height, width), image.shape, strict=False))
    used = np.unique(np.concatenate([top, bottom]))  # rows
    rows = image[used].astype(np.int32)
    rows = (rows[:, left] * near[:, None] + rows[:, right] * far[:, None]) >> 4
    first, second = (rows[np.searchsorted(used, part)] for part in (top, bottom))
    up, down = up[:, None, None], down[:, None, None]
    return (((first * up >> 16) + (second * down >> 16) + 2) >> 2).astype(np.uint8)


def _taps(new: int, old: int) -> tuple[np.ndarray, ...]:
    """The two pixels of the old side that each of the new one is made of; weights."""
    place = ((np.arange(new) + 0.5) * (old / new) - 0.5).clip(0, old - 1)
    first = place.astype(np.int64)
    rest = (place - first).astype(np.float32)
    return (first, np.minimum(first + 1, old - 1),
            *(np.rint(part * ONE).astype(np.int32) for part in (1 - rest, rest)))
