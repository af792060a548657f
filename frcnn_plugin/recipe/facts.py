"""What is known of the pictures that a detector will be trained on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..prepare.voc_writer import Picture


@dataclass
class Facts:
    """Pictures to train on, and their boxes.

    Attributes:
        classes: How many boxes each class has, the most frequent first.
        sizes: (N, 2) float, width and height of each picture in pixels.
        boxes: (n, 2) float, width and height of each box in pixels.
        shares: (n,) float, the square root of each box's area as a share of the longer
            side of the input: that of its picture, or more where the picture is less
            elongated than most, so that its shorter side limits its size.
        weights: (n,) float, of each box; those of a class sum to one over the number
            of classes, so that rare ones count as much.
        most: The largest number of boxes in a picture.
        empty: How many of the pictures have no box.
    """

    classes: dict[str, int]
    sizes: np.ndarray
    boxes: np.ndarray
    shares: np.ndarray
    weights: np.ndarray
    most: int
    empty: int

    @property
    def longest(self) -> float:
        """The median of the pictures' longer sides."""
        return float(np.median(self.sizes.max(1)))

    @property
    def aspect(self) -> float:
        """The median of the longer over the shorter side."""
        return aspect_of(self.sizes)

    def quantiles(self, values: np.ndarray, *shares: float) -> np.ndarray:
        """Quantiles of a value of each box, (n,), every class with the same weight.

        ``shares`` are in [0, 1]; as many values come back.
        """
        order = np.argsort(values)
        below = np.cumsum(self.weights[order])
        places = np.searchsorted(below, np.array(shares) * below[-1])
        return values[order][places.clip(max=len(values) - 1)]


def facts_of(pictures: Sequence[Picture]) -> Facts:
    """The facts of some pictures; difficult boxes do not count.

    Raises:
        DataError: If none has a box.
    """
    names, boxes, shares, most, empty = [], [], [], 0, 0
    sizes = np.array([(each.width, each.height) for each in pictures], float)
    limits = np.maximum(sizes.max(1), sizes.min(1) * aspect_of(sizes))
    for picture, longer in zip(pictures, limits, strict=True):
        easy = [item for item in picture.objects if not item.difficult]
        most = max(most, len(easy))
        empty += not easy
        for item in easy:
            x1, y1, x2, y2 = item.bbox
            width, height = x2 - x1 + 1, y2 - y1 + 1
            names.append(item.name)
            boxes.append((width, height))
            shares.append((width * height) ** 0.5 / longer)
    if not boxes:
        raise DataError(f'none of the {len(pictures)} pictures to train on has a box')
    counts = Counter(names)
    weights = np.array([1 / (len(counts) * counts[name]) for name in names])
    return Facts(dict(counts.most_common()), sizes, np.array(boxes, float),
                 np.array(shares), weights, most, empty)


def aspect_of(sizes: np.ndarray) -> float:
    """The median of the longer over the shorter side of (N, 2) sizes."""
    return float(np.median(sizes.max(1) / sizes.min(1)))
