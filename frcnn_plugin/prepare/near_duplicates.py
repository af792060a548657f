"""Pictures that are nearly the same: copies, augmented copies, frames of one video.

If one of them is trained on and another tested, the test tells nothing.
"""

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from ..io.progress import progress

ROBOFLOW = re.compile(r'\.rf\.[0-9a-zA-Z]{10,}$')
AUGMENTED = re.compile(
    r'([ _-]*(aug(mented)?|flip(ped)?|rot(ated?)?|mirror(ed)?|hflip|vflip|blur|noise|'
    r'bright(ness)?|dark|copy|crop(ped)?)[ _-]*\d*)+$|[ _-]*\(\d+\)$', re.IGNORECASE)
SIDE = 16  # of the thumbnails that are compared, in pixels
ALIKE = 0.97  # correlation of the thumbnails of two frames of one video
MAX_PICTURES = 20_000  # that are opened to be compared; beyond, names have to do
MAX_SHARE = 0.3  # of all pictures that one group may hold, before it is cut


def groups_of(pictures: Sequence[Path]) -> dict[Path, int]:
    """A number for each picture, the same for those that are nearly the same.

    Args:
        pictures: Files; neighbours in the order of their names are compared.
    """
    pictures = sorted(pictures, key=_natural)
    first_of: dict[tuple[Path, str], Path] = {}
    leader = {path: first_of.setdefault((path.parent, stem_of_original(path)), path)
              for path in pictures}
    if len(pictures) <= MAX_PICTURES:
        looks = thumbnails(pictures)
        before = None
        for path in pictures:
            if before and path.parent == before.parent and leader[path] == path and (
                    alike(looks[before], looks[path])):
                leader[path] = leader[before]
            before = path
    members = defaultdict(list)
    for path in pictures:
        top = path
        while leader[top] != top:
            top = leader[top]
        members[top].append(path)
    largest = max(1, int(MAX_SHARE * len(pictures)))
    found, number = {}, 0
    for group in members.values():
        # a whole data set out of one video: stretches of it are kept together
        size = max(1, len(pictures) // 20) if len(group) > largest else len(group)
        for begin in range(0, len(group), size):
            found.update(dict.fromkeys(group[begin:begin + size], number))
            number += 1
    return found


def stem_of_original(path: Path) -> str:
    """What a picture was called before it was augmented."""
    stem = ROBOFLOW.sub('', path.stem)
    return (AUGMENTED.sub('', stem) or stem).lower()


def thumbnails(paths: Sequence[Path]) -> dict[Path, np.ndarray | None]:
    """Grey thumbnails, (256,) float32 of mean 0 and norm 1; None if unreadable."""
    if len(paths) < 200:
        return dict(zip(paths, map(thumbnail, paths), strict=True))
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        looks = pool.map(thumbnail, paths, chunksize=16)
        return dict(zip(paths, progress(looks, 'comparing pictures', len(paths)),
                        strict=True))


def thumbnail(path: Path) -> np.ndarray | None:
    """See :func:`thumbnails`."""
    try:
        with Image.open(path) as image:
            image.draft('L', (4 * SIDE, 4 * SIDE))  # a JPEG is decoded in part only
            small = image.convert('L').resize((SIDE, SIDE), Image.Resampling.BOX)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError,
            SyntaxError):
        return None
    values = np.asarray(small, dtype=np.float32).ravel()
    values = values - values.mean()
    return values / max(float(np.linalg.norm(values)), 1e-6)


def alike(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    """Whether two thumbnails show the same."""
    return one is not None and other is not None and float(one @ other) >= ALIKE


def _natural(path: Path) -> tuple:
    """Sorts ``frame_2`` before ``frame_10``."""
    return (str(path.parent), [
        (0, int(part), '') if part.isdecimal() else (1, 0, part.lower())
        for part in re.split(r'(\d+)', path.stem) if part], path.suffix)
