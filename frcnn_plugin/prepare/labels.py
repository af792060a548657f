"""What an annotation says about one picture, whatever format it has."""

import math
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ..datasets.orientation import Edges
from ..datasets.problems import Problem
from ..datasets.voc_annotation import MAX_SIDE


class Box(NamedTuple):
    """One annotated box.

    Attributes:
        name: Its class.
        edges: (x1, y1, x2, y2) between edges of pixels: a picture of W x H pixels is
            covered by (0, 0, W, H). In shares of the sides where the label says so.
        difficult: Whether it is neither learnt nor counted.
    """

    name: str
    edges: Edges
    difficult: bool = False


@dataclass
class Label:
    """The annotation of one picture, before it is known which file that is.

    Attributes:
        source: The annotation file.
        names: What it calls the picture: file names or paths, the best first.
        by_stem: Whether the picture may have the name of the annotation file.
        size: Width and height that it states, in pixels.
        boxes: Its boxes.
        shares: Whether they are shares of the picture's sides.
        frame: ``'upright'`` or ``'stored'``, if the annotation says so.
        unnamed: Whether nothing names its classes: they are numbers, or there are none.
        problems: What is wrong with boxes that cannot be used.
        split: The split that it is in, in the words of the data set.
    """

    source: Path
    names: tuple[str, ...] = ()
    by_stem: bool = False
    size: tuple[int, int] | None = None
    boxes: list[Box] = field(default_factory=list)
    shares: bool = False
    frame: str | None = None
    unnamed: bool = False
    problems: list[Problem] = field(default_factory=list)
    split: str | None = None

    @property
    def count(self) -> int:
        """How many boxes it has, usable or not."""
        return len(self.boxes) + len(self.problems)

    def add(self, name: object, edges: object, difficult: bool = False,
            where: str = '') -> None:
        """Add a box, or note what is wrong with it.

        Args:
            name: Its class.
            edges: Four numbers, or texts of numbers.
            difficult: See :class:`Box`.
            where: What to call it in messages.
        """
        where = where or f'box {self.count + 1}'
        text = ' '.join(str('' if name is None else name).split())
        text = ''.join(letter for letter in text if letter.isprintable())
        try:
            numbers = tuple(float(value) for value in edges)
        except (TypeError, ValueError, OverflowError):
            numbers = ()
        if not text:
            self.refuse('no class name', f'{where}: it has no class name')
        elif len(numbers) != 4 or not all(map(math.isfinite, numbers)):
            self.refuse('bad box', f'{where} ({text}): its coordinates are not four '
                        'numbers')
        else:
            x1, y1, x2, y2 = numbers
            if x2 <= x1 or y2 <= y1:
                self.refuse('degenerate box', f'{where} ({text}): degenerate box, '
                            f'{x2 - x1:g} x {y2 - y1:g}')
            else:
                self.boxes.append(Box(text, numbers, difficult))

    @contextmanager
    def shape(self) -> Iterator[None]:
        """Context for reading one shape: an unexpected value makes it a bad box."""
        try:
            yield
        except (AttributeError, IndexError, KeyError, OverflowError, TypeError,
                ValueError) as error:
            self.refuse('bad box', f'box {self.count + 1}: cannot be read '
                        f'({type(error).__name__}: {error})')

    def refuse(self, kind: str, detail: str) -> None:
        """Note a box that cannot be used."""
        self.problems.append(Problem(self.source, kind, detail, boxes=1))


def around(points: Iterable[Iterable[float]]) -> tuple[float, ...]:
    """The box (x1, y1, x2, y2) around (x, y) points; empty if fewer than 2."""
    points = [tuple(float(value) for value in point)[:2] for point in points]
    if len(points) < 2:
        return ()
    x, y = zip(*((x, y) for x, y in points), strict=True)
    return min(x), min(y), max(x), max(y)


def whole_size(width: object, height: object) -> tuple[int, int] | None:
    """A stated size, or None if it is not one."""
    try:
        size = int(float(width)), int(float(height))
    except (TypeError, ValueError, OverflowError):
        return None
    return size if min(size) > 0 and max(size) <= MAX_SIDE else None


def base_name(name: str) -> str:
    """The last part of a path of any system."""
    return re.split(r'[\\/]', name.strip())[-1]
