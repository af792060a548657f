"""Reads annotations a second time, with none of the package's code, to compare.

It knows the usual files of each format and nothing else, and takes every file that may
be of a picture: what ``frcnn prepare`` wrote has to be in one of them.
"""

import cmath
import csv
import json
import math
import re
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

from PIL import Image, ImageDraw, ImageOps

Edges = tuple[float, float, float, float]
Found = dict[str, dict[Path, list[tuple]]]  # by stem and file: (edges, share?, size)


def read_everything(root: Path) -> Found:
    """All boxes of all annotation files, by the stem of the picture they may be of."""
    found: Found = defaultdict(lambda: defaultdict(list))

    def add(path: Path, names, edges, share=False, size=None) -> None:
        for name in names:
            if name:
                stem = re.split(r'[\\/]', str(name).strip())[-1].lower()
                for key in {stem, stem.rpartition('.')[0],
                            re.sub('^[0-9a-f]{8}-', '', stem).rpartition('.')[0]}:
                    found[key][path].append((tuple(map(float, edges)), share, size))

    for path in sorted(root.rglob('*')):
        suffix = path.suffix.lower()
        try:
            if suffix == '.xml':
                _xml(path, add)
            elif suffix == '.json':
                _json(path, json.loads(path.read_bytes()), add)
            elif suffix == '.csv':
                _csv(path, add)
            elif suffix == '.txt':
                _text(path, add)
        except (ValueError, TypeError, KeyError, AttributeError, OSError, LookupError,
                ElementTree.ParseError):
            continue
    return found


def _xml(path: Path, add) -> None:
    root = ElementTree.parse(path).getroot()
    for image in root.iter('image') if root.tag == 'annotations' else ():  # CVAT's
        size = int(image.get('width')), int(image.get('height'))
        for shape in image:
            if shape.tag == 'box':
                x1, y1, x2, y2 = (float(shape.get(side))
                                  for side in ('xtl', 'ytl', 'xbr', 'ybr'))
                centre = complex(x1 + x2, y1 + y2) / 2
                turn = cmath.rect(1, math.radians(float(shape.get('rotation') or 0)))
                points = [centre + turn * (complex(x, y) - centre)
                          for x in (x1, x2) for y in (y1, y2)]
            elif shape.tag == 'mask':
                x, y, w, h = (float(shape.get(side))
                              for side in ('left', 'top', 'width', 'height'))
                points = [complex(x, y), complex(x + w, y + h)]
            else:
                points = [complex(*map(float, point.split(',')))
                          for point in (shape.get('points') or '').split(';') if point]
            if points:
                x, y = [each.real for each in points], [each.imag for each in points]
                add(path, [image.get('name')], (min(x), min(y), max(x), max(y)),
                    size=size)
    size = tuple(int(float(root.findtext(f'size/{side}') or 0))
                 for side in ('width', 'height'))
    for item in root.iter('object'):
        sides = {each.tag: float(each.text) for each in item.iter()
                 if each.tag in ('xmin', 'ymin', 'xmax', 'ymax')}
        add(path, [path.stem, root.findtext('filename')],
            (sides['xmin'] - 1, sides['ymin'] - 1, sides['xmax'], sides['ymax']),
            size=size)


def _json(path: Path, content, add) -> None:
    if isinstance(content, dict) and 'annotations' in content:
        images = {image['id']: image for image in content['images']}
        for item in content['annotations']:
            image = images.get(item['image_id'])
            if image and len(item.get('bbox') or ()) == 4:
                x, y, w, h = map(float, item['bbox'])
                add(path, [image['file_name']], (x, y, x + w, y + h),
                    size=(image.get('width'), image.get('height')))
    elif isinstance(content, dict) and 'shapes' in content:
        for shape in content['shapes']:
            x, y = zip(*shape['points'], strict=True)
            add(path, [path.stem, content.get('imagePath')],
                (min(x), min(y), max(x), max(y)))
    elif isinstance(content, dict) and 'objects' in content:
        for item in content['objects']:
            if 'points' in item:
                x, y = zip(*item['points']['exterior'], strict=True)
                add(path, [path.stem], (min(x), min(y), max(x), max(y)))
    elif isinstance(content, dict) and 'regions' in content:
        for region in content['regions']:
            x = [point['x'] for point in region['points']]
            y = [point['y'] for point in region['points']]
            add(path, [content['asset']['name']], (min(x), min(y), max(x), max(y)))
    elif isinstance(content, list):
        for entry in content:
            for item in entry.get('annotations') or []:
                if 'coordinates' in item:
                    box = item['coordinates']
                    x, y, w, h = (box[side] for side in ('x', 'y', 'width', 'height'))
                    add(path, [entry['image']],
                        (x - w / 2, y - h / 2, x + w / 2, y + h / 2))
                for result in item.get('result') or []:
                    value = result['value']
                    if 'width' in value:
                        x, y, w, h = (value[side] / 100
                                      for side in ('x', 'y', 'width', 'height'))
                        add(path, entry['data'].values(), (x, y, x + w, y + h), True)


def _csv(path: Path, add) -> None:
    with open(path, encoding='utf-8-sig', newline='') as file:
        for row in csv.DictReader(file):
            row = {key.strip().lower(): value for key, value in row.items() if key}
            name = row.get('filename') or row.get('image')
            if name and row.get('xmin'):
                add(path, [name],
                    [row[side] for side in ('xmin', 'ymin', 'xmax', 'ymax')])


def _text(path: Path, add) -> None:
    for line in path.read_text(encoding='utf-8-sig').splitlines():
        numbers = [float(word) for word in line.split()]
        if len(numbers) in (5, 6):
            x, y, w, h = numbers[1:5]
            add(path, [path.stem], (x - w / 2, y - h / 2, x + w / 2, y + h / 2), True)
        elif len(numbers) > 6:
            add(path, [path.stem], (min(numbers[1::2]), min(numbers[2::2]),
                                    max(numbers[1::2]), max(numbers[2::2])), True)


def on_upright(picture: Path, edges: Edges, share: bool, size) -> Edges:
    """Where a box is for who looks at the picture; turned by painting it."""
    with Image.open(picture) as image:
        stored, orientation = image.size, image.getexif().get(274, 1)
        upright = ImageOps.exif_transpose(image).size if orientation != 1 else stored
        if share:
            edges = tuple(value * side for value, side in zip(
                edges, (*upright, *upright), strict=True))
        elif upright != stored and size == stored and image.format != 'TIFF':
            mask = Image.new('L', stored)
            x1, y1, x2, y2 = map(round, edges)
            ImageDraw.Draw(mask).rectangle((x1, y1, x2 - 1, y2 - 1), fill=255)
            exif = Image.Exif()
            exif[274] = orientation
            mask.info['exif'] = exif.tobytes()
            mask.getexif()[274] = orientation
            edges = ImageOps.exif_transpose(mask).getbbox() or edges
        elif size and size not in (stored, upright) and min(size) > 0 and (
                edges[2] > upright[0] + 2 or edges[3] > upright[1] + 2):  # resized
            edges = tuple(value * upright[0] / size[0] for value in edges)
    width, height = upright
    return (min(max(edges[0], 0), width), min(max(edges[1], 0), height),
            min(max(edges[2], 0), width), min(max(edges[3], 0), height))


def displaced(root: Path, out: Path) -> tuple[int, int]:
    """Boxes of a prepared folder that no annotation has, and all of its boxes."""
    found, wrong, total = read_everything(root), 0, 0
    for path in sorted((out / 'Annotations').rglob('*.xml')):
        tree = ElementTree.parse(path).getroot()
        name = path.relative_to(out / 'Annotations').with_suffix('')
        picture = next(each for each in (out / 'JPEGImages' / name.parent).iterdir()
                       if each.stem == name.name).resolve()
        there: list[Edges] = []
        boxes = list(tree.iter('bndbox'))
        for items in found[picture.stem.lower()].values() if boxes else ():
            there += {on_upright(picture, *item) for item in dict.fromkeys(items)}
        for box in boxes:
            x1, y1, x2, y2 = (float(box.findtext(side))
                              for side in ('xmin', 'ymin', 'xmax', 'ymax'))
            total += 1
            # a pixel, for tools count pixels from 0 or 1
            wrong += not any(all(abs(a - b) <= 1.51 for a, b in zip(
                (x1 - 1, y1 - 1, x2, y2), other, strict=True)) for other in there)
    return wrong, total
