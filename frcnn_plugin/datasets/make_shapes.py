"""Writes the shapes as a data set in VOC layout.

Comes in: a folder and how many pictures. Goes out: ``JPEGImages``, ``Annotations`` and
``ImageSets/Main`` with the splits train, val and test, which share no picture.
"""

import json
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
from rich.progress import track

from .shapes import CLASSES, Shape, draw_image

FOLDERS = ('JPEGImages', 'Annotations', 'ImageSets/Main')


def make_shapes(root: Path, counts: dict[str, int], seed: int = 0) -> bool:
    """Generate the data set, unless it is there already.

    Each picture has a random generator of its own, from the seed, its split and its
    number: a split does not change with the size of another.

    Args:
        root: The folder; made if need be.
        counts: Pictures of each split.
        seed: Seed of everything random.

    Returns:
        bool: Whether it was generated now.
    """
    recipe = json.dumps(dict(counts=counts, seed=seed, classes=CLASSES, version=1))
    marker = root / 'shapes.json'  # written last, so an interrupted run starts again
    if marker.is_file() and marker.read_text() == recipe:
        return False
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    marker.unlink(missing_ok=True)
    for index, (split, count) in enumerate(counts.items()):
        names = [f'{split}_{number:05d}' for number in range(count)]
        for number, name in enumerate(track(names, f'{root} {split}')):
            rng = np.random.default_rng([seed, index, number])
            image, shapes = draw_image(rng)
            path = root / 'JPEGImages' / f'{name}.jpg'
            cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 95])
            write_voc_annotation(
                root / 'Annotations' / f'{name}.xml', path.name, image.shape, shapes)
        listing = root / 'ImageSets' / 'Main' / f'{split}.txt'
        listing.write_text('\n'.join(names) + '\n')
    marker.write_text(recipe)
    return True


def write_voc_annotation(path: Path, image_name: str, image_shape: tuple[int, int, int],
                         shapes: list[Shape]) -> None:
    """Write one XML file as PASCAL VOC does, its pixels counted from 1.

    Args:
        path: The file.
        image_name: Name of the image in ``JPEGImages``.
        image_shape: Height, width and channels of the image.
        shapes: Names and boxes; pixels counted from 0.
    """
    root = ElementTree.Element('annotation')
    _add(root, 'folder', 'JPEGImages')
    _add(root, 'filename', image_name)
    size = ElementTree.SubElement(root, 'size')
    height, width, depth = image_shape
    for name, value in (('width', width), ('height', height), ('depth', depth)):
        _add(size, name, value)
    for shape in shapes:
        item = ElementTree.SubElement(root, 'object')
        _add(item, 'name', shape.name)
        _add(item, 'difficult', 0)
        box = ElementTree.SubElement(item, 'bndbox')
        corners = zip(('xmin', 'ymin', 'xmax', 'ymax'), shape.bbox, strict=True)
        for name, value in corners:
            _add(box, name, value + 1)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding='utf-8')


def _add(parent: ElementTree.Element, name: str, value) -> None:
    ElementTree.SubElement(parent, name).text = str(value)
