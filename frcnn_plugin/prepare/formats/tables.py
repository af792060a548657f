"""CSV files with a line a box: those of TensorFlow, VoTT, RetinaNet, VIA and others."""

import csv
import json
import re
from itertools import chain
from pathlib import Path

from ...datasets.voc_layout import IMAGE_SUFFIXES
from ..labels import Label, whole_size
from .json_tools import read_via

COLUMNS = {  # what is wanted: what tools call it
    'image': ('filename', 'file_name', 'image', 'image_name', 'image_path',
              'path', 'file', 'img', 'imageid', 'image_id', 'external_id'),
    'class': ('class_name', 'label_name', 'category_name', 'class', 'label', 'name',
              'category', 'species'),
    'x1': ('xmin', 'x_min', 'x1', 'left', 'bbox_x'),
    'y1': ('ymin', 'y_min', 'y1', 'top', 'bbox_y'),
    'x2': ('xmax', 'x_max', 'x2', 'right'),
    'y2': ('ymax', 'y_max', 'y2', 'bottom'),
    'bbox': ('bbox',),  # x, y, width and height in one cell, as on Kaggle
    'w': ('bbox_width', 'w'), 'h': ('bbox_height', 'h'),
    'width': ('width', 'image_width', 'img_width'),
    'height': ('height', 'image_height', 'img_height'),
}
# what a table without classes may hold besides; any other column may be the classes
BESIDES = {'x', 'y', 'id', 'source', 'split', 'set', 'usage', 'area', 'unnamed: 0',
           *chain(*COLUMNS.values())}
# without a header: makesense.ai's, RetinaNet's, and that of SKU-110K
MAKESENSE = ('class', 'x1', 'y1', 'w', 'h', 'image', 'width', 'height')
RETINANET = ('image', 'x1', 'y1', 'x2', 'y2', 'class')
SKU110K = (*RETINANET, 'width', 'height')
VIA = {'filename', 'region_shape_attributes', 'region_attributes'}


def read_table(path: Path) -> list[Label] | None:
    """The labels of a file, one for each picture; None if it is no table of boxes.

    Coordinates that are all from 0 to 1 are taken for shares of the picture's sides.
    """
    text = text_of(path)
    first = text.partition('\n')[0]
    delimiter = max(',;\t', key=first.count)
    try:
        rows = [[cell.strip() for cell in row]
                for row in csv.reader(text.splitlines(), delimiter=delimiter) if row]
    except csv.Error:
        return None
    if not rows:
        return None
    first = [cell.removeprefix('#') for cell in rows[0]]  # VIA 1
    if set(first) >= VIA:
        return read_via(path, _as_json_of_via([first, *rows[1:]]))
    columns = _columns(rows[0])
    # a table without a header may begin with a picture that has no box; a header that
    # is not understood says that the order is another one
    if columns is None and not (rows[0][1:] and all(rows[0][1:])):
        columns = _columns(next(
            (row for row in rows[:100] if any(map(_is_number, row))), rows[0]))
    if columns is None:
        return None
    header = _columns(rows[0]) is not None and not any(map(_is_number, rows[0]))
    if 'class' not in columns and max(map(len, rows)) > len(rows[0]):
        return None  # the last column may be the classes
    if 'x1' not in columns and _may_be_corners(rows[header:], columns):
        return None
    labels: dict[str, Label] = {}
    for number, row in enumerate(rows[header:], start=1 + header):
        cells = {name: row[index] for name, index in columns.items()
                 if index < len(row)}
        image = cells.get('image')
        if not image:
            continue
        label = labels.setdefault(image, Label(path, (image,), size=whole_size(
            cells.get('width'), cells.get('height'))))
        if not any(cells.get(side) for side in ('x1', 'y1')) and not (
                'x1' not in columns and cells.get('bbox', '').strip('[]() ')):
            continue  # a picture without a box
        label.unnamed = 'class' not in columns
        label.add('object' if label.unnamed else cells.get('class'), _edges(cells),
                  where=f'line {number}')
    sides = [side for label in labels.values() for box in label.boxes
             for side in box.edges]
    if sides and min(sides) >= 0 and max(sides) <= 1.001:
        for label in labels.values():
            label.shares = True  # of the sides
    return list(labels.values())


def text_of(path: Path) -> str:
    """The text of a file in one of the encodings that spreadsheets write."""
    content = path.read_bytes()
    if content[:2] in (b'\xff\xfe', b'\xfe\xff'):
        return content.decode('utf-16', errors='replace')
    try:
        return content.decode('utf-8-sig')
    except UnicodeDecodeError:
        return content.decode('cp1252', errors='replace')


def _columns(first: list[str]) -> dict[str, int] | None:
    lower = [cell.lower() for cell in first]
    if not any(_is_number(cell) for cell in first):
        found = {name: lower.index(word) for name, words in COLUMNS.items()
                 for word in reversed(words) if word in lower}
        if {'x', 'y', 'w', 'h'} <= set(lower):
            found.update(x1=lower.index('x'), y1=lower.index('y'))
        elif {'x', 'y', 'width', 'height'} <= set(lower) or (
                {'left', 'top', 'width', 'height'} <= set(lower)):  # of the box
            x, y = ('x', 'y') if 'x' in lower else ('left', 'top')
            found.update(x1=lower.index(x), y1=lower.index(y), w=found.pop('width'),
                         h=found.pop('height'))
        elif 'x1' in found and 'x2' not in found and 'w' not in found and {
                'width', 'height'} <= set(found):
            found.update(w=found.pop('width'), h=found.pop('height'))
    elif len(first) in (8, 6) and all(_is_number(cell) for cell in first[1:5]):
        order = RETINANET if len(first) == 6 else (SKU110K if first[0].lower().endswith(
            IMAGE_SUFFIXES) else MAKESENSE)
        found = {name: index for index, name in enumerate(order)}
    else:
        return None
    corners = any(sides <= set(found) for sides in (
        {'x1', 'y1', 'x2', 'y2'}, {'x1', 'y1', 'w', 'h'}, {'bbox'}))
    known = 'class' in found or set(lower[not lower[0]:]) <= BESIDES  # first an index
    return found if corners and 'image' in found and known else None


def _of_cell(text: str) -> tuple[float, ...]:
    """The four numbers of a cell such as ``[10.0, 8.0, 20.0, 20.0]``, or none."""
    try:
        found = tuple(map(float, re.split('[, ]+', text.strip('[]() '))))
    except ValueError:
        return ()
    return found if len(found) == 4 else ()


def _may_be_corners(rows: list[list[str]], columns: dict[str, int]) -> bool:
    """Whether cells of four numbers may be two corners, and not a corner and a size."""
    sized, smaller = True, False
    for row in rows:
        cells = {name: row[index] for name, index in columns.items()
                 if index < len(row)}
        if box := _of_cell(cells.get('bbox', '')):
            x, y, third, fourth = box
            size = whole_size(cells.get('width'), cells.get('height'))
            if size and (x + third > size[0] or y + fourth > size[1]):
                return True
            sized &= bool(size)
            smaller |= 0 < third < x or 0 < fourth < y
    return not (sized or smaller)


def _edges(cells: dict[str, str]) -> tuple[float, ...]:
    try:
        if 'x1' not in cells:
            x1, y1, width, height = _of_cell(cells['bbox'])
            return x1, y1, x1 + width, y1 + height
        x1, y1 = float(cells['x1']), float(cells['y1'])
        if 'x2' in cells:
            return x1, y1, float(cells['x2']), float(cells['y2'])
        return x1, y1, x1 + float(cells['w']), y1 + float(cells['h'])
    except (KeyError, ValueError):
        return ()


def _as_json_of_via(rows: list[list[str]]) -> dict[str, dict]:
    """What the tool would have written as JSON; a broken cell makes a bad box."""
    found: dict[str, dict] = {}
    for row in rows[1:]:
        cells = dict(zip(rows[0], row, strict=False))
        name = cells.get('filename')
        if not name:
            continue
        regions = found.setdefault(name + cells.get('file_size', ''), dict(
            filename=name, regions=[]))['regions']
        shape, attributes = (_object(cells.get(column, '')) for column in (
            'region_shape_attributes', 'region_attributes'))
        if shape or cells.get('region_count') != '0':
            regions.append(dict(
                shape_attributes={} if attributes is None else shape or {},
                region_attributes=attributes or {}))
    return found


def _object(text: str) -> dict | None:
    try:
        found = json.loads(text or '{}')
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
