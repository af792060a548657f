"""Writes the annotations of a folder again, without what is wrong in them.

Comes in: what was found out about each image. Goes out: a folder of its own with
annotations and splits; the pictures are linked, the originals stay as they are.
"""

import copy
import os
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

from defusedxml.ElementTree import parse

from ..errors import UserError
from .check_files import FileReport


def write_clean_copy(source: Path, target: Path, splits: dict[str, list[str]],
                     reports: Iterable[FileReport],
                     classes: tuple[str, ...] | None = None) -> None:
    """Write a copy that training takes whole.

    Boxes that can not be used, duplicates and other classes are left out, boxes over
    the border are cut, the sizes are those of the images, and images that can not be
    used are in no split.

    Args:
        source: The folder in VOC layout.
        target: The new one.
        splits: Names of the images of each split.
        reports: What was found out about each image.
        classes: The classes to be trained; None for any.

    Raises:
        UserError: If the target is there already, or inside the source's parts.
    """
    if target.exists():
        raise UserError(f'{target}: is there already; --fix takes a new folder')
    for part in ('Annotations', 'JPEGImages', 'ImageSets'):
        if (source / part).resolve() in target.resolve().parents:
            raise UserError(f'{target}: lies in the data set itself; --fix takes a '
                            'folder of its own')
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
        for side, value in zip(('xmin', 'ymin', 'xmax', 'ymax'), item.bbox,
                               strict=True):
            element.find(f'bndbox/{side}').text = f'{value + 1:g}'
        root.append(element)
    for side, value in (('width', annotation.width), ('height', annotation.height)):
        child(child(root, 'size'), side).text = str(value)
    return ElementTree.ElementTree(root)


def child(parent: ElementTree.Element, name: str) -> ElementTree.Element:
    """The element of a name, made if need be."""
    found = parent.find(name)
    return ElementTree.SubElement(parent, name) if found is None else found
