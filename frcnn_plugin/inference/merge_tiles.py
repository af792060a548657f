"""What was found in tiles, as what is in the picture.

Suppression alone leaves two halves of an object that a border cuts: their boxes hardly
overlap. But where two tiles overlap, both have seen the same part of it.
"""

from collections import defaultdict
from itertools import pairwise

import numpy as np

from ..datasets.tiles import area, clip

SAME = 0.5  # IoU from which two boxes are of one object
EDGE = 0.01  # of a tile's sides: a box that ends nearer to a border is cut by it
SURE = 0.3  # of the best score of an object: a box with less does not change its own


def merge(boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray,
          tile: np.ndarray, tiles: np.ndarray, height: int, width: int
          ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One box for each object.

    Boxes of one class in two tiles are of one object if their parts in the overlap of
    the tiles are the same, as far as IoU tells, and a border cuts one of them. Of an
    object that some tile has whole, that box is taken; one that every tile cuts is as
    large as all its parts together. Its score is the best of them. Then boxes suppress
    each other.

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
    partners = partners_of(boxes, labels, tile, tiles, cut)
    boxes, kept, done = boxes.copy(), [], np.zeros(len(boxes), bool)
    for seed in np.argsort(-scores, kind='stable'):
        if done[seed]:
            continue
        members = object_of(seed, partners, scores, tile, done)
        whole = [each for each in members if not cut[each]]
        parts = boxes[whole[:1] or members]
        boxes[seed] = (*parts[:, :2].min(0), *parts[:, 2:].max(0))
        kept.append(seed)
    place = np.array(kept, np.int64)
    place = place[suppress(boxes[place], labels[place], np.ptp(tiles[0, ::2]))]
    return boxes[place], scores[place], labels[place]


def object_of(seed: int, partners: dict[int, list[int]], scores: np.ndarray,
              tile: np.ndarray, done: np.ndarray) -> list[int]:
    """The boxes that are of one object with the best of them, that one first.

    At most one of a tile. Those that are far less sure belong to it, so that they are
    ``done``, but are not among them.
    """
    members, tiles = [seed], {tile[seed]}
    done[seed] = True
    for member in members:  # grows
        for other in sorted(partners.get(member, ()), key=lambda each: -scores[each]):
            if done[other] or tile[other] in tiles:
                continue
            done[other] = True
            if scores[other] >= SURE * scores[seed]:
                members.append(other)
                tiles.add(tile[other])
    return members


def are_cut(boxes: np.ndarray, tiles: np.ndarray, height: int, width: int
            ) -> np.ndarray:
    """(n,) bool: whether a border of its tile, not of the picture, cuts each box."""
    sides = (tiles[:, 2:] - tiles[:, :2]) * EDGE
    inside = np.concatenate([tiles[:, :2] > 0, tiles[:, 2:] < (width, height)], 1)
    near = np.concatenate([boxes[:, :2] <= tiles[:, :2] + sides,
                           boxes[:, 2:] >= tiles[:, 2:] - sides], 1)
    return (inside & near).any(1)


def partners_of(boxes: np.ndarray, labels: np.ndarray, tile: np.ndarray,
                tiles: np.ndarray, cut: np.ndarray) -> dict[int, list[int]]:
    """For each box the others of the same object, in other tiles, if one is cut."""
    partners: dict[int, list[int]] = defaultdict(list)
    order = np.argsort(tile, kind='stable')
    ends = np.searchsorted(tile[order], np.arange(len(tiles) + 1))
    members = [order[start:end] for start, end in pairwise(ends)]
    for number, first in enumerate(members):
        regions = clip(tiles[number], tiles[number + 1:])
        for place in np.flatnonzero(area(regions) > 0):
            second, region = members[number + 1 + place], regions[place]
            if not (len(first) and len(second)):
                continue
            same = iou(clip(boxes[first], region)[:, None],
                       clip(boxes[second], region)) >= SAME
            same &= (labels[first][:, None] == labels[second])
            same &= cut[first][:, None] | cut[second]
            for row, column in zip(*np.nonzero(same), strict=True):
                partners[first[row]].append(second[column])
                partners[second[column]].append(first[row])
    return partners


def iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The IoU (...) of boxes (..., 4) and (..., 4)."""
    both = area(clip(first, second))
    either = area(first) + area(second) - both
    return both / np.where(either > 0, either, 1)


def suppress(boxes: np.ndarray, labels: np.ndarray, cell: float) -> np.ndarray:
    """The (m,) places of boxes that no better one of their class overlaps by SAME.

    Args:
        boxes: (n, 4), the best first.
        labels: (n,) int64.
        cell: Side in pixels of a grid's squares, for speed: a box is compared only with
            those that share a square with it.
    """
    kept: list[int] = []
    near: dict[tuple, list[int]] = defaultdict(list)
    squares = (boxes // max(cell, 1)).astype(int)
    for place, (x1, y1, x2, y2) in enumerate(squares):
        cells = [(labels[place], x, y) for x in range(x1, x2 + 1)
                 for y in range(y1, y2 + 1)]
        others = list({other for each in cells for other in near[each]})
        if (iou(boxes[place], boxes[others]) < SAME).all():
            kept.append(place)
            for each in cells:
                near[each].append(place)
    return np.array(kept, np.int64)
