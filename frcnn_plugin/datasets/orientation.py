"""Pictures that are stored turned, and which way round their boxes are.

Phones store a picture as the sensor saw it, with an EXIF tag that says how it has to be
turned. Viewers turn it, and so does training: that is the *upright* picture. Some
labelling tools do not: their boxes are of the *stored* picture, and training would
look for the objects in other places. What tells the two apart is the size that the
annotation states, and where the boxes fit.

Source: EXIF (CIPA DC-008), tag 274, Orientation.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from ..errors import DataError

TAG = 274  # of EXIF
FRAMES = ('upright', 'stored')
TURNED_WHEN_READ = ('JPEG', 'MPO', 'PNG', 'WEBP')  # formats whose tag OpenCV follows
ROUNDING = 0.02  # of a side, by which stated sizes may be off
SLACK = 1.5  # pixels by which a box may leave its picture and still fit

Edges = tuple[float, float, float, float]


class PictureSize(NamedTuple):
    """How large a picture is, and which way round it is stored.

    Attributes:
        width: Of the stored picture, in pixels.
        height: Likewise.
        orientation: The EXIF tag, 1 to 8; 1 is upright, 5 to 8 swap the sides.
    """

    width: int
    height: int
    orientation: int = 1

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height of the upright picture."""
        width, height, orientation = self
        return (height, width) if orientation >= 5 else (width, height)


def read_size(path: Path) -> PictureSize:
    """The size of a picture, from its header.

    Raises:
        DataError: If it cannot be opened as a picture.
    """
    try:
        with Image.open(path) as image:
            return size_of(image)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError,
            SyntaxError) as error:
        reason = 'a Git-LFS pointer, the picture itself was not fetched (git lfs pull)'
        raise DataError(f'{path}: not a readable image ('
                        f'{reason if is_lfs_pointer(path) else error})') from error


def size_of(image: Image.Image) -> PictureSize:
    """The size of an open picture."""
    if image.format not in TURNED_WHEN_READ or (
            # a tag after the pixels would need all of them decoded
            image.format == 'PNG' and 'exif' not in image.info):
        return PictureSize(*image.size)
    orientation = orientation_of(image)
    return PictureSize(*image.size, orientation if orientation in range(1, 9) else 1)


def orientation_of(image: Image.Image) -> int:
    """The tag in EXIF, or 1. Pillow's own function reads XMP too; OpenCV does not."""
    exif = Image.Exif()
    try:
        exif.load(image.info.get('exif') or b'')
        return exif.get(TAG, 1)
    except Exception:  # what is damaged says nothing, as to OpenCV
        return 1


def is_lfs_pointer(path: Path) -> bool:
    """Whether a file only says where Git LFS keeps the real one."""
    try:
        with open(path, 'rb') as file:
            return file.read(24) == b'version https://git-lfs.'
    except OSError:
        return False


def frame_of(size: PictureSize, stated: tuple[int, int] | None,
             boxes: Iterable[Edges]) -> str | None:
    """Which picture boxes are of.

    Args:
        size: Of the picture.
        stated: Width and height that the annotation gives, if it does.
        boxes: (x1, y1, x2, y2) between edges of pixels.

    Returns:
        str: ``'upright'`` or ``'stored'``; None if nothing tells them apart, or the
        stated size and the boxes contradict each other.
    """
    if size.orientation == 1:
        return 'upright'
    boxes = list(boxes)
    if not boxes:
        return 'upright'
    fits = {'upright': fit(boxes, size.upright), 'stored': fit(boxes, size[:2])}
    only = [frame for frame in FRAMES if fits[frame] and not all(fits.values())]
    if stated and size.upright != size[:2]:
        sizes = {size.upright: 'upright', size[:2]: 'stored'}
        frame = sizes.get(tuple(stated))
        if frame:
            return None if only and only != [frame] else frame
    return only[0] if only else None


def place(size: PictureSize, stated: tuple[int, int] | None, boxes: list[Edges],
          frame: str | None = None, strict: bool = False
          ) -> tuple[list[Edges] | None, str]:
    """Boxes of an annotation as boxes of the upright picture.

    Args:
        size: Of the picture.
        stated: Width and height that the annotation gives, if it does.
        boxes: (x1, y1, x2, y2) between edges of pixels.
        frame: ``'upright'`` or ``'stored'`` if it is known which picture they are of.
        strict: Whether boxes are refused whose annotation states the size of another
            picture, although they would fit this one.

    Returns:
        tuple: The boxes in the same order, or None if it cannot be decided where they
        are; and a note on what was changed or is unknown, empty if there is nothing.
    """
    note = ''
    if stated and stated not in (size.upright, size[:2]):
        note = 'says {}x{}, the image is {}x{}'.format(*stated, *size.upright)
        sides = [each for each in (size.upright, size[:2])
                 if abs(stated[0] * each[1] - stated[1] * each[0]) <= 0.01 * (
                     stated[0] * each[1])]
        here = any(fit(boxes, each) for each in (size.upright, size[:2]))
        there = fit(boxes, stated, max(SLACK, ROUNDING * max(stated)))
        if sides and there and not here:
            factor = sides[0][0] / stated[0]
            boxes = [tuple(factor * value for value in box) for box in boxes]
            note += '; its boxes are scaled to it'
            stated = sides[0]
        elif strict and boxes and frame is None and there >= here and not any(
                near(stated, each) for each in (size.upright, size[:2])):
            return None, f'{note}; its boxes may be those of another picture'
    frame = frame or frame_of(size, stated, boxes)
    if frame == 'stored':
        boxes = [to_upright(box, size) for box in boxes]
        note = ('has the boxes of the picture as it is stored, '
                f'{size.width}x{size.height}; they are turned with it '
                f'(EXIF orientation {size.orientation})')
    elif frame is None:
        return None, ('cannot tell whether the boxes are of the picture as it is '
                      f'stored, {size.width}x{size.height}, or as it is shown, turned '
                      f'by its EXIF orientation {size.orientation}')
    return boxes, note


def near(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two sizes are equal but for a rounding."""
    return all(abs(a - b) <= ROUNDING * b for a, b in zip(one, other, strict=True))


def fit(boxes: Iterable[Edges], size: tuple[int, int], slack: float = SLACK) -> bool:
    """Whether all boxes lie on a picture of (width, height), but for some pixels."""
    width, height = size
    return all(x1 >= -slack and y1 >= -slack and x2 <= width + slack
               and y2 <= height + slack for x1, y1, x2, y2 in boxes)


def to_upright(edges: Edges, size: PictureSize) -> Edges:
    """A box of the stored picture in the upright one.

    Args:
        edges: (x1, y1, x2, y2) between edges of pixels.
        size: Of the picture.
    """
    (width, height, orientation), (x1, y1, x2, y2) = size, edges
    if orientation >= 5:  # as if mirrored about the diagonal
        x1, y1, x2, y2, width, height = y1, x1, y2, x2, height, width
    if orientation in (2, 3, 6, 7):
        x1, x2 = width - x2, width - x1
    if orientation in (3, 4, 7, 8):
        y1, y2 = height - y2, height - y1
    return x1, y1, x2, y2
