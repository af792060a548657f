"""Reads one annotation file of COCO."""

import json
import math
from pathlib import Path, PurePosixPath

from ..errors import DataError
from .problems import Problem


def read_coco(path: Path) -> tuple[dict, list[Problem]]:
    """Read one JSON file of instances.

    Args:
        path: The file.

    Returns:
        tuple: The content, with only the annotations of a known image and category
        whose box is at least a pixel wide and high and overlaps the image; and what is
        wrong with each of the others.

    Raises:
        DataError: If the file is missing, is not JSON with images, annotations and
            categories, has an id twice, lacks the size of an image or the name of a
            category, or names an image outside its folder.
    """
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise DataError(f'{path}: the annotation file is missing') from error
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f'{path}: not a readable JSON file ({error})') from error
    images = _table(path, content, 'images')
    categories = _table(path, content, 'categories')
    for image in images.values():
        _check_image(path, image)
    for category in categories.values():
        if not isinstance(category.get('name'), str):
            raise DataError(f'{path}: category {category["id"]} has no name')
    kept, skipped = [], []
    for item in _table(path, content, 'annotations').values():
        problem = _problem_of(item, images, categories)
        if problem:
            skipped.append(Problem(path, problem[0],
                                   f'annotation {item["id"]}: {problem[1]}'))
        else:
            width, height = item['bbox'][2:]
            item.setdefault('area', width * height)
            kept.append(item)
    return {**content, 'annotations': kept}, skipped


def edges_of(item: dict) -> tuple[float, float, float, float]:
    """The box of an annotation as (x1, y1, x2, y2)."""
    x, y, width, height = item['bbox']
    return x, y, x + width, y + height


def _table(path: Path, content: object, name: str) -> dict[int | str, dict]:
    """The entries of one of the lists by their ids."""
    entries = content.get(name) if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise DataError(f'{path}: has no list of {name}; this is not a file of '
                        'instances in COCO format')
    table: dict = {}
    for entry in entries:
        key = entry.get('id') if isinstance(entry, dict) else None
        if not isinstance(key, int | str):
            raise DataError(f'{path}: an entry of {name} has no id: '
                            f'{json.dumps(entry)[:60]}')
        if key in table:
            raise DataError(f'{path}: the id {key} occurs twice in {name}')
        table[key] = entry
    return table


def _check_image(path: Path, image: dict) -> None:
    """Refuse an image without a size, or with a name that leads out of the folder."""
    name = image.get('file_name')
    if not isinstance(name, str) or not name:
        raise DataError(f'{path}: image {image["id"]} has no file_name')
    parts = PurePosixPath(name.replace('\\', '/'))
    if parts.is_absolute() or '..' in parts.parts or '\0' in name or '://' in name:
        raise DataError(f'{path}: refused, image {image["id"]} is called {name!r}, '
                        'which leads out of the folder of the images')
    for side in ('width', 'height'):
        if not (_is_number(image.get(side)) and image[side] >= 1):
            raise DataError(f'{path}: image {image["id"]} ({name}) has no {side}')


def _problem_of(item: dict, images: dict, categories: dict) -> tuple[str, str] | None:
    """What is wrong with an annotation: the kind, and what it is here."""
    image = images.get(_hashable(item.get('image_id')))
    if image is None:
        return 'no image', f'there is no image {item.get("image_id")}'
    if _hashable(item.get('category_id')) not in categories:
        return 'unknown class', f'there is no category {item.get("category_id")}'
    box = item.get('bbox')
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
        return 'bad box', f'its bbox is {json.dumps(box)[:60]}, not four numbers'
    x, y, width, height = box
    where = f'{image["file_name"]}, bbox {box}'
    if not _is_number(item.get('area', 1)):
        return 'bad box', f'its area is {json.dumps(item["area"])[:60]}, not a number'
    if width < 1 or height < 1 or item.get('area', 1) <= 0:
        return 'degenerate box', f'degenerate box ({where}), less than a pixel'
    if (x >= image['width'] or y >= image['height'] or x + width <= 0
            or y + height <= 0):
        return 'box outside', f'the box lies outside the image ({where})'
    return None


def _hashable(key: object) -> int | str | None:
    return key if isinstance(key, int | str) else None


def _is_number(value: object) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)
            and math.isfinite(value))
