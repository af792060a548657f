"""Reads a data set in COCO layout as pictures.

Comes in: an annotation file and a folder. Goes out: pictures with boxes, and what was
left out.
"""

from collections import defaultdict
from pathlib import Path

from ..datasets.coco_annotations import read_coco
from ..datasets.problem import Problem
from ..datasets.voc_annotation import VOCObject
from ..errors import UserError
from .voc_writer import Picture


def import_coco(path: Path, images: Path,
                split: str) -> tuple[list[Picture], list[Problem]]:
    """The pictures of one annotation file.

    Crowds come in as difficult boxes, which are neither learnt nor counted.

    Args:
        path: The JSON file.
        images: The folder of its images.
        split: What the split is to be called.

    Raises:
        UserError: If the file is broken or an image is missing.
    """
    content, problems = read_coco(path)
    names = {item['id']: item['name'] for item in content['categories']}
    objects = defaultdict(list)
    for item in content['annotations']:
        x, y, width, height = item['bbox']
        objects[item['image_id']].append(VOCObject(
            names[item['category_id']], (x, y, x + width, y + height),
            bool(item.get('iscrowd', 0))))
    pictures = []
    for image in content['images']:
        file = images / image['file_name']
        if not file.is_file():
            raise UserError(f'{file}: the image is missing; {path} names it. The '
                            'folder of its images is given with --images DIR')
        pictures.append(Picture(
            str(Path(image['file_name']).with_suffix('')), file, int(image['width']),
            int(image['height']), objects[image['id']], split))
    return pictures, problems
