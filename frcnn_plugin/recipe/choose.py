"""What follows from the facts: the size of the input, anchors, flips."""

import re

import numpy as np

from .facts import Facts

SMALL = 32.0  # pixels of the input that the smaller boxes should have
INPUTS = (512, 1024)  # least and most of the input's longer side
MULTIPLE = 32
TINY = 16.0  # pixels of the input: if more than a tenth of the boxes are smaller, tiles
ROOM = 0.6  # of a tile, that the larger boxes take at most
FEWER = 0.7  # of the pictures' longer side: larger tiles are not worth it
SPREAD = (0.05, 0.95)  # the quantiles of boxes that anchors are made for
SIDED = re.compile(r'(?i)(^|[^a-z])(left|right|links|rechts|gauche|droite)([^a-z]|$)')


def input_size(facts: Facts) -> tuple[int, int]:
    """Longer and shorter side that pictures are resized to, their shape kept.

    So large that nine of ten boxes, with each class counting the same, have
    :data:`SMALL` pixels and more, within :data:`INPUTS`; the median picture is enlarged
    to the lower limit only.
    """
    small = float(facts.quantiles(facts.shares, 0.1)[0])
    longer = min(max(SMALL / small, INPUTS[0]), INPUTS[1])
    longer = rounded(min(longer, max(facts.longest, INPUTS[0])))
    return longer, rounded(longer / facts.aspect)


def tile_size(facts: Facts) -> int | None:
    """The side in pixels of the squares that pictures are cut into; None: they stay.

    Pictures are cut if they would be shrunk, and more than a tenth of the boxes, with
    each class counting the same, would be smaller than :data:`TINY` pixels then, unless
    a tile would be almost as large as a picture (:data:`FEWER`). The smaller boxes have
    :data:`SMALL` pixels in the input of a tile, unless the larger ones would not fit.
    """
    low, high = facts.quantiles(np.sqrt(facts.boxes.prod(1)), 0.1, SPREAD[1])
    small = float(facts.quantiles(facts.shares, 0.1)[0])
    side = rounded(max(INPUTS[0] * low / SMALL, high / ROOM, INPUTS[0] / 2))
    tiny = facts.longest > INPUTS[1] and small * INPUTS[1] < TINY
    return side if tiny and side < FEWER * facts.longest else None


def rounded(value: float, multiple: int = MULTIPLE) -> int:
    """The nearest multiple of a number, above 0."""
    return max(multiple, multiple * round(value / multiple))


def anchor_sizes(facts: Facts, longer: int) -> list[float]:
    """Sizes of anchors in pixels of the input, at most a factor of 2 apart.

    They divide the range from the 5th to the 95th percentile of the boxes' sizes on a
    logarithmic scale.
    """
    low, high = facts.quantiles(facts.shares, *SPREAD) * longer
    return [round(float(size), 1) for size in spaced(low, high, 2)]


def anchor_ratios(facts: Facts) -> list[float]:
    """Heights over widths of anchors: three or more, at most a factor of 2 apart."""
    ratios = facts.boxes[:, 1] / facts.boxes[:, 0]
    low, high = facts.quantiles(ratios, *SPREAD)
    return [float(f'{ratio:.3g}') for ratio in spaced(low, high, 3)]


def spaced(low: float, high: float, least: int) -> np.ndarray:
    """The middles of at least so many parts of a range, each of a factor of 2 at most.

    A range too short for that many is widened about its middle.
    """
    number = max(least, int(np.ceil(np.log2(high / low))))
    reach = max(high / low, 1.99**least)
    return (low * high) ** 0.5 * reach ** ((np.arange(number) + 0.5) / number - 0.5)


def may_flip(facts: Facts) -> bool:
    """Whether a mirror image shows the same classes: no name says left or right."""
    return not any(SIDED.search(name) for name in facts.classes)
