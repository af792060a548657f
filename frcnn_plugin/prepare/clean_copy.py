"""Writes a cleaned copy of a data set.

Its ``JPEGImages`` is a link to the original folder; annotations and splits are written
anew. The originals do not change.
"""

import copy
import os
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from defusedxml.ElementTree import parse

from ..datasets.voc_annotation import box_element, stated_size
from ..errors import DataError
from .check_files import FileReport
from .voc_writer import coordinate_text


def write_clean_copy(source: Path, target: Path, splits: dict[str, list[str]],
                     reports: Sequence[FileReport],
                     classes: tuple[str, ...] | None = None) -> None:
    """Write a copy in which everything can be trained on.

    Unusable boxes, duplicates and other classes are left out, boxes over the border are
    cut, boxes of the picture as it is stored are turned with it, and unusable images
    are in no split. A size that is not that of the image stays, as it tells of a
    mistake that is not mended.

    Args:
        source: The folder in VOC layout.
        target: The new one.
        splits: Names of the images of each split.
        reports: What the check found out about each image.
        classes: The classes to train on; None for any.

    Raises:
        DataError: If the target exists, or is inside the source's parts.
    """
    if target.exists():
        raise DataError(f'{target}: exists already; a cleaned copy needs a new folder')
    for part in ('Annotations', 'JPEGImages', 'ImageSets'):
        if (source / part).resolve() in target.resolve().parents:
            raise DataError(f'{target}: is inside the data set; a cleaned copy needs a '
                            'folder elsewhere')
    usable = {report.name for report in reports if report.usable}
    for report in reports:
        if report.usable:
            path = target / 'Annotations' / f'{report.name}.xml'
            path.parent.mkdir(parents=True, exist_ok=True)
            clean_tree(source / 'Annotations' / f'{report.name}.xml', report,
                       classes).write(path, encoding='utf-8')
    for split, names in splits.items():
        path = target / 'ImageSets' / 'Main' / f'{split}.txt'
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = [name for name in dict.fromkeys(names) if name in usable]
        if not kept:
            continue  # an empty split would be refused
        path.write_text(''.join(f'{name}\n' for name in kept), encoding='utf-8')
    os.symlink((source / 'JPEGImages').resolve(), target / 'JPEGImages',
               target_is_directory=True)


def clean_tree(path: Path, report: FileReport,
               classes: tuple[str, ...] | None) -> ElementTree.ElementTree:
    """The XML of one image, with the boxes that training would use."""
    annotation = report.annotation
    root = copy.deepcopy(parse(path, forbid_dtd=True).getroot())
    for element in root.findall('object'):
        root.remove(element)
    seen = set()
    pairs = zip(annotation.objects, annotation.elements, strict=True)
    for item, element in pairs:
        if item in seen or (classes and item.name not in classes):
            continue
        seen.add(item)
        box = box_element(element)
        if box is None:  # of a polygon or a turned box
            box = child(element, 'bndbox')
        for side, value in zip(('xmin', 'ymin', 'xmax', 'ymax'), item.bbox,
                               strict=True):
            child(box, side).text = coordinate_text(value)
        root.append(element)
    moved = {note.kind for note in annotation.notes} & {'turned boxes', 'scaled boxes'}
    if moved:
        child(root, 'frame').text = 'upright'
    if moved or stated_size(root) is None:  # another size stays: it tells of a mistake
        for side, value in (('width', annotation.width), ('height', annotation.height)):
            child(child(root, 'size'), side).text = str(value)
    return ElementTree.ElementTree(root)


def child(parent: ElementTree.Element, name: str) -> ElementTree.Element:
    """The child element of a name, added if it is missing."""
    found = parent.find(name)
    return ElementTree.SubElement(parent, name) if found is None else found
