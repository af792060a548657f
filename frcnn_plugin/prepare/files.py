"""The files of a folder, found once: pictures, and what may describe them."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from ..datasets.voc_layout import IMAGE_SUFFIXES
from ..errors import DataError

# pictures that people keep and nothing here reads
OTHER_PICTURES = ('.gif', '.heic', '.heif', '.avif', '.jfif', '.jp2', '.ppm', '.pgm')
SHOW_EVERY = 2000  # files between two counts on the screen


@dataclass
class Files:
    """What lies in a folder and its subfolders.

    Attributes:
        root: The folder.
        pictures: Pictures of any format, sorted.
        others: The other files by suffix in lower case, sorted.
        folders: How many folders there are.
        broken: Links that lead nowhere.
    """

    root: Path
    pictures: list[Path] = field(default_factory=list)
    others: dict[str, list[Path]] = field(default_factory=lambda: defaultdict(list))
    folders: int = 0
    broken: list[Path] = field(default_factory=list)

    @cached_property
    def by_name(self) -> dict[str, list[Path]]:
        """Pictures by their file name, in lower case."""
        return grouped(self.pictures, lambda path: folded(path.name))

    @cached_property
    def by_stem(self) -> dict[str, list[Path]]:
        """Pictures by their name without suffix, in lower case."""
        return grouped(self.pictures, lambda path: folded(path.stem))

    def relative(self, path: Path) -> Path:
        """A path as seen from the folder."""
        return path.relative_to(self.root) if path.is_relative_to(self.root) else path


def folded(name: str) -> str:
    """A name to compare: in lower case, accents composed, which macOS stores apart."""
    return unicodedata.normalize('NFC', name).lower()


def grouped(paths: Iterable[Path],
            key: Callable[[Path], Hashable]) -> dict[Hashable, list[Path]]:
    """Paths by what a function makes of them, in their order."""
    found = defaultdict(list)
    for path in paths:
        found[key(path)].append(path)
    return found


def find_files(root: Path, only: list[str] | None = None) -> Files:
    """Look through a folder; links are followed, hidden files passed over.

    Args:
        root: The folder.
        only: Subfolders to look into; None for everything.

    Raises:
        DataError: If one of them is missing, or is not below the folder.
    """
    files = Files(root)
    seen: set[tuple[int, int]] = set()
    count = 0
    with Console(stderr=True).status(escape(str(root))) as status:
        for top in [root / each for each in only] if only else [root]:
            if not top.resolve().is_relative_to(root.resolve()):
                raise DataError(f'{top}: is not a subfolder of {root}')
            if not top.is_dir():
                raise DataError(f'{top}: no such folder')
            for folder, folders, names in os.walk(top, followlinks=True):
                here = os.stat(folder)
                if (here.st_dev, here.st_ino) in seen:  # a link that leads back
                    folders.clear()
                    continue
                seen.add((here.st_dev, here.st_ino))
                folders[:] = sorted(name for name in folders if not _hidden(name))
                files.folders += 1
                for name in sorted(names):
                    if not _hidden(name):
                        _add(files, Path(folder, name))
                        count += 1
                        if count % SHOW_EVERY == 0:
                            status.update(escape(f'{root}: {count} files'))
    files.pictures.sort()
    return files


def _hidden(name: str) -> bool:
    return name.startswith('.') or name == '__MACOSX'


def _add(files: Files, path: Path) -> None:
    suffix = path.suffix.lower()
    if path.is_symlink() and not path.exists():
        files.broken.append(path)
    elif suffix in IMAGE_SUFFIXES or suffix in OTHER_PICTURES:
        files.pictures.append(path)
    elif path.name == 'detections.json' and path.with_name(
            'detections.run.json').is_file():
        pass  # found by a detector, and annotated by nobody
    else:
        files.others[suffix].append(path)
