"""Annotations as labelling tools write them, each format in a file of its own.

The libraries that read many of them (supervision, globox, datumaro) skip what they do
not understand; here every file and every box is counted.
"""

import json
from pathlib import Path

from ...datasets.problems import Problem
from ...datasets.voc_annotation import read_xml
from ...errors import DataError
from ...io.progress import progress
from ..files import Files
from ..labels import Label
from .coco import is_coco, read_coco_labels
from .cvat import read_cvat
from .json_tools import JSON_TOOLS
from .pascal_voc import read_voc
from .tables import read_table
from .texts import TEXTS, read_texts
from .yolo import read_yolo

# by how much a file of the format tells: of two for one picture the first is taken
FORMATS = ('voc', 'cvat', 'coco', *JSON_TOOLS, *TEXTS, 'csv', 'yolo')


def read_labels(files: Files, only: str | None = None
                ) -> tuple[dict[str, list[Label]], list[Problem]]:
    """The labels of all annotation files, by format.

    Args:
        files: What lies in the folder.
        only: One of ``FORMATS``, to read no other.

    Returns:
        tuple: The labels, and the files and boxes that could not be read.
    """
    labels: dict[str, list[Label]] = {name: [] for name in FORMATS}
    problems: list[Problem] = []
    paths = [*files.others['.xml'], *files.others['.json'], *files.others['.csv']]
    for path in progress(paths, 'reading annotations', quiet=200):
        try:
            kind, found = read_file(path, problems)
        except DataError as error:
            reason = str(error).removeprefix(f'{path}: ')
            problems.append(Problem(path, 'unreadable annotation', reason))
            continue
        if kind and only in (None, kind):
            labels[kind] += found
    in_pixels = read_texts(files) if only in (None, *TEXTS) else {}
    labels |= {name: found for name, found in in_pixels.items() if only in (None, name)}
    if only in (None, 'yolo'):
        others = {label.source for found in in_pixels.values() for label in found}
        labels['yolo'] = list(read_yolo(files, others))
    return labels, problems


def read_file(path: Path, problems: list[Problem]) -> tuple[str | None, list[Label]]:
    """The format of one file and its labels; None if it is no annotation.

    Raises:
        DataError: If it cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix == '.csv':
        found = read_table(path)
        return ('csv', found) if found else (None, [])
    if suffix == '.xml':
        root = read_xml(path)
        if root.tag == 'annotation':
            return 'voc', [read_voc(path, root)]
        if root.tag == 'annotations' and (
                root.find('image') is not None or root.find('track') is not None):
            return 'cvat', list(read_cvat(path, root))
        return None, []
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f'{path}: not a readable JSON file ({error})') from error
    if is_coco(content):
        return 'coco', list(read_coco_labels(path, content, problems))
    for name, read in JSON_TOOLS.items():
        try:
            found = read(path, content)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise DataError(f'{path}: like a file of {name}, but it cannot be read '
                            f'({type(error).__name__}: {error})') from error
        if found is not None:
            return name, list(found)
    return None, []
