"""Reads one annotation file of PASCAL VOC.

Comes in: a path. Goes out: the image's size and its boxes, and what was wrong with
those that were left out.
"""

import math
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from ..utils.errors import UserError


@dataclass
class VOCObject:
    """One annotated box.

    Attributes:
        name: The class as it is written in the file.
        bbox: (x1, y1, x2, y2) in pixels of the image, counted from 0.
        difficult: Whether the annotator marked it as hard to recognise.
    """

    name: str
    bbox: tuple[float, float, float, float]
    difficult: bool


@dataclass
class VOCAnnotation:
    """The content of one file.

    Attributes:
        width: Width of the image in pixels; 0 if the file does not say.
        height: Height likewise.
        objects: The boxes that can be used.
        skipped: What is wrong with each of the others.
        notes: What else is wrong, and costs nothing.
    """

    width: int
    height: int
    objects: list[VOCObject] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_voc_annotation(path: Path,
                        size: tuple[int, int] | None = None) -> VOCAnnotation:
    """Read one XML file.

    Pixels count from 1 in VOC and both corners belong to the box; as in mmdet and
    py-faster-rcnn 1 is subtracted from all four.

    Args:
        path: The file.
        size: Width and height of the image, if they are known; they count, and not
            what the file says.

    Raises:
        UserError: If it is missing, or is no XML with an ``annotation`` at its root.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except FileNotFoundError as error:
        raise UserError(f'{path}: the annotation file is missing') from error
    except (ElementTree.ParseError, UnicodeDecodeError, ValueError) as error:
        raise UserError(f'{path}: not a readable XML file ({error})') from error
    if root.tag != 'annotation':
        raise UserError(f'{path}: the root is <{root.tag}>, not <annotation>; this is '
                        'no annotation in VOC format')
    stated = _size(root, 'width'), _size(root, 'height')
    annotation = VOCAnnotation(*(size or stated))
    if size and all(stated) and stated != size:
        annotation.notes.append(f'{path}: says {stated[0]}x{stated[1]}, the image is '
                                f'{size[0]}x{size[1]}')
    for index, element in enumerate(root.findall('object'), start=1):
        try:
            annotation.objects.append(_read_object(element, annotation))
        except ValueError as error:
            name = (element.findtext('name') or 'no name').strip()
            annotation.skipped.append(f'{path}: object {index} ({name}): {error}')
    return annotation


def _size(root: ElementTree.Element, side: str) -> int:
    try:
        return max(int(float(root.findtext(f'size/{side}') or 0)), 0)
    except (ValueError, OverflowError):
        return 0


def _read_object(element: ElementTree.Element, annotation: VOCAnnotation) -> VOCObject:
    """One ``object``; raises ValueError with what is wrong if it can not be used."""
    name = (element.findtext('name') or '').strip()
    if not name:
        raise ValueError('it has no class name')
    x1, y1, x2, y2 = (_coordinate(element, side)
                      for side in ('xmin', 'ymin', 'xmax', 'ymax'))
    if x2 <= x1 or y2 <= y1:
        raise ValueError(f'degenerate box, xmin {x1:g} ymin {y1:g} xmax {x2:g} '
                         f'ymax {y2:g}')
    x1, y1, x2, y2 = (value - 1 for value in (x1, y1, x2, y2))
    if annotation.width and annotation.height:
        width, height = annotation.width, annotation.height
        if x1 >= width or y1 >= height or x2 <= 0 or y2 <= 0:
            raise ValueError(f'the box lies outside the image of {width}x{height}')
        x1, x2 = (min(max(x, 0), width) for x in (x1, x2))
        y1, y2 = (min(max(y, 0), height) for y in (y1, y2))
    difficult = (element.findtext('difficult') or '0').strip() not in ('0', '')
    return VOCObject(name, (x1, y1, x2, y2), difficult)


def _coordinate(element: ElementTree.Element, side: str) -> float:
    text = element.findtext(f'bndbox/{side}')
    if text is None:
        raise ValueError(f'its box has no {side}')
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f'{side} is {text!r}, not a number') from None
    if not math.isfinite(value):
        raise ValueError(f'{side} is {text!r}')
    return value
