"""Reads one annotation file of PASCAL VOC."""

from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import parse

from ..errors import DataError
from .problems import Problem

MAX_COORDINATE = 1e6  # pixels; a larger number is not a coordinate


@dataclass(frozen=True)
class VOCObject:
    """One annotated box.

    Both corners are pixels of the box, as in VOC's files, but counted from 0: an image
    of W x H pixels is covered by (0, 0, W - 1, H - 1), and by 1, 1, W, H in a file.
    Boxes between edges of pixels, such as COCO's and YOLO's, come into this convention
    by :func:`frcnn_plugin.prepare.voc_writer.bbox_of_edges` and nowhere else.

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
        elements: The ``object`` of each box that can be used, in the same order.
    """

    width: int
    height: int
    objects: list[VOCObject] = field(default_factory=list)
    skipped: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    elements: list[Element] = field(default_factory=list)


def read_voc_annotation(path: Path,
                        size: tuple[int, int] | None = None) -> VOCAnnotation:
    """Read one XML file.

    Pixels count from 1 in VOC and both corners belong to the box; as in mmdet and
    py-faster-rcnn 1 is subtracted from all four.

    Args:
        path: The file.
        size: Width and height of the image, if they are known; those in the file are
            used otherwise.

    Raises:
        DataError: If it is missing, is not XML with an ``annotation`` at its root, or
            declares a document type or entities, which could fill the memory or read
            other files.
    """
    try:
        root = parse(path, forbid_dtd=True).getroot()
    except FileNotFoundError as error:
        raise DataError(f'{path}: the annotation file is missing') from error
    except DefusedXmlException as error:
        raise DataError(f'{path}: refused, it declares a document type or entities, '
                        'which no annotation needs') from error
    except (ParseError, LookupError, ValueError, OSError) as error:
        raise DataError(f'{path}: not a readable XML file ({error})') from error
    if root.tag != 'annotation':
        raise DataError(f'{path}: the root is <{root.tag}>, not <annotation>; this is '
                        'not an annotation in VOC format')
    stated = _size(root, 'width'), _size(root, 'height')
    annotation = VOCAnnotation(*(size or stated))
    if size and all(stated) and stated != size:
        annotation.notes.append(Problem(
            path, 'size mismatch', f'says {stated[0]}x{stated[1]}, the image is '
            f'{size[0]}x{size[1]}', costs_data=False))
    for index, element in enumerate(root.findall('object'), start=1):
        name = (element.findtext('name') or 'no name').strip()
        where = f'object {index} ({name}): '
        try:
            item, note = _read_object(element, annotation)
        except _BadBox as error:
            kind, detail = error.args
            annotation.skipped.append(Problem(path, kind, where + detail))
            continue
        annotation.objects.append(item)
        annotation.elements.append(element)
        if note:
            annotation.notes.append(Problem(path, 'over the border', where + note,
                                            costs_data=False))
    return annotation


class _BadBox(Exception):
    """A box that cannot be used: the kind of problem, and what it is here."""


def _size(root: Element, side: str) -> int:
    try:
        return max(int(float(root.findtext(f'size/{side}') or 0)), 0)
    except (ValueError, OverflowError):
        return 0


def _read_object(element: Element, annotation: VOCAnnotation) -> tuple[VOCObject, str]:
    """One ``object``, and what was corrected.

    Raises:
        _BadBox: If it cannot be used.
    """
    name = (element.findtext('name') or '').strip()
    if not name:
        raise _BadBox('no class name', 'it has no class name')
    x1, y1, x2, y2 = (_coordinate(element, side)
                      for side in ('xmin', 'ymin', 'xmax', 'ymax'))
    if x2 <= x1 or y2 <= y1:
        raise _BadBox('degenerate box', f'degenerate box, xmin {x1:g} ymin {y1:g} '
                      f'xmax {x2:g} ymax {y2:g}')
    note = ''
    x1, y1, x2, y2 = (value - 1 for value in (x1, y1, x2, y2))
    if annotation.width and annotation.height:
        width, height = annotation.width, annotation.height
        if x1 >= width or y1 >= height or x2 <= 0 or y2 <= 0:
            raise _BadBox('box outside',
                          f'the box lies outside the image of {width}x{height}')
        if x1 < -1 or y1 < -1 or x2 > width or y2 > height:
            note = f'cut at the border of the image of {width}x{height}'
        x1, x2 = (min(max(x, 0), width) for x in (x1, x2))
        y1, y2 = (min(max(y, 0), height) for y in (y1, y2))
    difficult = (element.findtext('difficult') or '0').strip() not in ('0', '')
    return VOCObject(name, (x1, y1, x2, y2), difficult), note


def _coordinate(element: Element, side: str) -> float:
    text = element.findtext(f'bndbox/{side}')
    if text is None:
        raise _BadBox('bad box', f'its box has no {side}')
    try:
        value = float(text)
    except ValueError:
        raise _BadBox('bad box', f'{side} is {text!r}, not a number') from None
    if not abs(value) <= MAX_COORDINATE:  # NaN neither
        raise _BadBox('bad box', f'{side} is {text!r}')
    return value
