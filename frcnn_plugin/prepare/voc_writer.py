"""Writes data sets in the layout of PASCAL VOC, from any other layout."""

import filecmp
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from ..datasets.voc_annotation import VOCObject
from ..datasets.voc_layout import IMAGE_SUFFIXES, is_image
from ..errors import DataError, OutputExistsError

DECIMALS = 4  # of a coordinate in a file


@dataclass
class Picture:
    """One picture of a data set in any layout.

    Attributes:
        name: Its name, without suffix, relative to the folder of all pictures.
        image: The file.
        width: In pixels.
        height: In pixels.
        objects: Its boxes.
        split: The split that the data set puts it in, if any.
        source: The annotation file that the boxes come from, if any.
        turned: Whether the picture is stored turned; its boxes are of the upright one.
        moved: Whether the boxes are not where the annotation has them.
    """

    name: str
    image: Path
    width: int
    height: int
    objects: list[VOCObject] = field(default_factory=list)
    split: str | None = None
    source: Path | None = None
    turned: bool = False
    moved: bool = False


def bbox_of_edges(edges: Iterable[float],
                  size: tuple[int, int]) -> tuple[float, float, float, float]:
    """A box between edges of pixels, in the convention of :class:`VOCObject`.

    Args:
        edges: (x1, y1, x2, y2) in pixels of the image, whose own edges are 0, 0, W, H;
            what lies outside it is cut off.
        size: (W, H) of the image.

    Raises:
        ValueError: If the box is no more than a pixel wide or high, so that its corners
            would be the same pixel: an annotation that every reader takes for broken.
    """
    x1, y1, x2, y2 = (round(min(max(float(value), 0), side), DECIMALS)
                      for value, side in zip(edges, (*size, *size), strict=True))
    if x2 - 1 <= x1 or y2 - 1 <= y1:
        raise ValueError(f'degenerate box, {x2 - x1:g} x {y2 - y1:g} pixels; VOC needs '
                         'more than one in each direction')
    return x1, y1, x2 - 1, y2 - 1


def write_picture(root: Path, picture: Picture, copy: bool = False) -> None:
    """Add a picture and its annotation to a folder in VOC layout.

    Args:
        root: The folder.
        picture: What to add.
        copy: Whether to copy the file instead of linking it.

    Raises:
        OutputExistsError: If there is another picture of that name.
        DataError: If files with its suffix are not read.
    """
    suffix = picture.image.suffix
    if not is_image(picture.image):
        raise DataError(f'{picture.image}: pictures are read from '
                        f'{", ".join(IMAGE_SUFFIXES)}; convert it to one of them')
    base = root / 'JPEGImages' / picture.name
    target = base.with_name(f'{base.name}{suffix}')
    for other in (base.with_name(f'{base.name}{each}') for each in IMAGE_SUFFIXES):
        if other != target and os.path.lexists(other):
            raise OutputExistsError(f'{picture.image}: {other} exists already and is '
                                    'another picture')
    place_file(picture.image, target, copy)
    path = root / 'Annotations' / f'{picture.name}.xml'
    content = voc_annotation(target.name, (picture.width, picture.height, 3),
                             picture.objects, 'upright' if picture.turned else None)
    if os.path.lexists(path) and path.read_bytes() != content:
        raise OutputExistsError(f'{path}: exists already with other content')
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(content)


def place_file(source: Path, target: Path, copy: bool) -> None:
    """Link or copy a file, but never over another one.

    Raises:
        OutputExistsError: If the target is another file.
    """
    if os.path.lexists(target):
        if same_file(source, target):
            return
        raise OutputExistsError(f'{target}: exists already and is not {source}')
    target.parent.mkdir(parents=True, exist_ok=True)
    if copy:
        shutil.copyfile(source, target)
    else:
        target.symlink_to(source.resolve())


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to the same file, or to the same content."""
    return one.resolve() == other.resolve() or (
        other.is_file() and filecmp.cmp(one, other, shallow=False))


def write_split(root: Path, split: str, names: Iterable[str]) -> None:
    """Write one split file.

    Raises:
        OutputExistsError: If it exists with other names.
    """
    path = root / 'ImageSets' / 'Main' / f'{split}.txt'
    text = ''.join(f'{name}\n' for name in names)
    if path.is_file() and path.read_text(encoding='utf-8') != text:
        raise OutputExistsError(f'{path}: exists already with other names')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding='utf-8')


def voc_annotation(image_name: str, size: tuple[int, int, int],
                   objects: Iterable[VOCObject], frame: str | None = None) -> bytes:
    """One XML file as PASCAL VOC has it, its pixels counted from 1.

    Args:
        image_name: Name of the image in ``JPEGImages``.
        size: Width, height and channels of the image.
        objects: Names and boxes.
        frame: Which way round they are, where the image has an EXIF orientation.
    """
    root = ElementTree.Element('annotation')
    _add(root, 'folder', 'JPEGImages')
    _add(root, 'filename', image_name)
    parent = ElementTree.SubElement(root, 'size')
    for name, value in zip(('width', 'height', 'depth'), size, strict=True):
        _add(parent, name, value)
    if frame:
        _add(root, 'frame', frame)
    for item in objects:
        element = ElementTree.SubElement(root, 'object')
        _add(element, 'name', item.name)
        _add(element, 'difficult', int(item.difficult))
        box = ElementTree.SubElement(element, 'bndbox')
        for name, value in zip(('xmin', 'ymin', 'xmax', 'ymax'), item.bbox,
                               strict=True):
            _add(box, name, coordinate_text(value))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding='utf-8')


def coordinate_text(value: float) -> str:
    """A coordinate of a :class:`VOCObject` as files have it, counted from 1."""
    return f'{value + 1:.{DECIMALS}f}'.rstrip('0').rstrip('.')


def _add(parent: ElementTree.Element, name: str, value: object) -> None:
    ElementTree.SubElement(parent, name).text = str(value)
