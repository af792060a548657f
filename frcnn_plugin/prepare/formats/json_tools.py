"""JSON of labelling tools other than COCO's: each function knows the files of one.

A function takes the content of a file and returns its labels, or None if the file is of
another tool. Coordinates come in as the tool writes them.
"""

import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import unquote

from ..labels import Label, around, whole_size

Labels = Iterable[Label] | None
LABEL_STUDIO_KINDS = ('rectanglelabels', 'polygonlabels', 'ellipselabels', 'labels')
CLASS_KEYS = ('class', 'label', 'name', 'type', 'category', 'object')  # of VIA


def read_labelme(path: Path, content: object) -> Labels:
    """LabelMe: ``shapes`` of one picture."""
    if not (isinstance(content, dict) and isinstance(content.get('shapes'), list)):
        return None
    size = whole_size(content.get('imageWidth'), content.get('imageHeight'))
    label = Label(path, (str(content.get('imagePath') or ''),), by_stem=True, size=size)
    for shape in content['shapes']:
        with label.shape():
            points = shape.get('points') or []
            if shape.get('shape_type') == 'circle' and len(points) == 2:
                (x, y), (u, v) = points
                radius = math.hypot(u - x, v - y)
                points = [(x - radius, y - radius), (x + radius, y + radius)]
            label.add(shape.get('label'), around(points))
    return [label]


def read_vott(path: Path, content: object) -> Labels:
    """VoTT 2: an ``asset`` with ``regions``, or an export of many ``assets``."""
    if not isinstance(content, dict):
        return None
    assets = content.get('assets')
    entries = list(assets.values()) if isinstance(assets, dict) else [content]
    entries = [each for each in entries if isinstance(each, dict)
               and isinstance(each.get('asset'), dict) and 'regions' in each]
    if not entries:
        return None
    labels = []
    for entry in entries:
        asset = entry['asset']
        size = asset.get('size') or {}
        label = Label(path, (str(asset.get('name') or ''),),
                      size=whole_size(size.get('width'), size.get('height')))
        for region in entry['regions'] or []:
            with label.shape():
                box = region.get('boundingBox')
                edges = (box['left'], box['top'], box['left'] + box['width'],
                         box['top'] + box['height']) if box else around(
                    (point['x'], point['y']) for point in region.get('points') or [])
                for tag in region.get('tags') or [None]:
                    label.add(tag, edges)
        labels.append(label)
    return labels


def read_supervisely(path: Path, content: object) -> Labels:
    """Supervisely: ``objects`` of the picture that the file is called after."""
    if not (isinstance(content, dict) and isinstance(content.get('objects'), list)
            and isinstance(content.get('size'), dict)):
        return None
    size = content['size']
    label = Label(path, (path.stem,),  # picture.jpg.json
                  size=whole_size(size.get('width'), size.get('height')))
    for item in content['objects']:
        with label.shape():
            if item.get('bitmap') and 'points' not in item:
                raise ValueError('a bitmap, not a box')
            points = (item.get('points') or {}).get('exterior') or []
            label.add(item.get('classTitle'), around(points))
    return [label]


def read_via(path: Path, content: object) -> Labels:
    """VGG Image Annotator, and makesense.ai in its format: ``regions`` by picture."""
    if not isinstance(content, dict):
        return None
    table = content.get('_via_img_metadata', content)
    if not (isinstance(table, dict) and table and all(
            isinstance(each, dict) and 'filename' in each and 'regions' in each
            for each in table.values())):
        return None
    labels = []
    for entry in table.values():
        label = Label(path, (str(entry['filename']),))
        regions = entry['regions']
        for region in regions.values() if isinstance(regions, dict) else regions or []:
            with label.shape():
                values = [_chosen(value) for _, value in sorted(
                    (region.get('region_attributes') or {}).items(),
                    key=lambda item: item[0].lower() not in CLASS_KEYS)]
                label.add(next(filter(None, values), 'object'),
                          _via_edges(region.get('shape_attributes') or {}))
        labels.append(label)
    return labels


def _chosen(value: object) -> str:
    """What was typed or chosen for a region; of check boxes the one that is ticked."""
    if isinstance(value, dict):
        ticked = [name for name, on in value.items() if on is True]
        return ticked[0] if len(ticked) == 1 else ''
    return value.strip() if isinstance(value, str) else ''


def _via_edges(shape: dict) -> tuple[float, ...]:
    if 'all_points_x' in shape:
        return around(zip(shape['all_points_x'], shape['all_points_y'], strict=False))
    if 'width' in shape:
        x, y = shape['x'], shape['y']
        return x, y, x + shape['width'], y + shape['height']
    if 'cx' in shape:
        rx, ry = shape.get('rx', shape.get('r', 0)), shape.get('ry', shape.get('r', 0))
        return shape['cx'] - rx, shape['cy'] - ry, shape['cx'] + rx, shape['cy'] + ry
    return ()


def read_createml(path: Path, content: object) -> Labels:
    """CreateML, also from Roboflow: centres and sizes in pixels."""
    if not _list_of(content, lambda each: ('image' in each or 'imagefilename' in each)
                    and isinstance(each.get('annotations', each.get('annotation')),
                                   list)):
        return None
    labels = []
    for entry in content:
        label = Label(path, (str(entry.get('image') or entry.get('imagefilename')),))
        for item in entry.get('annotations') or entry.get('annotation') or []:
            with label.shape():
                x, y, width, height = (float(item['coordinates'][side])
                                       for side in ('x', 'y', 'width', 'height'))
                label.add(item.get('label'), (x - width / 2, y - height / 2,
                                              x + width / 2, y + height / 2))
        labels.append(label)
    return labels


def read_sloth(path: Path, content: object) -> Labels:
    """Sloth: rectangles of each picture."""
    if not _list_of(content, lambda each: 'filename' in each and isinstance(
            each.get('annotations'), list)):
        return None
    labels = []
    for entry in content:
        label = Label(path, (str(entry['filename']),))
        for item in entry['annotations']:
            with label.shape():
                x, y, width, height = (float(item[side])
                                       for side in ('x', 'y', 'width', 'height'))
                label.add(item.get('class'), (x, y, x + width, y + height))
        labels.append(label)
    return labels


def read_label_studio(path: Path, content: object) -> Labels:
    """Label Studio: tasks with results, in full or as JSON-MIN, in per cent."""
    if not _list_of(content, lambda each: isinstance(each.get('data'), dict) or (
            'annotation_id' in each)):
        return None
    labels = []
    for task in content:
        data = task.get('data') or task
        names = [value for value in data.values() if isinstance(value, str)
                 and re.search(r'\.(jpe?g|png|bmp|webp|tiff?)\b', value.lower())]
        name, _, query = (names or [''])[0].partition('?')
        name = unquote(query[2:] if query.startswith('d=') else name)  # local storage
        # an upload is called 1a2b3c4d-picture.jpg
        plain = re.sub(r'^[0-9a-f]{8}-', '', name.rpartition('/')[2])
        label = Label(path, (name, plain), shares=True)
        done = task.get('annotations') or task.get('completions') or []
        done = [each for each in done if not each.get('was_cancelled')]
        results = done[0].get('result') or [] if done else [
            dict(value=each) for value in task.values() if isinstance(value, list)
            for each in value if isinstance(each, dict) and {'x', 'points'} & {*each}]
        for result in results:
            with label.shape():
                value = result.get('value') or {}
                tags = next((value[key] for key in value if key in LABEL_STUDIO_KINDS),
                            None)
                if not tags:
                    continue
                label.size = whole_size(*(
                    result.get(f'original_{side}') or value.get(f'original_{side}')
                    for side in ('width', 'height')))
                edges = _label_studio_edges(value, label.size)
                for tag in tags:
                    label.add(tag, [side / 100 for side in edges])
        for other in done[1:]:  # of somebody else
            for result in other.get('result') or []:
                if 'width' in (result.get('value') or {}):
                    label.refuse('box of another annotator', 'the first one counts')
        labels.append(label)
    return labels


def _label_studio_edges(value: dict, size: tuple[int, int] | None
                        ) -> tuple[float, ...]:
    """The box around a shape, in per cent of the picture's sides."""
    if 'points' in value:
        return around(value['points'])
    x, y = float(value['x']), float(value['y'])
    if 'radiusX' in value:
        return (x - value['radiusX'], y - value['radiusY'],
                x + value['radiusX'], y + value['radiusY'])
    width, height = float(value['width']), float(value['height'])
    angle = math.radians(float(value.get('rotation') or 0))
    if not angle:
        return x, y, x + width, y + height
    w, h = size or (1, 1)  # it turns about its left upper corner, in pixels
    corners = [(0, 0), (width * w, 0), (0, height * h), (width * w, height * h)]
    return around((x + (u * math.cos(angle) - v * math.sin(angle)) / w,
                   y + (u * math.sin(angle) + v * math.cos(angle)) / h)
                  for u, v in corners)


def _list_of(content: object, test: Callable[[dict], bool]) -> bool:
    return (isinstance(content, list) and bool(content)
            and all(isinstance(each, dict) and test(each) for each in content))


JSON_TOOLS = {
    'labelme': read_labelme,
    'vott': read_vott,
    'supervisely': read_supervisely,
    'via': read_via,
    'createml': read_createml,
    'sloth': read_sloth,
    'label-studio': read_label_studio,
}
