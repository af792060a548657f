"""Crops of images around a box, embedded in a page as ``data:`` URLs."""

import base64
from collections.abc import Iterable

import cv2
import mmcv
import numpy as np

RED, GREEN = (60, 60, 235), (80, 190, 60)  # BGR: what is wrong, what is annotated
MARGIN = 0.75  # shown on each side of a box, as a share of its longer side
MIN_HALF_SIDE = 48  # pixels of the image from the middle of a crop to its border
WIDTH = 320  # of a picture in the page, pixels


def crop(path: str, bbox: np.ndarray, others: Iterable[np.ndarray]) -> str:
    """The part of an image around a (4,) box, as a URL: it is red, others are green."""
    image = mmcv.imread(path)
    x1, y1, x2, y2 = bbox
    half = max(MIN_HALF_SIDE, (0.5 + MARGIN) * max(x2 - x1, y2 - y1))
    middle_x, middle_y = (x1 + x2) / 2, (y1 + y2) / 2
    left, top = max(0, int(middle_x - half)), max(0, int(middle_y - half))
    part = image[top:int(middle_y + half) + 1, left:int(middle_x + half) + 1]
    scale = WIDTH / part.shape[1]
    part = mmcv.imresize(part, (WIDTH, max(1, round(part.shape[0] * scale))),
                         interpolation='area' if scale < 1 else 'bicubic')
    origin = np.array([left, top, left, top])
    for color, boxes in ((GREEN, others), (RED, [bbox])):
        for box in boxes:
            a, b, c, d = (int(v) for v in ((np.asarray(box) - origin) * scale).round())
            cv2.rectangle(part, (a, b), (c, d), color, 2)
    return data_url(part, quality=82)


def data_url(image_bgr: np.ndarray, quality: int = 88) -> str:
    """A picture as a URL that contains it: ``data:image/jpeg;base64,...``."""
    _, data = cv2.imencode('.jpg', image_bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return 'data:image/jpeg;base64,' + base64.b64encode(data).decode()
