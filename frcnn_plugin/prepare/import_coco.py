"""Reads a data set in COCO layout, to be written in VOC's."""

from collections import defaultdict
from pathlib import Path

from ..datasets.coco_annotations import read_coco
from ..datasets.problems import Problem
from ..datasets.voc_annotation import VOCObject
from ..errors import ImagesFolderError
from .voc_writer import Picture, bbox_of_edges


def import_coco(path: Path, images: Path,
                split: str) -> tuple[list[Picture], list[Problem]]:
    """The pictures of one annotation file, and what is wrong with boxes left out.

    Crowds come in as difficult boxes, which are neither learnt nor counted.

    Args:
        path: The JSON file.
        images: The folder of its images.
        split: What the split is to be called.

    Raises:
        DataError: If the file is broken or an image is missing.
    """
    content, problems = read_coco(path)
    names = {item['id']: item['name'] for item in content['categories']}
    sizes = {image['id']: (int(image['width']), int(image['height']))
             for image in content['images']}
    objects = defaultdict(list)
    for item in content['annotations']:
        x, y, width, height = item['bbox']
        try:
            bbox = bbox_of_edges((x, y, x + width, y + height), sizes[item['image_id']])
        except ValueError as error:
            problems.append(Problem(path, 'degenerate box',
                                    f'annotation {item["id"]}: {error}'))
            continue
        objects[item['image_id']].append(VOCObject(
            names[item['category_id']], bbox, bool(item.get('iscrowd', 0))))
    pictures = []
    for image in content['images']:
        file = images / image['file_name']
        if not file.is_file():
            raise ImagesFolderError(f'{file}: the image is missing; {path} names it')
        pictures.append(Picture(
            str(Path(image['file_name']).with_suffix('')), file, *sizes[image['id']],
            objects[image['id']], split))
    return pictures, problems
