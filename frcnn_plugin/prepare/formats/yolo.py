"""Text files with a line a box: ``class x y width height``, in shares of the sides."""

import math
import os
from collections.abc import Container, Iterator
from functools import cache
from pathlib import Path

import yaml

from ..files import Files, folded
from ..labels import Label, around
from .tables import text_of

NAME_FILES = ('classes.txt', 'obj.names', '_darknet.labels', 'predefined_classes.txt',
              'labels.txt', 'class.names', 'classes.names', 'obj_names.txt')
MAX_SHARE = 2.0  # of a side: more is in pixels
OWN_YAML = ('data', 'dataset')  # what the YAML file of a data set is called


class PlainLoader(yaml.SafeLoader):
    """Reads ``no`` as a word: it may be the name of a class."""

    yaml_implicit_resolvers = {
        first: [each for each in found if each[0] != 'tag:yaml.org,2002:bool']
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def read_yolo(files: Files, others: Container[Path] = ()) -> Iterator[Label]:
    """The text files of boxes; a polygon counts as the box around it.

    Args:
        files: What lies in the folder.
        others: Texts of another format.
    """
    finder = NameFinder(files)
    for path in files.others['.txt']:
        if path.name in NAME_FILES or path in others:
            continue
        lines = lines_of(path)
        rows = [_row(line) for line in lines if line.strip()]
        stem = folded(path.stem)
        has_picture = stem in files.by_stem or stem in files.by_name
        if not (all(map(_is_box, rows)) and rows if not has_picture else
                not rows or any(row and len(row) >= 5 for row in rows)):
            continue  # some other text
        highest = max((row[0] for row in rows if row and not isinstance(row[0], str)),
                      default=0)
        yield label_of(path, lines, finder.names(path.parent, highest),
                       finder.keypoints(path.parent))


def sides_of(row: list) -> list[float]:
    """The numbers of a line that are places in the picture."""
    return row[1:5] if len(row) < 7 else row[1:]


def label_of(path: Path, lines: list[str], names: dict[int, str],
             keypoints: int = 0) -> Label:
    """The label that the lines of a file make.

    Args:
        path: The file.
        lines: All of them; blank ones hold no box.
        names: The classes by number.
        keypoints: How many numbers of key points follow each box.
    """
    label = Label(path, by_stem=True, shares=True, unnamed=not names)
    pixels = any(abs(side) > MAX_SHARE for row in map(_row, lines)
                 if row and len(row) >= 5 for side in sides_of(row))
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where, row = f'line {number}', _row(line)
        if row and keypoints and len(row) == 5 + keypoints:
            row = row[:5]
        if not row or len(row) < 5 or (len(row) > 6 and len(row) % 2 == 0):
            label.refuse('bad box', f'{where}: {line.strip()[:60]!r} is not class, '
                         'x, y, width, height')
        elif pixels and max(map(abs, sides_of(row))) > 1.001:
            label.refuse('bad box', f'{where}: in pixels, not in shares of the sides')
        elif isinstance(row[0], str):
            label.add(row[0], _edges(row), where=where)
        elif row[0] != int(row[0]) or (names and int(row[0]) not in names):
            known = f', only 0 to {max(names)}' if names else ''
            label.refuse('unknown class',
                         f'{where}: there is no class {row[0]:g}{known}')
        else:
            label.add(names.get(int(row[0]), f'class {row[0]:g}'), _edges(row),
                      where=where)
    return label


def _is_box(row: list | None) -> bool:
    return bool(row) and len(row) >= 5 and not isinstance(row[0], str) and (
        row[0] == int(row[0])) and all(0 <= value <= 1.001 for value in row[1:])


class NameFinder:
    """Finds the names of the classes that belong to a folder of labels."""

    def __init__(self, files: Files) -> None:
        self.root = files.root
        suffixes = ('.txt', '.names', '.labels', '.yaml', '.yml')
        self.folders = list(dict.fromkeys(
            path.parent for suffix in suffixes for path in files.others[suffix]
            if path.name in NAME_FILES or suffix in ('.names', '.yaml', '.yml')))
        self.names_in = cache(names_in)

    def names(self, folder: Path, highest: float = 0) -> dict[int, str]:
        """By number: of the nearest file that has some, or the only ones elsewhere.

        A list that is too short for the highest number gives way to a longer one that
        begins in the same way.
        """
        every = [names for names in map(self.names_in, self.folders) if names]
        near = next((names for each in self._above(folder)
                     if (names := self.names_in(each))), None)
        if near is None:
            same = all(names == every[0] for names in every)
            return every[0] if every and same else {}
        if highest > max(near):
            return next((names for names in every if len(names) > len(near) and all(
                names.get(key, '').lower() == name.lower()
                for key, name in near.items())), near)
        return near

    def keypoints(self, folder: Path) -> int:
        """How many numbers of key points a line has, as ``kpt_shape`` says."""
        for each in self._above(folder):
            for config in configs_of(each) if each in self.folders else ():
                shape = config.get('kpt_shape')
                if isinstance(shape, list) and all(
                        isinstance(value, int) for value in shape):
                    return math.prod(shape)
        return 0

    def _above(self, folder: Path) -> list[Path]:
        return [each for each in (folder, *folder.parents)
                if each.is_relative_to(self.root)]


def names_in(folder: Path) -> dict[int, str]:
    """The names that a YAML file or a list of a folder gives."""
    for config in configs_of(folder):
        names = config['names']
        if isinstance(names, dict) and all(str(key).isdecimal() for key in names):
            return {int(key): str(name) for key, name in names.items()}
        if isinstance(names, list) and names:
            return dict(enumerate(map(str, names)))
    for file in [*(folder / name for name in NAME_FILES),
                 *(folder / 'labels' / name for name in NAME_FILES),
                 *sorted(folder.glob('*.names'))]:
        if file.is_file():
            lines = '\n'.join(map(str.strip, lines_of(file))).rstrip('\n').split('\n')
            if any(lines):
                return {number: line for number, line in enumerate(lines) if line}
    return {}


def configs_of(folder: Path) -> Iterator[dict]:
    """The YAML files of a folder that describe a data set.

    Those whose training pictures are in this folder come first. Files that are not YAML
    or name no classes are passed over.
    """
    paths = [*folder.glob('*.yaml'), *folder.glob('*.yml')]
    paths.sort(key=lambda path: (path.stem not in OWN_YAML, path.name))
    found = []
    for path in paths:
        try:
            content = yaml.load(text_of(path), PlainLoader)
        except (yaml.YAMLError, ValueError, OSError, RecursionError):
            continue
        if isinstance(content, dict) and 'names' in content:
            found.append(content)
    yield from sorted(found, key=lambda config: not _is_here(folder, config))


def _is_here(folder: Path, config: dict) -> bool:
    """Whether its pictures to train on are in a folder."""
    train = config.get('train')
    for place in train if isinstance(train, list) else [train]:
        if not isinstance(place, str):
            continue
        parts = [part for part in place.replace('\\', '/').split('/')
                 if part not in ('', '.', '..')]
        if any(os.path.exists(folder.joinpath(*parts[begin:]))
               for begin in range(len(parts))):
            return True
    return False


def lines_of(path: Path) -> list[str]:
    """The lines of a text file; none if it cannot be read."""
    try:
        return path.read_text(encoding='utf-8-sig').splitlines()
    except UnicodeDecodeError:
        return path.read_text(encoding='latin-1').splitlines()
    except OSError:
        return []


def _row(line: str) -> list | None:
    """A class, as a number or a word, and numbers; None if it is something else."""
    first, *words = line.replace(',', ' ').split() or ['']
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        return None
    try:
        kind = float(first)
    except ValueError:
        kind = first if len(words) == 4 and first[:1].isalpha() else None
    finite = all(map(math.isfinite, numbers)) and (
        not isinstance(kind, float) or math.isfinite(kind))
    return [kind, *numbers] if finite and kind is not None else None


def _edges(row: list) -> tuple[float, ...]:
    if len(row) in (5, 6):  # the sixth is a score
        x, y, width, height = row[1:5]
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2
    return around(zip(row[1::2], row[2::2], strict=True))
