"""One annotation for each picture, and each picture once."""

import hashlib
from collections import Counter
from pathlib import Path

from ..io.progress import progress
from .account import Account, LeftOut
from .files import Files, grouped
from .formats import FORMATS
from .labels import Label
from .link import Linker
from .splits import SPLITS, canonical, of_path

SAME_PICTURE = 'the same picture again'
Linked = dict[Path, tuple[Label, str]]  # of each picture: annotation and format


def link_all(files: Files, labels: dict[str, list[Label]], account: Account) -> Linked:
    """The annotation of each picture.

    Where a picture has several, :func:`better_of` chooses one; the others are left out.

    Args:
        files: All pictures.
        labels: All annotations by format.
        account: What is left out is noted there.
    """
    linker, linked = Linker(files), {}
    pairs = [(name, label) for name in FORMATS for label in labels[name]]
    named = any(label.boxes and not label.unnamed for _, label in pairs)
    for name, label in progress(pairs, 'finding pictures', quiet=2000):
        path, reason = linker.find(label)
        account.boxes += label.count
        if path is None:
            kind = 'no picture' if reason.startswith('there') else 'several pictures'
            account.leave_out(label, kind, reason)
        elif label.unnamed and label.boxes and named:
            # numbers beside names would be classes of their own
            account.leave_out(label, 'classes without names')
        elif path in linked:
            linked[path] = better_of(files, path, linked[path], (label, name), account)
        else:
            linked[path] = label, name
    return linked


def better_of(files: Files, path: Path, one: tuple[Label, str],
              other: tuple[Label, str], account: Account) -> tuple[Label, str]:
    """Which of two annotations of one picture counts; the other is left out.

    Of two formats, that of ``one``, unless only ``other`` has boxes. Within a format,
    that of the picture's own name, else of its split, else with more boxes. Two COCO
    files with different classes and boxes are merged into ``one``.
    """
    (old, kind), (new, name) = one, other
    if kind != name:
        keep, drop = (one, new) if old.count or not new.count else (other, old)
        account.leave_out(drop, f'the same picture also as {keep[1]}')
        return keep
    same = Counter(old.boxes) == Counter(new.boxes)
    if name == 'coco' and old.source != new.source and are_of_other_classes(old, new):
        old.boxes += new.boxes  # a file for each class
        old.problems += new.problems
        return one
    keep, drop = sorted((old, new), reverse=True, key=lambda label: (
        label.source.with_suffix('') == path.with_suffix(''),
        canonical(label.source.stem) in SPLITS and (
            canonical(label.source.stem) == of_path(files.relative(path))),
        len(label.boxes),
        canonical(label.source.stem) in SPLITS, label is old))
    keep.split = keep.split or drop.split
    account.leave_out(drop, 'the same annotation again' if same
                      else 'another annotation of the same picture')
    return keep, kind


def are_of_other_classes(one: Label, other: Label) -> bool:
    """Whether two annotations, read the same way, share neither a class nor a box."""
    names, edges = ([{box[place] for box in label.boxes} for label in (one, other)]
                    for place in (0, 1))
    return (not names[0] & names[1] and not edges[0] & edges[1]
            and one.shares == other.shares and one.size == other.size
            and one.frame == other.frame)


def drop_equal(files: Files, linked: Linked, account: Account) -> None:
    """Of pictures with the same bytes, keep only the one with the most boxes.

    A copy in another folder of the same split, whose annotation is of the same format
    and of other classes, adds its boxes: there is a folder for each class.
    """
    by_size = grouped(sorted(linked), lambda path: path.stat().st_size)
    by_size.pop(0, None)  # they are empty, and no pictures
    for paths in by_size.values():
        kept: dict[bytes, Path] = {}
        for path in paths if len(paths) > 1 else ():
            digest = hashlib.blake2b(path.read_bytes()).digest()
            other = kept.setdefault(digest, path)
            if other == path:
                continue
            if len(linked[path][0].boxes) > len(linked[other][0].boxes):
                kept[digest], path, other = path, other, path
            where = str(files.relative(other))
            account.left_pictures.append(LeftOut(path, SAME_PICTURE, where))
            (copy, kind), (kept_label, kept_kind) = linked.pop(path), linked[other]
            same_split = copy.split == kept_label.split and (
                of_path(files.relative(path)) == of_path(files.relative(other)))
            if (same_split and kind == kept_kind and path.parent != other.parent
                    and are_of_other_classes(copy, kept_label)):
                kept_label.boxes += copy.boxes
                kept_label.problems += copy.problems
            else:
                account.leave_out(copy, SAME_PICTURE, where)
