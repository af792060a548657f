"""Generates the demo's shapes as a data set in VOC layout."""

import json
from pathlib import Path

import cv2
import numpy as np

from ..io.progress import progress
from .shapes import CLASSES, draw_image
from .voc_writer import voc_annotation

FOLDERS = ('JPEGImages', 'Annotations', 'ImageSets/Main')


def make_shapes(root: Path, counts: dict[str, int], seed: int = 0) -> bool:
    """Generate the data set, unless it exists already with the same settings.

    Each picture is drawn by its own generator, seeded with the seed, the place of its
    split in ``counts`` and its number, so that a split does not depend on the size of
    another and shares no picture with it.

    Args:
        root: The folder, created if it is missing.
        counts: Number of pictures of each split.
        seed: Seed of everything random.

    Returns:
        bool: Whether it was generated now.
    """
    recipe = json.dumps(dict(counts=counts, seed=seed, classes=CLASSES, version=1))
    marker = root / 'shapes.json'  # written last, so an interrupted run starts again
    if marker.is_file() and marker.read_text() == recipe:
        return False
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    marker.unlink(missing_ok=True)
    for index, (split, count) in enumerate(counts.items()):
        names = [f'{split}_{number:05d}' for number in range(count)]
        for number, name in enumerate(progress(names, f'{root} {split}')):
            rng = np.random.default_rng([seed, index, number])
            image, shapes = draw_image(rng)
            path = root / 'JPEGImages' / f'{name}.jpg'
            cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 95])
            height, width, depth = image.shape
            (root / 'Annotations' / f'{name}.xml').write_bytes(voc_annotation(
                path.name, (width, height, depth), shapes))
        listing = root / 'ImageSets' / 'Main' / f'{split}.txt'
        listing.write_text('\n'.join(names) + '\n')
    marker.write_text(recipe)
    return True
