"""Something that is wrong with a file of a data set."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with a file.

    Attributes:
        file: The file.
        kind: Two or three words that are the same for all files.
        detail: What it is in this file.
        costs_data: Whether training loses an image or a box by it.
        boxes: How many boxes training loses by it, as far as they could be counted.
    """

    file: Path
    kind: str
    detail: str
    costs_data: bool = True
    boxes: int = 0

    def __str__(self) -> str:
        return f'{self.file}: {self.detail}'
