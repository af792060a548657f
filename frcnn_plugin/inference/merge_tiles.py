"""What was found in tiles, as what is in the picture.

Suppression alone leaves two halves of an object that a border cuts: their boxes hardly
overlap. But where two tiles overlap, both have seen the same part of it.
"""

import numpy as np

from ..datasets.tiles import area, clip

SAME = 0.5  # IoU from which two boxes are of one object
EDGE = 0.01  # of a tile's sides: a box that ends nearer to a border is cut by it


def merge(boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray,
          tile: np.ndarray, tiles: np.ndarray, height: int, width: int
          ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One box for each object.

    Boxes of one class in two tiles are of one object if their parts in the overlap of
    the tiles are the same, as far as IoU tells, and a border cuts one of them. Of an
    object that some tile has whole, its cut boxes are dropped; one that every tile
    cuts is as large as all its parts together. Whole boxes suppress each other.

    Args:
        boxes: (n, 4) float32, in pixels of the picture.
        scores: (n,) float32.
        labels: (n,) int64.
        tile: (n,) int64, the tile that each was found in.
        tiles: (t, 4), see :func:`~frcnn_plugin.datasets.tiles.tiles_of`; the whole
            picture may be one of them.
        height, width: Of the picture.

    Returns:
        tuple: Boxes (m, 4), scores (m,) and labels (m,), the best first.
    """
    cut = are_cut(boxes, tiles[tile], height, width)
    groups = np.arange(len(boxes))
    for first, second in pairs(boxes, labels, tile, tiles, cut):
        groups[groups == groups[second]] = groups[first]
    order = np.lexsort((-scores, groups))
    merged = []
    for members in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        whole = members[~cut[members]]
        if len(whole):
            merged += [(*boxes[each], scores[each], labels[each]) for each in whole]
        elif len(members):
            low, high = boxes[members, :2].min(0), boxes[members, 2:].max(0)
            merged.append((*low, *high, scores[members[0]], labels[members[0]]))
    table = np.array(merged, np.float64).reshape(-1, 6)
    boxes, scores = table[:, :4].astype(np.float32), table[:, 4].astype(np.float32)
    labels = table[:, 5].astype(np.int64)
    kept = suppress(boxes, scores, labels)
    return boxes[kept], scores[kept], labels[kept]


def are_cut(boxes: np.ndarray, tiles: np.ndarray, height: int, width: int
            ) -> np.ndarray:
    """Whether each box ends at a border of its tile that is none of the picture."""
    sides = (tiles[:, 2:] - tiles[:, :2]) * EDGE
    inside = np.concatenate([tiles[:, :2] > 0, tiles[:, 2:] < (width, height)], 1)
    near = np.concatenate([boxes[:, :2] <= tiles[:, :2] + sides,
                           boxes[:, 2:] >= tiles[:, 2:] - sides], 1)
    return (inside & near).any(1)


def pairs(boxes: np.ndarray, labels: np.ndarray, tile: np.ndarray, tiles: np.ndarray,
          cut: np.ndarray) -> list[tuple[int, int]]:
    """Places of boxes that are of one object, of which one is cut."""
    found: list[tuple[int, int]] = []
    members = [np.flatnonzero(tile == number) for number in range(len(tiles))]
    for number, region in enumerate(clip(tiles[:, None], tiles[None])):
        for other in np.flatnonzero(area(region) > 0):
            if other <= number:
                continue
            first, second = members[number][:, None], members[other][None]
            if not (first.size and second.size):
                continue
            same = iou(clip(boxes[first], region[other]),
                       clip(boxes[second], region[other])) >= SAME
            same &= (labels[first] == labels[second]) & (cut[first] | cut[second])
            found += [(first[row, 0], second[0, column])
                      for row, column in zip(*np.nonzero(same), strict=True)]
    return found


def iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The IoU (...) of boxes (..., 4) and (..., 4)."""
    both = area(clip(first, second))
    either = area(first) + area(second) - both
    return both / np.where(either > 0, either, 1)


def suppress(boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The places of boxes that no better one of their class overlaps; best first."""
    kept: list[int] = []
    left = np.argsort(-scores, kind='stable')
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        left = left[(iou(boxes[best], boxes[left]) < SAME)
                    | (labels[left] != labels[best])]
    return np.array(kept, np.int64)
