"""Makes pictures with boxes out of a folder of any layout."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import DataError, ImagesFolderError
from ..io.progress import progress
from .account import Account, LeftOut, number
from .combine import drop_equal, link_all
from .files import Files, find_files
from .formats import FORMATS, read_labels
from .placement import name_pictures, picture_of
from .voc_writer import Picture


@dataclass
class Understood:
    """A folder, understood.

    Attributes:
        files: What lies in it.
        pictures: What can be used, each with a name of its own.
        formats: How many pictures have an annotation of each format.
        account: What was found, used and left out.
    """

    files: Files
    pictures: list[Picture] = field(default_factory=list)
    formats: Counter = field(default_factory=Counter)
    account: Account = field(default_factory=Account)


def understand(root: Path, kind: str | None = None, only: list[str] | None = None,
               frame: str | None = None, file: Path | None = None) -> Understood:
    """Find out what a folder holds.

    Args:
        root: The folder.
        kind: The only format to read, one of ``FORMATS``; None for all.
        only: The only subfolders to look into.
        frame: Which way round the boxes of all pictures are that have an EXIF
            orientation, ``'upright'`` or ``'stored'``; None to decide for each.
        file: The only annotation file to read; None for all of the folder.

    Raises:
        DataError: If no picture with a box is left.
    """
    files = find_files(root, only)
    if file:
        files.others = defaultdict(list, {file.suffix.lower(): [file]})
    found = Understood(files)
    account = found.account
    account.pictures = len(files.pictures) + len(files.broken)
    account.left_pictures += [LeftOut(path, 'a link that leads nowhere', '')
                              for path in files.broken]
    labels, problems = read_labels(files, kind)
    for problem in problems:
        account.boxes += problem.boxes
        account.left_boxes.append(
            LeftOut(problem.file, problem.kind, problem.detail, problem.boxes))
    linked = link_all(files, labels, account)
    counts = Counter(name for _, name in linked.values())
    found.formats = Counter({name: counts[name] for name in FORMATS if counts[name]})
    drop_equal(files, linked, account)
    for path, (label, _) in progress(sorted(linked.items()), 'reading sizes',
                                     quiet=2000):
        picture = picture_of(path, label, frame, account)
        if picture:
            found.pictures.append(picture)
    note_unannotated(found)
    account.used_pictures = len(found.pictures)
    account.used_boxes = sum(len(picture.objects) for picture in found.pictures)
    name_pictures(found.pictures, root)
    if not account.used_boxes:
        error = ImagesFolderError if file else DataError
        raise error(nothing_left(found, sum(map(len, labels.values()))))
    return found


def note_unannotated(found: Understood) -> None:
    """Count the pictures that no annotation is of."""
    used = {picture.image for picture in found.pictures}
    known = used.union(item.file for item in found.account.left_pictures)
    stems = {path.stem.lower() for path in used}
    for path in found.files.pictures:
        if path not in known:
            found.account.left_pictures.append(LeftOut(path, (
                'no annotation, a picture of the same name has one'
                if path.stem.lower() in stems else 'no annotation'), ''))


def nothing_left(found: Understood, annotations: int) -> str:
    """Why no picture with a box is left, in one line."""
    root, account = found.files.root, found.account
    if not account.pictures:
        kinds = ', '.join(sorted(kind for kind, files in found.files.others.items()
                                 if kind and files))
        return f'{root}: no picture in it' + (f', only {kinds}' if kinds else '')
    if not annotations:
        other = next((f'; {item.file}: {item.detail}'
                      for item in account.left_boxes if item.detail), '')
        return (f'{root}: {number(account.pictures, "picture")}, and no annotation '
                f'in a format that is read: {", ".join(FORMATS)}{other}')
    why = '; '.join(
        f'{name.removeprefix("left out: ")} ({number(pictures, "picture")}, '
        f'{number(boxes, "box")})' for name, pictures, boxes in account.rows()[2:5])
    return (f'{root}: {number(account.pictures, "picture")} and '
            f'{number(annotations, "annotation")}, and no picture with a box is left: '
            f'{why or "the annotations have no boxes"}')
