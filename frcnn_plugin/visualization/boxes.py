"""Draws detections with Pillow alone."""

import colorsys
import logging
from importlib.util import find_spec

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..inference import Prediction

LEAST = 400  # pixels of the shorter side of a picture, so that labels can be read
MOST = 4000  # pixels of the longer side, beyond which no picture is enlarged
GOLDEN = 0.618034  # of the circle of hues; multiples of it never come close

log = logging.getLogger(__name__)


class BoxDrawer:
    """Draws the detections of one set of classes, each in a colour of its own."""

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.colors = [tuple(round(255 * part) for part in colorsys.hsv_to_rgb(
            number * GOLDEN % 1, 0.75, 0.95)) for number in range(len(classes))]
        self.font_file = None  # Pillow's own, which is Latin
        if not ''.join(classes).isascii():
            if find_spec('matplotlib'):
                from ..io.fonts import font_for

                self.font_file = font_for(classes).fname
            else:
                log.warning('names of classes may be drawn as squares: without '
                            'matplotlib there are Latin letters only')

    def __call__(self, image: np.ndarray, found: Prediction) -> np.ndarray:
        """An (H, W, 3) uint8 image, BGR, with its boxes; enlarged if it is small."""
        picture = Image.fromarray(np.ascontiguousarray(image[..., ::-1]))
        factor = max(1.0, min(LEAST / min(picture.size), MOST / max(picture.size)))
        if factor > 1:
            picture = picture.resize([round(side * factor) for side in picture.size],
                                     Image.Resampling.BICUBIC)
        thick = max(2, round(min(picture.size) / 250))
        height = max(12, round(min(picture.size) / 32))
        font = (ImageFont.truetype(self.font_file, height) if self.font_file
                else ImageFont.load_default(height))
        draw = ImageDraw.Draw(picture)
        limit = np.tile(picture.size, 2) - 1
        for box, score, label, name in reversed(list(zip(
                found.boxes, found.scores, found.labels, found.names, strict=True))):
            left, top, right, bottom = (box * factor).clip(0, limit).tolist()
            color = self.colors[label]
            draw.rectangle([left, top, right, bottom], outline=color, width=thick)
            text = f'{" ".join(name.split())} {score:.2f}'
            ends = draw.textbbox((0, 0), text, font, anchor='lt')
            left = max(0, min(left, picture.width - ends[2] - 4))
            top = top - ends[3] - 5 if top > ends[3] + 5 else top
            draw.rectangle([left, top, left + ends[2] + 4, top + ends[3] + 4], color)
            draw.text((left + 2, top + 2), text, 'black', font, anchor='lt')
        return np.asarray(picture)[..., ::-1]
