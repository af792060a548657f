"""An unfinished file of proposals: a folder with one small file for each image.

Each part is whole or absent, so that an interrupted search can continue.
"""

import json
import shutil
import signal
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np

from ..datasets.proposals import read_arrays
from ..errors import DataError, ProposalsError, ProposalsExistError
from ..io.whole_files import whole_or_absent
from .selective_search import selective_search

SETTINGS = 'settings.json'


@dataclass
class Settings:
    """What the proposals of an image depend on, besides the image."""

    folders: list[str]  # in VOC layout
    num: int  # of regions per image at most
    quality: bool  # the search in its slow mode, which finds more regions
    max_side: int  # the longer side, in pixels, that images are shrunk to; 0 for never
    opencv: str = cv2.__version__


def open_parts(out: Path, settings: Settings, overwrite: bool) -> Path:
    """The folder of parts for a file of proposals: ``OUT.parts``, with the settings.

    With ``overwrite``, parts that exist are deleted, and the file is replaced later.

    Raises:
        ProposalsExistError: If there are parts of other settings, or the file exists
            and there are no parts of a search that replaces it.
    """
    parts = out.with_name(f'{out.name}.parts')
    if overwrite:
        shutil.rmtree(parts, ignore_errors=True)
    if parts.is_dir():
        try:
            before = json.loads((parts / SETTINGS).read_text())
        except (OSError, ValueError):
            before = {}
        changed = [f'{name} {before.get(name)} instead of {value}'
                   for name, value in asdict(settings).items()
                   if before.get(name) != value]
        if changed:
            raise ProposalsExistError(
                f'{parts}: holds parts of a search with other settings '
                f'({", ".join(changed)})')
        return parts
    if out.exists() and not overwrite:
        raise ProposalsExistError(f'{out}: exists already')
    beginning = parts.with_name(f'{parts.name}.tmp')
    beginning.mkdir(parents=True, exist_ok=True)
    (beginning / SETTINGS).write_text(json.dumps(asdict(settings)))
    return beginning.replace(parts)


def part_of(parts: Path, key: str) -> Path:
    """The part of an image, by its name in the file of proposals."""
    return parts / f'{quote(key, safe="")}.npz'


def begin_workers() -> None:
    """Set up a process that searches: one thread, and Ctrl-C left to its parent."""
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def search(image: Path, part: Path, settings: Settings) -> None:
    """Search one image and write its part; :class:`DataError` if it cannot be read."""
    try:
        image_bgr = cv2.imread(str(image))  # turned as its EXIF says, as mmdet reads it
    except cv2.error as error:
        raise DataError(f'{image}: not a readable image ({error.err})') from error
    if image_bgr is None:
        raise DataError(f'{image}: not a readable image')
    bboxes, scores = selective_search(
        image_bgr, settings.num, settings.quality, settings.max_side)
    with whole_or_absent(part) as file:
        np.savez(file, bboxes=bboxes, scores=scores)


def read_part(part: Path) -> dict[str, np.ndarray]:
    """The ``bboxes`` (n, 4) and ``scores`` (n,) of one image, float32."""
    try:
        return read_arrays(part, ('bboxes', 'scores'))
    except ProposalsError as error:
        raise DataError(f'{error}; delete it and search again') from error
