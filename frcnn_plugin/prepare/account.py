"""What came in, what is used and what is left out: it has to add up."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from .labels import Label


def number(count: int, word: str) -> str:
    """A number of things in words: 1 box, 2 boxes."""
    return f'{count} {word}' if count == 1 else (
        f'{count} {word}{"es" if word.endswith(("s", "x")) else "s"}')


class LeftOut(NamedTuple):
    """Something that is not used.

    Attributes:
        file: The picture or the annotation.
        reason: Why, in the same words for all files.
        detail: What it is in this file.
        boxes: How many boxes go with it.
    """

    file: Path
    reason: str
    detail: str
    boxes: int = 0


@dataclass
class Account:
    """Counts of pictures and boxes: found, used and left out.

    Attributes:
        pictures: How many pictures there are.
        boxes: How many boxes all annotations have, usable or not.
        used_pictures: How many pictures are in the result.
        used_boxes: How many boxes are in the result.
        left_pictures: Pictures that are left out.
        left_boxes: Boxes, or whole annotations, that are left out.
    """

    pictures: int = 0
    boxes: int = 0
    used_pictures: int = 0
    used_boxes: int = 0
    left_pictures: list[LeftOut] = field(default_factory=list)
    left_boxes: list[LeftOut] = field(default_factory=list)

    def leave_out(self, label: Label, reason: str, detail: str = '') -> None:
        """Note that an annotation is not used, with all of its boxes."""
        self.left_boxes.append(LeftOut(label.source, reason, detail, label.count))

    def rows(self) -> list[tuple[str, int, int]]:
        """(what, pictures, boxes): found, used, and left out by reason."""
        pictures = Counter(item.reason for item in self.left_pictures)
        boxes: Counter = Counter()
        for item in self.left_boxes:
            boxes[item.reason] += item.boxes
        reasons = sorted({*pictures, *boxes},
                         key=lambda reason: (-boxes[reason], -pictures[reason], reason))
        return [('found', self.pictures, self.boxes),
                ('used', self.used_pictures, self.used_boxes),
                *((f'left out: {reason}', pictures[reason], boxes[reason])
                  for reason in reasons)]

    def adds_up(self) -> bool:
        """Whether nothing was lost on the way."""
        (_, pictures, boxes), *rest = self.rows()
        return (pictures == sum(row[1] for row in rest)
                and boxes == sum(row[2] for row in rest))
