"""JSON files in COCO format: pictures, categories and boxes in three lists."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from ...datasets.problems import Problem
from ..labels import Label, around, whole_size


def is_coco(content: object) -> bool:
    """Whether the content of a JSON file has COCO's lists."""
    return isinstance(content, dict) and all(
        isinstance(content.get(name), list) for name in ('images', 'annotations'))


def read_coco_labels(path: Path, content: dict,
                     problems: list[Problem]) -> Iterator[Label]:
    """The pictures of one file.

    Crowds come in as difficult boxes, which are neither learnt nor counted; a polygon
    without a box counts as the box around it.

    Args:
        path: The file.
        content: What is in it.
        problems: Boxes of no picture, and ids missing or twice, are noted here.
    """
    categories = content.get('categories')
    categories = [item for item in categories if isinstance(item, dict)] if isinstance(
        categories, list) else []
    names = {_key(item.get('id')): item.get('name') for item in categories}
    ids = [_key(image.get('id')) for image in content['images']
           if isinstance(image, dict)]
    for what, keys in (('images', ids), ('categories', [
            _key(item.get('id')) for item in categories])):
        if len(keys) > len(set(keys) - {None}):
            problems.append(Problem(path, 'ids missing or twice', f'the {what} do not '
                                    'have an id of their own each',
                                    boxes=len(content['annotations'])))
            return
    boxes = defaultdict(list)
    for item in content['annotations']:
        if isinstance(item, dict):
            boxes[_key(item.get('image_id'))].append(item)
    for image in content['images']:
        if not isinstance(image, dict):
            continue
        label = Label(path, (str(image.get('file_name') or ''),),
                      size=whole_size(image.get('width'), image.get('height')))
        for item in boxes.pop(_key(image['id']), []):
            where = f'annotation {item.get("id")}'
            name = names.get(_key(item.get('category_id')))
            if not {'bbox', 'segmentation'} & item.keys():
                continue  # a caption, or a class of the whole picture
            if name is None:
                label.refuse('unknown class', f'{where}: there is no category '
                             f'{item.get("category_id")}')
            elif item.get('bbox') or item.get('segmentation'):
                label.add(name, _edges(item), bool(item.get('iscrowd')), where)
            # others have key points only
        yield label
    problems += [Problem(path, 'no picture', f'annotation {item.get("id")}: there is '
                         f'no image {key}', boxes=1)
                 for key, items in boxes.items() for item in items]


def _edges(item: dict) -> tuple[float, ...]:
    box, polygons = item.get('bbox'), item.get('segmentation')
    try:
        if isinstance(box, list) and len(box) == 4:
            x, y, width, height = map(float, box)
            return x, y, x + width, y + height
        flat = [value for polygon in polygons for value in polygon]
        return around(zip(flat[::2], flat[1::2], strict=True))
    except (TypeError, ValueError, OverflowError):
        return ()


def _key(value: object) -> int | str | None:
    """An id as it is compared: 1, 1.0 and "1" are the same."""
    if (isinstance(value, float) and value.is_integer()) or (
            isinstance(value, str) and value.isdecimal()):
        return int(value)
    return value if isinstance(value, int | str) else None
