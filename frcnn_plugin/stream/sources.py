"""The pictures and videos to detect in, one after another."""

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from ..errors import UserError

IMAGES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
VIDEOS = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v')
FEW = 10_000  # files of a folder that are put in the order of their names


class Source(NamedTuple):
    """A picture or a video.

    Attributes:
        path: Where it is.
        name: Relative to what was given.
    """

    path: Path
    name: str

    @property
    def is_video(self) -> bool:
        """Whether its suffix is that of a video."""
        return self.path.suffix.lower() in VIDEOS


def sources(text: str, besides: Path | None = None) -> Iterator[Source]:
    """The images and videos that a word names, one by one, always in the same order.

    The files of a folder come in the order of their names; those of a folder with more
    than 10,000 as the file system lists them, for sorting would need all of them.

    Args:
        text: An image, a video, a folder, a pattern, ``@FILE`` for a list of files, or
            ``-`` for a list on standard input.
        besides: A folder that is left out.

    Raises:
        UserError: If there is no image or video, or the list cannot be read.
    """
    root = root_of(text)
    found = (in_list(text, besides) if root is None
             else in_files(text, root, besides))
    first = next(found, None)
    if first is None:
        exists = root is None or Path(os.path.expanduser(text)).exists() or any(
            glob.iglob(text, recursive=True))
        raise UserError(f'{text}: no image or video in it; supported extensions: '
                        f'{", ".join(IMAGES + VIDEOS)}' if exists else
                        f'{text}: no such image, folder or video')
    return chain([first], found)


def root_of(text: str) -> Path | None:
    """The folder that names are relative to; None for a list.

    It is the folder itself, that of the file, or the part of a pattern before its first
    wildcard.
    """
    if text == '-' or text.startswith('@'):
        return None
    root = Path(os.path.expanduser(text))
    if root.is_dir():
        return root
    wild = [glob.has_magic(part) for part in root.parts]
    if root.is_file() or not any(wild):
        return root.parent
    return Path(*root.parts[:wild.index(True)])


def in_files(text: str, root: Path, besides: Path | None) -> Iterator[Source]:
    """The files of a folder or a pattern, or one file; none from below ``besides``."""
    given = Path(os.path.expanduser(text))
    if given == root:
        files: Iterable[str] = walk(str(root))
    elif given.is_file():
        files = [str(given)]
    else:
        files = filter(os.path.isfile,
                       in_order(glob.iglob(str(given), recursive=True)))
    out = None
    if besides is not None and besides.resolve() != root.resolve():
        with suppress(ValueError):  # it does not lie in the root
            out = os.path.join(os.path.normpath(
                root / besides.resolve().relative_to(root.resolve())), '')
    for file in files:
        if file.lower().endswith(IMAGES + VIDEOS) and not (
                out and os.path.normpath(file).startswith(out)):
            path = Path(file)
            yield Source(path, path.relative_to(root).as_posix())


def in_list(text: str, besides: Path | None) -> Iterator[Source]:
    """Those that the lines of a file name, relative to the current folder.

    Raises:
        UserError: If the file cannot be read.
    """
    out = besides and os.path.join(besides.resolve(), '')
    try:
        with (os.fdopen(os.dup(sys.stdin.fileno()), encoding='utf-8-sig', errors=(
                'surrogateescape')) if text == '-' else
              open(text[1:], encoding='utf-8-sig', errors='surrogateescape')) as lines:
            for line in lines:
                line = line.rstrip('\r\n')
                if '\0' in line:
                    raise UserError(f'{text}: is not encoded in UTF-8')
                if line and not (out and os.path.abspath(line).startswith(out)):
                    path = Path(line)
                    yield Source(path, name_below(path))
    except OSError as error:
        raise UserError(f'{text}: a list of files was expected '
                        f'({error.strerror})') from error


def is_read_once(text: str) -> bool:
    """Whether it is a list that is gone when it has been read."""
    return text == '-' or (text.startswith('@') and not Path(text[1:]).is_file())


def name_below(path: Path) -> str:
    """A relative name that leads to no folder above."""
    if path.is_absolute() or '..' in path.parts:
        path = Path(os.path.abspath(path))
        path = path.relative_to(path.anchor)
    return path.as_posix()


def walk(folder: str) -> Iterator[str]:
    """All files below a folder; links to folders are not followed.

    A folder that may not be read is left out.
    """
    try:
        entries = os.scandir(folder)
    except PermissionError:
        return
    with entries:
        for entry in in_order(entries, key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=False):
                yield from walk(entry.path)
            elif entry.is_file():
                yield entry.path


def in_order(items: Iterable, key=None) -> Iterator:
    """Sorted, if there are few."""
    items = iter(items)
    first = list(islice(items, FEW + 1))
    if len(first) <= FEW:
        first.sort(key=key)
    return chain(first, items)


def batches(items: Iterable[Source], size: int) -> Iterator[list[Source]]:
    """Pictures that follow each other, so many at once, or one video."""
    batch: list[Source] = []
    for item in items:
        if batch and (item.is_video or len(batch) == size):
            yield batch
            batch = []
        if item.is_video:
            yield [item]
        else:
            batch.append(item)
    if batch:
        yield batch
