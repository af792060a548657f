"""Where on its picture a box is, and what the picture is called among all."""

from collections import Counter
from pathlib import Path

from ..datasets.orientation import PictureSize, place, read_size
from ..datasets.voc_annotation import VOCObject
from ..datasets.voc_layout import FLAGS, is_image
from ..errors import DataError
from .account import Account, LeftOut
from .labels import Label
from .voc_writer import Picture, bbox_of_edges


def picture_of(path: Path, label: Label, frame: str | None,
               account: Account) -> Picture | None:
    """A picture with the boxes of its annotation, or None if it cannot be used.

    Args:
        path: The picture.
        label: Its annotation.
        frame: Which way round the boxes are, if that is known for all.
        account: What is left out is noted there.
    """
    reason = detail = ''
    if not is_image(path):
        reason, detail = f'{path.suffix.lower()} is not read', 'convert it to .jpg'
    else:
        try:
            size = read_size(path)
        except DataError as error:
            reason = 'unreadable picture'
            detail = str(error).removeprefix(f'{path}: ')
        else:
            boxes, note = placed(label, size, frame)
            if boxes is None:
                reason = ('size of another picture' if note.startswith('says') else
                          'unknown orientation')
                detail = note
    if reason:
        account.left_pictures.append(LeftOut(path, reason, detail))
        account.leave_out(label, reason, detail)
        return None
    for problem in label.problems:
        account.left_boxes.append(
            LeftOut(problem.file, problem.kind, problem.detail, problem.boxes))
    objects: dict[VOCObject, None] = {}
    for box, edges in zip(label.boxes, boxes, strict=True):
        try:
            item = VOCObject(box.name, bbox_of_edges(edges, size.upright),
                             box.difficult)
            kind = 'the same box again' if item in objects else ''
            detail = f'{box.name} {item.bbox}'
        except ValueError as error:
            kind, detail = 'box outside or without area', f'{box.name}: {error}'
        if kind:
            account.left_boxes.append(LeftOut(label.source, kind, detail, 1))
        else:
            objects[item] = None
    return Picture(
        str(path.with_suffix('')), path, *size.upright, list(objects), label.split,
        label.source, turned=size.orientation != 1,
        moved=boxes != [box.edges for box in label.boxes] and not label.shares)


def placed(label: Label, size: PictureSize,
           frame: str | None) -> tuple[list | None, str]:
    """The boxes on the upright picture, and what was done; see ``place``."""
    boxes = [box.edges for box in label.boxes]
    frame = frame or label.frame
    if not label.shares:
        return place(size, label.size, boxes, frame, strict=True)
    if not boxes or size.orientation == 1:
        frame = 'upright'
    elif frame is None and size.upright != size[:2]:  # a stated size is all that tells
        frame = {size.upright: 'upright', size[:2]: 'stored'}.get(label.size)
    if frame is None:
        return place(size, None, [(0, 0, 1, 1)])
    sides = (size.upright if frame == 'upright' else size[:2]) * 2
    return place(size, None, [
        tuple(share * side for share, side in zip(box, sides, strict=True))
        for box in boxes], frame)


def name_pictures(pictures: list[Picture], root: Path) -> None:
    """Give each picture a name of its own: that of its file, with folders if need be.

    Names that differ in upper and lower case only count as equal: some file systems
    cannot tell them apart.
    """
    stems = Counter(Path(picture.name).name.lower() for picture in pictures)
    taken: set[str] = set()
    for picture in pictures:
        path = Path(picture.name)
        inside = path.is_relative_to(root) and stems[path.name.lower()] > 1
        name = clean_name(str(path.relative_to(root)) if inside else path.name)
        while name.lower() in taken:
            name += '_2'
        taken.add(name.lower())
        picture.name = name


def clean_name(name: str) -> str:
    """A name that a line of a split file can hold, without suffix and flag."""
    name = ''.join(letter if letter.isprintable() else '_' for letter in name).strip()
    head, _, tail = name.rpartition(' ')
    if head and tail in FLAGS:
        name = f'{head}_{tail}'
    if is_image(Path(name)):
        name = '_'.join(name.rsplit('.', 1))
    return name or 'picture'
