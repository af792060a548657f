"""Something that is wrong with a file of a data set."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        file: The file.
        kind: What it is, in two or three words that do not differ from file to file.
        detail: What it is in this file.
        loses: Whether training loses something by it: an image, or a box.
    """

    file: Path
    kind: str
    detail: str
    loses: bool = True

    def __str__(self) -> str:
        return f'{self.file}: {self.detail}'
