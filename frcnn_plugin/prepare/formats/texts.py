"""Text files with a line a box in pixels: of KITTI, DOTA and OIDv4_ToolKit.

What a detector writes in these formats has one more number, the score, and is passed
over.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ..files import Files, folded
from ..labels import Label, around
from .yolo import MAX_SHARE, NAME_FILES, lines_of

DONT_CARE = 'DontCare'  # KITTI's regions that nobody annotated
DOTA_HEADS = ('imagesource:', 'gsd:')
# where the two write corners; elsewhere four numbers may be a centre and a size
FOLDERS_OF_CORNERS = ('label', 'ground-truth')


class Line(NamedTuple):
    """What a line says.

    Attributes:
        name: The class.
        edges: (x1, y1, x2, y2), in pixels between edges.
        difficult: Whether it is neither learnt nor counted.
    """

    name: str
    edges: tuple[float, ...]
    difficult: bool = False


def of_kitti(words: list[str]) -> Line | None:
    """A class, truncation, occlusion, angle, the box, and seven numbers in space."""
    numbers = _numbers(words[1:])
    if len(words) != 15 or not numbers or _numbers(words[:1]):
        return None
    return Line(words[0], tuple(numbers[3:7]))


def of_dota(words: list[str]) -> Line | None:
    """Four corners, a class, and how difficult it is: 0, 1 or 2."""
    numbers = _numbers(words[:8])
    if len(words) not in (9, 10) or not numbers or _numbers(words[8:9]):
        return None
    return Line(words[8], around(zip(numbers[::2], numbers[1::2], strict=True)),
                words[9:] not in ([], ['0']))


def of_oidv4(words: list[str]) -> Line | None:
    """A class of one or more words, and the corners, first the upper left one."""
    name, numbers = words[:-4], _numbers(words[-4:])
    if not name or not numbers or any(_numbers([word]) for word in name) or (
            max(numbers) <= MAX_SHARE):
        return None
    return Line(' '.join(name), tuple(numbers))


TEXTS: dict[str, Callable[[list[str]], Line | None]] = dict(
    kitti=of_kitti, dota=of_dota, oidv4=of_oidv4)


def read_texts(files: Files) -> dict[str, list[Label]]:
    """The labels of the texts, by format; a text of another kind is passed over.

    If the numbers of one box of OIDv4 cannot be corners, none of its texts is read: in
    all of them they may be a centre and a size.
    """
    found: dict[str, list[Label]] = {name: [] for name in TEXTS}
    corners = True
    for path in files.others['.txt']:
        if path.name in NAME_FILES or folded(path.stem) not in files.by_stem:
            continue
        lines = {number: line for number, line in enumerate(lines_of(path), start=1)
                 if line.strip()}
        boxes = {number: line.split() for number, line in lines.items()
                 if not line.lower().startswith(DOTA_HEADS)}
        for name, parse in TEXTS.items():
            if name == 'oidv4' and path.parent.name.lower() not in FOLDERS_OF_CORNERS:
                continue
            parsed = {number: parse(words) for number, words in boxes.items()}
            heads_only = name == 'dota' and lines and not boxes
            if heads_only or (parsed and all(parsed.values())):
                found[name].append(_label(path, parsed))
                corners &= name != 'oidv4' or all(map(_is_corners, parsed.values()))
                break
    if not corners:
        found['oidv4'] = []
    return found


def _is_corners(line: Line) -> bool:
    x1, y1, x2, y2 = line.edges
    return x1 <= x2 and y1 <= y2


def _label(path: Path, lines: dict[int, Line]) -> Label:
    label = Label(path, by_stem=True)
    for number, line in lines.items():
        if line.name == DONT_CARE:
            label.refuse('region to ignore', f'line {number}: {DONT_CARE}')
        else:
            label.add(line.name, line.edges, line.difficult, f'line {number}')
    return label


def _numbers(words: list[str]) -> list[float]:
    """The numbers that words are; none if one of them is something else."""
    try:
        return [float(word) for word in words]
    except ValueError:
        return []
