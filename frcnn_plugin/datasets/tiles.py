"""Parts of a picture that overlap, for pictures larger than a network's input."""

import numpy as np

from ..errors import UserError

LEAST = 32  # pixels of a side
MOST = 0.9  # of a tile that another one has too
OVERLAP = 0.2  # the share of a tile that its neighbour has too, at least
VISIBLE = 0.4  # the least share of an object that a tile has to show in training


def check_tiles(size: int, overlap: float) -> None:
    """Raise :class:`UserError` if there can be no such tiles."""
    if size < LEAST:
        raise UserError(f'tiles of {size} pixels: they have at least {LEAST}')
    if not 0 <= overlap <= MOST:
        raise UserError(f'an overlap of {overlap:g}: it is a share of a tile, from 0 '
                        f'to {MOST}')


def tiles_of(height: int, width: int, size: int, overlap: float = OVERLAP
             ) -> np.ndarray:
    """Squares that cover a picture, spread evenly; one tile if it is small enough.

    Args:
        height, width: Of the picture in pixels.
        size: Of a tile in pixels; a picture that is narrower has narrower tiles.
        overlap: The least share of a tile that the next one has too, below 1.

    Returns:
        np.ndarray: (n, 4) int64, x1, y1, x2, y2, row by row.
    """
    across, down = (starts(side, size, overlap) for side in (width, height))
    corners = np.array([(x, y) for y in down for x in across])
    return np.concatenate([corners, np.minimum(corners + size, (width, height))], 1)


def starts(side: int, size: int, overlap: float) -> np.ndarray:
    """Where tiles begin along one side of a picture."""
    if side <= size:
        return np.zeros(1, int)
    step = max(1, int(size * (1 - overlap)))
    number = 1 + -(-(side - size) // step)
    return np.linspace(0, side - size, number).round().astype(int)


def cut(boxes: np.ndarray, tile: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a tile (4,) shows of boxes (n, 4).

    Returns:
        tuple: (n, 4) visible parts, in pixels of the tile, and the (n,) share of each
        box's area that is visible.
    """
    seen = clip(boxes, tile)
    return seen - np.tile(tile[:2], 2), area(seen) / np.maximum(area(boxes), 1e-9)


def clip(boxes: np.ndarray, tiles: np.ndarray) -> np.ndarray:
    """The parts of boxes (..., 4) in tiles (..., 4); without area where there is none.

    The shapes must broadcast.
    """
    low = np.maximum(boxes[..., :2], tiles[..., :2])
    high = np.maximum(low, np.minimum(boxes[..., 2:], tiles[..., 2:]))
    return np.concatenate([low, high], -1)


def area(boxes: np.ndarray) -> np.ndarray:
    """The areas (...) of boxes (..., 4)."""
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
