"""The lines of results as one document, as COCO lists detections."""

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from ..io.whole_files import whole_or_absent


def write_coco(results: Path, target: Path, classes: tuple[str, ...]) -> None:
    """Make a COCO document of results; the memory does not grow with them.

    It has ``images``: of each picture or video ``id``, ``file_name``, ``width`` and
    ``height``; ``annotations``: of each detection what ``lines.py`` lists, with
    ``id``, ``image_id``, ``file_name`` and in a video ``frame``; and ``categories``.
    """
    categories = [dict(id=number, name=name) for number, name in enumerate(classes)]
    with whole_or_absent(target) as file:
        for begin, entries in ((b'{"images": [', images(results)),
                               (b'],\n"annotations": [', annotations(results)),
                               (b'],\n"categories": [', categories)):
            file.write(begin)
            write_entries(file, iter(entries))
        file.write(b']}\n')


def write_entries(file: BinaryIO, entries: Iterator[dict]) -> None:
    """One a line, with commas between them."""
    for first in entries:
        file.write(b'\n' + json.dumps(first).encode())
        file.writelines(b',\n' + json.dumps(entry).encode() for entry in entries)


def numbered(results: Path) -> Iterator[tuple[int, bool, dict]]:
    """For each line without an error: its image's id, whether that is new, the line.

    The frames of a video are one image.
    """
    number, video = -1, None
    with results.open('rb') as lines:
        for line in map(json.loads, lines):
            new = 'frame' not in line or line['file_name'] != video
            if 'error' in line:
                continue
            number += new
            yield number, new, line
            video = line['file_name'] if 'frame' in line else None


def images(results: Path) -> Iterator[dict]:
    """The entries of all images."""
    return (dict(id=number, **{key: line[key] for key in (
        'file_name', 'width', 'height')})
        for number, new, line in numbered(results) if new)


def annotations(results: Path) -> Iterator[dict]:
    """The entries of all detections."""
    every = chain.from_iterable(
        ((number, line, found) for found in line['detections'])
        for number, _, line in numbered(results))
    for place, (number, line, found) in enumerate(every, 1):  # 0 is none to COCO
        frame = dict(frame=line['frame']) if 'frame' in line else {}
        yield dict(id=place, image_id=number, file_name=line['file_name'], **found,
                   **frame)
