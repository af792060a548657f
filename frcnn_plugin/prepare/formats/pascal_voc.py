"""XML files with one ``annotation`` each: LabelImg, Roboflow, roLabelImg and others."""

from pathlib import Path
from xml.etree.ElementTree import Element

from ...datasets.orientation import FRAMES
from ...datasets.voc_annotation import (
    BadBox,
    corners,
    is_deleted,
    is_difficult,
    stated_size,
)
from ..labels import Label


def read_voc(path: Path, root: Element) -> Label:
    """One file, by its root element."""
    told = root.findtext('frame')
    name, folder = root.findtext('filename') or '', root.findtext('folder') or ''
    names = name, root.findtext('path') or '', name and folder and f'{folder}/{name}'
    label = Label(path, tuple(name for name in names if name.strip()), by_stem=True,
                  size=stated_size(root), frame=told if told in FRAMES else None)
    for index, element in enumerate(root.findall('object'), start=1):
        if is_deleted(element):
            continue
        name = element.findtext('name')
        where = f'object {index} ({(name or "no name").strip()})'
        try:
            x1, y1, x2, y2 = corners(element)
        except BadBox as error:
            kind, detail = error.args
            label.refuse(kind, f'{where}: {detail}')
            continue
        difficult = is_difficult(element)
        label.add(name, (x1, y1, x2 + 1, y2 + 1), difficult, where)
    return label
