"""Draws the pictures of the demo: shapes on textures, with their visible boxes.

Only its outline tells what a shape is: colours, textures, sizes, angles and places of
all classes come from the same distributions.
"""

import cv2
import numpy as np

from ..datasets.voc_annotation import VOCObject

CLASSES = ('circle', 'square', 'triangle', 'star')
SIZES = ((160, 128), (128, 160))  # width, height in pixels
RADIUS = (14, 34)  # of the circle about a shape, in pixels, before areas are evened
COUNT = (1, 6)  # fewest and most shapes that are tried in an image
MIN_VISIBLE = 0.65  # share of each shape that later ones must not cover
MIN_CONTRAST = 45  # mean difference in grey levels between a shape and its ground


def outline(name: str) -> np.ndarray:
    """(n, 2) corners of a shape in the unit circle."""
    if name == 'circle':
        return _on_circle(48)
    if name == 'square':
        return _on_circle(4)
    if name == 'triangle':
        return _on_circle(3)
    if name == 'star':
        points = _on_circle(10)
        points[1::2] *= 0.42
        return points
    raise ValueError(f'no shape {name!r}; there are {", ".join(CLASSES)}')


def _on_circle(num: int) -> np.ndarray:
    angles = np.arange(num) * (2 * np.pi / num)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def texture(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """A cloudy, grainy, sometimes striped surface: (height, width, 3) float32."""
    color = rng.uniform(40, 215, 3)
    cells = rng.integers(2, 9)
    clouds = rng.normal(0, 1, (cells, cells, 3)).astype(np.float32)
    clouds = cv2.resize(clouds, (width, height), interpolation=cv2.INTER_CUBIC)
    surface = color + rng.uniform(5, 22) * clouds
    if rng.random() < 0.4:
        angle, period = rng.uniform(0, np.pi), rng.uniform(5, 24)
        y, x = np.mgrid[:height, :width]
        phase = (x * np.cos(angle) + y * np.sin(angle)) * (2 * np.pi / period)
        surface = surface + (rng.normal(0, 12, 3) * np.sin(phase)[..., None])
    grain = rng.normal(0, rng.uniform(1, 8), (height, width, 1))
    return (surface + grain).astype(np.float32)


def draw_image(rng: np.random.Generator) -> tuple[np.ndarray, list[VOCObject]]:
    """One picture.

    Returns:
        tuple: (H, W, 3) uint8 BGR image, and at least one shape with the box of its
        visible part.
    """
    while True:
        width, height = SIZES[rng.integers(len(SIZES))]
        image = texture(rng, width, height)
        owner = np.full((height, width), -1)  # which shape a pixel shows
        areas: list[int] = []
        names: list[str] = []
        for _ in range(rng.integers(COUNT[0], COUNT[1] + 1)):
            name = CLASSES[rng.integers(len(CLASSES))]
            mask = _shape_mask(rng, name, width, height)
            inside = mask > 0.5
            if not _leaves_visible(owner, inside, areas):
                continue
            surface = _contrasting_texture(rng, image, inside)
            image = image + mask[..., None] * (surface - image)
            owner[inside] = len(names)
            areas.append(int(inside.sum()))
            names.append(name)
        if names:
            break
    noisy = image + rng.normal(0, 3, image.shape)
    shapes = [VOCObject(name, _box(owner == index)) for index, name in enumerate(names)]
    return np.clip(noisy, 0, 255).astype(np.uint8), shapes


def _shape_mask(rng: np.random.Generator, name: str, width: int,
                height: int) -> np.ndarray:
    """(height, width) float32 cover of a shape at a random place, size and angle."""
    # all classes cover about the same area, so that size does not tell the class
    radius = rng.uniform(*RADIUS)
    points = outline(name)
    area = 0.5 * abs(np.dot(points[:, 0], np.roll(points[:, 1], 1))
                     - np.dot(points[:, 1], np.roll(points[:, 0], 1)))
    radius = min(radius * np.sqrt(1.8 / area), RADIUS[1] * 1.25)
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = radius * points @ turn.T
    low, high = -points.min(0), (width, height) - points.max(0) - 1
    points = points + rng.uniform(low, np.maximum(high, low + 1))
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return (mask / 255).astype(np.float32)


def _leaves_visible(owner: np.ndarray, inside: np.ndarray, areas: list[int]) -> bool:
    """Whether each earlier shape stays visible enough under a new one."""
    if inside.sum() < 60:
        return False
    return all(((owner == index) & ~inside).sum() >= MIN_VISIBLE * area
               for index, area in enumerate(areas))


def _contrasting_texture(rng: np.random.Generator, image: np.ndarray,
                         inside: np.ndarray) -> np.ndarray:
    """A surface that stands out from what is below the shape and around it."""
    kernel = np.ones((9, 9), np.uint8)
    around = cv2.dilate(inside.astype(np.uint8), kernel).astype(bool)
    below = image[around].mean(0)
    height, width = inside.shape
    while True:
        surface = texture(rng, width, height)
        if np.abs(surface[inside].mean(0) - below).mean() >= MIN_CONTRAST:
            return surface


def _box(visible: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(visible.any(1)), np.flatnonzero(visible.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])
