"""The unfinished file of proposals: a folder with one small file for each image.

Comes in: images, and how to search them. Goes out: parts that are whole or absent, so
that an interrupted search can go on.
"""

import json
import shutil
import signal
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np

from ..errors import UserError
from ..io.whole_files import whole_or_absent
from .selective_search import selective_search

SETTINGS = 'settings.json'


@dataclass
class Settings:
    """What the proposals of an image depend on.

    Attributes:
        folders: The folders in VOC layout.
        num: The most regions of an image.
        quality: Whether the search is the thorough one.
        max_side: The longer side, in pixels, that images are shrunk to; 0 for never.
        opencv: Its version.
    """

    folders: list[str]
    num: int
    quality: bool
    max_side: int
    opencv: str = cv2.__version__


def open_parts(out: Path, settings: Settings, overwrite: bool) -> Path:
    """The folder of parts for a file of proposals.

    Args:
        out: The file.
        settings: How the search is made.
        overwrite: Whether to throw away parts that are there, and the file later.

    Returns:
        Path: ``OUT.parts``, with these settings in it.

    Raises:
        UserError: If parts of other settings are there, or the file itself is there
            and nothing was begun that would replace it.
    """
    parts = out.with_name(f'{out.name}.parts')
    if overwrite:
        shutil.rmtree(parts, ignore_errors=True)
    path = parts / SETTINGS
    if parts.is_dir():
        try:
            before = json.loads(path.read_text())
        except (OSError, ValueError):
            before = {}
        changed = [f'{name} {before.get(name)} and not {value}'
                   for name, value in asdict(settings).items()
                   if before.get(name) != value]
        if changed:
            raise UserError(f'{parts}: holds parts of a search with other settings '
                            f'({", ".join(changed)}); go on with those, or start anew '
                            'with --overwrite')
        return parts
    if out.exists() and not overwrite:
        raise UserError(f'{out}: is there already; make it anew with --overwrite, or '
                        'choose another --out')
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
    """Search one image and write its part.

    Raises:
        UserError: If the image can not be read.
    """
    try:
        image_bgr = cv2.imread(str(image))  # turned as its EXIF says, as mmdet reads it
    except cv2.error as error:
        raise UserError(f'{image}: not a readable image ({error.err})') from error
    if image_bgr is None:
        raise UserError(f'{image}: not a readable image')
    bboxes, scores = selective_search(
        image_bgr, settings.num, settings.quality, settings.max_side)
    with whole_or_absent(part) as file:
        np.savez(file, bboxes=bboxes, scores=scores)


def read_part(part: Path) -> dict[str, np.ndarray]:
    """The ``bboxes`` (n, 4) and ``scores`` (n,) of one image, float32.

    Raises:
        UserError: If the file is damaged.
    """
    try:
        with np.load(part) as content:
            return dict(bboxes=content['bboxes'], scores=content['scores'])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f'{part}: damaged, no file of arrays ({type(error).__name__}); '
                        'delete it, and the same command makes it again') from error
