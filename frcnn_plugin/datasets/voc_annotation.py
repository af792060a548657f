"""Reads one annotation file of PASCAL VOC."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import parse

from ..errors import DataError
from .orientation import FRAMES, PictureSize, place
from .problems import Problem

MAX_COORDINATE = 1e6  # pixels; a larger number is not a coordinate
MAX_SIDE = 10**6  # pixels; a larger number is not the size of an image


@dataclass(frozen=True)
class VOCObject:
    """One annotated box.

    Both corners are pixels of the box, as in VOC's files, but counted from 0: an image
    of W x H pixels is covered by (0, 0, W - 1, H - 1), and by 1, 1, W, H in a file.
    Boxes between edges of pixels, such as COCO's and YOLO's, are converted by
    :func:`frcnn_plugin.prepare.voc_writer.bbox_of_edges`.

    Attributes:
        name: The class as it is written in the file.
        bbox: (x1, y1, x2, y2) in pixels of the image.
        difficult: Whether the annotator marked it as hard to recognise.
    """

    name: str
    bbox: tuple[float, float, float, float]
    difficult: bool = False


@dataclass
class VOCAnnotation:
    """The content of one file.

    Attributes:
        width: Of the image, in pixels; 0 if it is not known.
        height: Likewise.
        objects: The boxes that can be used.
        skipped: What is wrong with each of the others.
        notes: What else is wrong but costs no box.
        unplaced: Why all of its boxes are left out, if it cannot be told where in the
            image they are.
        elements: The ``object`` of each box that can be used, in the same order.
    """

    width: int
    height: int
    objects: list[VOCObject] = field(default_factory=list)
    skipped: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    unplaced: Problem | None = None
    elements: list[Element] = field(default_factory=list)

    def skip(self, path: Path, where: str, error: Exception) -> None:
        """Note a box that cannot be used."""
        kind, detail = error.args
        self.skipped.append(Problem(path, kind, where + detail, boxes=1))


def read_voc_annotation(path: Path, size: tuple | None = None,
                        frame: str | None = None) -> VOCAnnotation:
    """Read one XML file.

    Pixels count from 1 in VOC and both corners belong to the box; as in mmdet and
    py-faster-rcnn 1 is subtracted from all four.

    Args:
        path: The file.
        size: Width and height of the image, or its ``PictureSize``, if they are known;
            those in the file are used otherwise.
        frame: ``'upright'`` or ``'stored'`` if it is known which way round the boxes of
            a picture are that has an EXIF orientation; default: what the file tells.

    Raises:
        DataError: If it is missing, is not XML with an ``annotation`` at its root, or
            declares a document type or entities, which could fill the memory or read
            other files.
    """
    root = read_xml(path)
    if root.tag != 'annotation':
        raise DataError(f'{path}: the root is <{root.tag}>, not <annotation>; this is '
                        'not an annotation in VOC format')
    stated = stated_size(root)
    size = PictureSize(*(size or stated or (0, 0)))
    annotation = VOCAnnotation(*size.upright)
    found, places = [], []
    for index, element in enumerate(root.findall('object'), start=1):
        if is_deleted(element):
            continue
        where = f'object {index} ({(element.findtext("name") or "no name").strip()}): '
        try:
            x1, y1, x2, y2 = corners(element)
        except BadBox as error:
            annotation.skip(path, where, error)
            continue
        found.append((where, element))
        places.append((x1, y1, x2 + 1, y2 + 1))
    boxes = places
    if all(size[:2]):
        told = root.findtext('frame')
        frame = frame or (told if told in FRAMES else None)
        boxes, note = place(size, stated, places, frame)
        if boxes is None:
            annotation.unplaced = Problem(path, 'unknown orientation', note,
                                          boxes=len(places))
            return annotation
        if note:
            kind = ('scaled boxes' if note.endswith('scaled to it') else
                    'size mismatch' if note.startswith('says') else 'turned boxes')
            annotation.notes.append(Problem(path, kind, note, costs_data=False))
    for (where, element), (x1, y1, x2, y2) in zip(found, boxes, strict=True):
        try:
            box, note = _cut((x1, y1, x2 - 1, y2 - 1), *size.upright)
        except BadBox as error:
            annotation.skip(path, where, error)
            continue
        difficult = is_difficult(element)
        annotation.objects.append(
            VOCObject(element.findtext('name').strip(), box, difficult))
        annotation.elements.append(element)
        if note:
            annotation.notes.append(Problem(path, 'over the border', where + note,
                                            costs_data=False))
    return annotation


def read_xml(path: Path) -> Element:
    """The root of an XML file.

    Raises:
        DataError: As :func:`read_voc_annotation`.
    """
    try:
        return parse(path, forbid_dtd=True).getroot()
    except FileNotFoundError as error:
        raise DataError(f'{path}: the annotation file is missing') from error
    except DefusedXmlException as error:
        raise DataError(f'{path}: refused, it declares a document type or entities, '
                        'which no annotation needs') from error
    except (ParseError, LookupError, ValueError, OSError) as error:
        raise DataError(f'{path}: not a readable XML file ({error})') from error


class BadBox(Exception):
    """A box that cannot be used: the kind of problem, and what it is here."""


def stated_size(root: Element) -> tuple[int, int] | None:
    """Width and height of the image as an annotation gives them, if it does."""
    try:
        size = tuple(int(float(root.findtext(f'size/{side}') or 0))
                     for side in ('width', 'height'))
    except (ValueError, OverflowError):
        return None
    return size if min(size) > 0 and max(size) <= MAX_SIDE else None


def corners(element: Element) -> tuple[float, float, float, float]:
    """The box of one ``object``, counted from 0; a polygon counts as the box around it.

    Raises:
        BadBox: If it cannot be used.
    """
    if not (element.findtext('name') or '').strip():
        raise BadBox('no class name', 'it has no class name')
    points = [point for shape in ('polygon', 'segmentation')
              for point in element.iterfind(f'{shape}//pt')]
    box = box_element(element)
    if box is None and element.find('robndbox') is not None:
        x, y, width, height, angle = (
            _coordinate(element, f'robndbox/{side}')
            for side in ('cx', 'cy', 'w', 'h', 'angle'))
        w = abs(width * math.cos(angle)) + abs(height * math.sin(angle))
        h = abs(width * math.sin(angle)) + abs(height * math.cos(angle))
        x1, y1, x2, y2 = x - w / 2, y - h / 2, x + w / 2, y + h / 2
    elif box is None and points:
        x, y = ([_coordinate(point, side) for point in points] for side in 'xy')
        x1, y1, x2, y2 = min(x) + 1, min(y) + 1, max(x), max(y)  # edges, from 0
    else:
        x1, y1, x2, y2 = (_coordinate(element if box is None else box, side)
                          for side in ('xmin', 'ymin', 'xmax', 'ymax'))
    if x2 <= x1 or y2 <= y1:
        raise BadBox('degenerate box', f'degenerate box, xmin {x1:g} ymin {y1:g} '
                     f'xmax {x2:g} ymax {y2:g}')
    return x1 - 1, y1 - 1, x2 - 1, y2 - 1


def is_deleted(element: Element) -> bool:
    """Whether LabelMe has marked an ``object`` as deleted."""
    return (element.findtext('deleted') or '0').strip() == '1'


def box_element(element: Element) -> Element | None:
    """The ``bndbox`` of an ``object``, by whatever name."""
    found = element.find('bndbox')
    return found if found is not None else next(
        (child for child in element if child.find('xmin') is not None), None)


def _cut(box: tuple[float, float, float, float], width: int, height: int) -> tuple:
    """A box cut at the border of its image, and what was done to it.

    Raises:
        BadBox: If it lies outside.
    """
    if not (width and height):
        return box, ''
    x1, y1, x2, y2 = box
    if x1 >= width or y1 >= height or x2 <= 0 or y2 <= 0:
        raise BadBox('box outside',
                      f'the box lies outside the image of {width}x{height}')
    over = x1 < -1 or y1 < -1 or x2 > width or y2 > height
    return ((min(max(x1, 0), width), min(max(y1, 0), height),
             min(max(x2, 0), width), min(max(y2, 0), height)),
            f'cut at the border of the image of {width}x{height}' if over else '')


def _coordinate(element: Element, path: str) -> float:
    text, side = element.findtext(path), path.rpartition('/')[2]
    if text is None:
        raise BadBox('bad box', f'its box has no {side}')
    try:
        value = float(text)
    except ValueError:
        raise BadBox('bad box', f'{side} is {text!r}, not a number') from None
    if not abs(value) <= MAX_COORDINATE:  # NaN neither
        raise BadBox('bad box', f'{side} is {text!r}')
    return value


def is_difficult(element: Element) -> bool:
    """Whether an ``<object>`` is marked difficult; ``Unspecified`` counts as no."""
    return (element.findtext('difficult') or '').strip().lower() in ('1', 'true', 'yes')
