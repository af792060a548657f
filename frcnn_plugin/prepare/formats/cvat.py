"""CVAT's own ``annotations.xml``: boxes and polygons of pictures, and of videos."""

import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from ..labels import Label, around, whole_size

SIDES = ('xtl', 'ytl', 'xbr', 'ybr')
READ = ('box', 'mask', 'ellipse', 'cuboid', 'polygon', 'polyline')


def read_cvat(path: Path, root: Element) -> Iterator[Label]:
    """One file "for images" or "for video", by its root element."""
    for image in root.iter('image'):
        label = Label(path, (image.get('name') or '',),
                      size=whole_size(image.get('width'), image.get('height')),
                      split=image.get('subset'))
        for shape in image:
            add_shape(label, shape.get('label'), shape)
        yield label
    frames: dict[str, Label] = {}
    for track in root.iter('track'):  # of a video: each object through its frames
        for shape in track:
            number = shape.get('frame') or ''
            if shape.tag in READ and shape.get('outside') != '1' and (
                    number.isdecimal()):
                label = frames.setdefault(number, Label(
                    path, (f'frame_{int(number):06}',)))
                add_shape(label, track.get('label'), shape)
    yield from frames.values()


def add_shape(label: Label, name: str | None, shape: Element) -> None:
    """Add the box around a shape."""
    if shape.tag == 'box':
        label.add(name, _turned(shape))
    elif shape.tag == 'mask':
        label.add(name, _of_mask(shape))
    elif shape.tag in ('ellipse', 'cuboid'):
        label.refuse('bad box',
                     f'{name}: a shape of this kind is not read, {shape.tag}')
    elif shape.tag in ('polygon', 'polyline'):
        label.add(name, _around(shape.get('points') or ''))


def _turned(shape: Element) -> tuple[float, ...]:
    """The box around a box that may be turned about its centre."""
    try:
        x1, y1, x2, y2 = (float(shape.get(side)) for side in SIDES)
        angle = math.radians(float(shape.get('rotation') or 0))
    except (TypeError, ValueError):
        return ()
    if not angle or not math.isfinite(angle):
        return x1, y1, x2, y2
    x, y, w, h = (x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) / 2, (y2 - y1) / 2
    cos, sin = abs(math.cos(angle)), abs(math.sin(angle))
    return (x - w * cos - h * sin, y - w * sin - h * cos,
            x + w * cos + h * sin, y + w * sin + h * cos)


def _of_mask(shape: Element) -> tuple[float, ...]:
    try:
        x, y, width, height = (float(shape.get(side))
                               for side in ('left', 'top', 'width', 'height'))
    except (TypeError, ValueError):
        return ()
    return x, y, x + width, y + height


def _around(points: str) -> tuple[float, ...]:
    try:
        return around(point.split(',') for point in points.split(';') if point)
    except ValueError:
        return ()
