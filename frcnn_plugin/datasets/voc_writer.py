"""Writes data sets in the layout of PASCAL VOC.

Comes in: pictures with their boxes. Goes out: ``JPEGImages``, ``Annotations`` and
``ImageSets/Main``.
"""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from ..utils.errors import UserError
from .voc_annotation import VOCObject
from .voc_layout import IMAGE_SUFFIXES


@dataclass
class Picture:
    """One picture of a data set of any layout.

    Attributes:
        name: Its name, without suffix, relative to the folder of all pictures.
        image: The file.
        width: In pixels.
        height: In pixels.
        objects: Its boxes.
        split: ``'train'`` or another, where the data set says so.
    """

    name: str
    image: Path
    width: int
    height: int
    objects: list[VOCObject] = field(default_factory=list)
    split: str | None = None


def write_picture(root: Path, picture: Picture, copy: bool = False) -> None:
    """Add a picture and its annotation to a folder in VOC layout.

    Args:
        root: The folder.
        picture: What to add.
        copy: Whether to copy the file and not to link it.

    Raises:
        UserError: If there is another picture of that name, or its suffix is none that
            is read.
    """
    suffix = picture.image.suffix
    if suffix not in IMAGE_SUFFIXES:
        raise UserError(f'{picture.image}: pictures are read from '
                        f'{", ".join(IMAGE_SUFFIXES[:4])}; convert it to one of them')
    target = root / 'JPEGImages' / f'{picture.name}{suffix}'
    for other in (target.with_name(f'{target.stem}{each}') for each in IMAGE_SUFFIXES):
        if os.path.lexists(other) and other.resolve() != picture.image.resolve():
            raise UserError(f'{picture.image}: {other} is there already and is another '
                            'picture; take an empty folder, or rename one of them')
    target.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(target):
        if copy:
            shutil.copyfile(picture.image, target)
        else:
            target.symlink_to(picture.image.resolve())
    write_voc_annotation(root / 'Annotations' / f'{picture.name}.xml', target.name,
                         (picture.width, picture.height, 3), picture.objects)


def write_split(root: Path, split: str, names: Iterable[str]) -> None:
    """Write one split file."""
    path = root / 'ImageSets' / 'Main' / f'{split}.txt'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(''.join(f'{name}\n' for name in names), encoding='utf-8')


def write_voc_annotation(path: Path, image_name: str, size: tuple[int, int, int],
                         objects: Iterable[VOCObject]) -> None:
    """Write one XML file as PASCAL VOC does, its pixels counted from 1.

    Args:
        path: The file.
        image_name: Name of the image in ``JPEGImages``.
        size: Width, height and channels of the image.
        objects: Names and boxes; pixels counted from 0.
    """
    root = ElementTree.Element('annotation')
    _add(root, 'folder', 'JPEGImages')
    _add(root, 'filename', image_name)
    parent = ElementTree.SubElement(root, 'size')
    for name, value in zip(('width', 'height', 'depth'), size, strict=True):
        _add(parent, name, value)
    for item in objects:
        element = ElementTree.SubElement(root, 'object')
        _add(element, 'name', item.name)
        _add(element, 'difficult', int(item.difficult))
        box = ElementTree.SubElement(element, 'bndbox')
        for name, value in zip(('xmin', 'ymin', 'xmax', 'ymax'), item.bbox,
                               strict=True):
            _add(box, name, f'{value + 1:.4f}'.rstrip('0').rstrip('.'))
    ElementTree.indent(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(root).write(path, encoding='utf-8')


def _add(parent: ElementTree.Element, name: str, value: object) -> None:
    ElementTree.SubElement(parent, name).text = str(value)
