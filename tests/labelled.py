"""Pictures and annotations as people keep them."""

from pathlib import Path

import numpy as np
from PIL import Image

SIZE = 64, 48
BOX = 10, 8, 30, 28  # edges in pixels


def picture(path: Path, seed: int = 0, size=SIZE, **options) -> Path:
    """A picture that no other seed gives."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3))
    Image.fromarray(pixels.astype(np.uint8)).save(path, **options)
    return path


def xml(path: Path, name: str = '', boxes=(('dog', *BOX),), size=SIZE,
        folder: str = '') -> None:
    """As LabelImg writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    objects = ''.join(
        f'<object><name>{label}</name><pose>Unspecified</pose><truncated>0</truncated>'
        f'<difficult>0</difficult><bndbox><xmin>{x1 + 1}</xmin><ymin>{y1 + 1}</ymin>'
        f'<xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>'
        for label, x1, y1, x2, y2 in boxes)
    path.write_text(
        f'<annotation><folder>{folder}</folder><filename>{name}</filename>'
        f'<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth>'
        f'</size>{objects}</annotation>', encoding='utf-8')
