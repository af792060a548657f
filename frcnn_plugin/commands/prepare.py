"""``frcnn prepare``: a folder of annotated pictures becomes one to train on."""

import argparse
import csv
import io
from collections import Counter
from pathlib import Path
from shlex import quote

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from ..errors import UserError
from ..io.large_image import allow_large_pictures
from ..prepare.account import Account, number
from ..prepare.prepare_folder import (
    LEFT_OUT,
    Splits,
    choose_splits,
    name_in_place,
    write_folder,
    write_missing_splits,
)
from ..prepare.understand import Understood, understand
from ..prepare.voc_writer import Picture
from ..stream.lines import printable
from .former import warn_of_former
from .parser import parse

DEVKIT = Path('data/VOCdevkit')
DOWNLOADS = {'2007': ('trainval', 'test'), '2012': ('trainval',)}
PLACED_BY_HAND = {'unknown orientation', 'size of another picture'}
MAX_LINES = 5  # about what is left out for one reason; the file has all


def prepare(argv: list[str] | None = None) -> Path:
    """Run ``frcnn prepare``.

    Returns the folder in VOC layout.
    """
    return run(parse('prepare', argv))


def run(args: argparse.Namespace) -> Path:
    """Prepare what the arguments name."""
    warn_of_former(args)
    allow_large_pictures()
    if args.voc:
        return download(args.voc, args.out or DEVKIT)
    shares = shares_of(args.split)
    if shares and args.name:
        raise UserError('--name says that all of it is one split, and --split makes '
                        'several: give one of the two')
    root, file = source_of(args)
    found = understand(root, 'coco' if file else args.kind, args.only, args.frame, file)
    in_place = args.out is None and name_in_place(found, args.frame)
    lists = root / 'ImageSets' / 'Main'
    if in_place and shares and any(lists.glob('*.txt')):
        raise UserError(f'{lists}: has split files already; delete them first, or make '
                        'a folder elsewhere with -o DIR')
    splits = choose_splits(found, shares, args.seed, args.name if file else None)
    out = root if in_place else args.out or Path(f'{root.resolve().name}_voc')
    say(found, splits)
    if args.dry_run:
        print(f'nothing is written; without --dry-run {out} would be')
        return out
    classes = classes_of(splits)
    if in_place:
        write_missing_splits(found, splits)
    else:
        write_folder(found, splits, out, args.copy, {
            'classes.txt': ''.join(f'{name}\n' for name in classes),
            LEFT_OUT: left_out(found.account, splits.rest)})
    sizes = ', '.join(f'{split} {len(members)}'
                      for split, members in splits.members.items() if members)
    print(f'{out}: {sizes}')
    dashed = not in_place and any(name.startswith('-') for name in classes)
    named = [str(out / 'classes.txt')] if dashed else classes
    print(f'now: frcnn train {quote(str(out))}, or with a config: frcnn train CONFIG '
          f'--data-root {quote(str(out))} --classes {" ".join(map(quote, named))}')
    return out


def source_of(args: argparse.Namespace) -> tuple[Path, Path | None]:
    """The folder to look through, and the annotation file if only one is meant.

    Raises:
        UserError: If nothing is named, or what is named is not there.
    """
    file = args.from_coco
    root = args.folder or args.from_folder or args.from_yolo
    if root and root.is_file():
        if root.suffix.lower() != '.json':
            raise UserError(f'{root}: name the folder, or one COCO file')
        root, file = None, root
    if file:
        if not file.is_file():
            raise UserError(f'{file}: the annotation file is missing')
        return args.images or default_images(file), file
    if root is None:
        raise UserError('name the folder with the pictures: frcnn prepare DIR')
    if not root.is_dir():
        raise UserError(f'{root}: no such folder')
    return root, None


def default_images(annotations: Path) -> Path:
    """Where the images of an annotation file usually are."""
    for folder in (annotations.parent / 'images', annotations.parent.parent / 'images'):
        if folder.is_dir():
            return folder
    return annotations.parent


def shares_of(split: list[float] | None) -> tuple[float, float, float] | None:
    """The shares of train, val and test.

    Raises:
        UserError: If they are no shares.
    """
    if not split:
        return None
    if len(split) > 2 or not (min(split) > 0 and sum(split) <= 1 + 1e-9):
        raise UserError(f'--split {" ".join(map(str, split))}: one or two shares '
                        'above 0 and together at most 1')
    train = split[0]
    val = split[1] if len(split) == 2 else (1 - train) / 2
    left = 1 - train - val
    return train, val, left if left > 1e-9 else 0.0


def say(found: Understood, splits: Splits) -> None:
    """Print what was found and decided, and what is left out."""
    root, account = found.files.root, found.account
    kinds = ', '.join(f'{count} {name}' for name, count in found.formats.items())
    counts = Counter(item.name for picture in found.pictures
                     for item in picture.objects)
    print(f'{root}: {number(account.pictures, "picture")} in '
          f'{number(found.files.folders, "folder")}; {account.used_pictures} with '
          f'{number(account.used_boxes, "box")} of {number(len(counts), "class")} are '
          f'used (annotations: {kinds})')
    moved = sum(picture.moved for picture in found.pictures)
    if moved:
        print(f'the boxes of {moved} pictures are moved with them: those are stored '
              'turned, or were resized after they were labelled')
    print(splits.how)
    shown = Counter()
    for item in account.left_boxes:
        shown[item.reason] += 1
        if item.detail and shown[item.reason] <= MAX_LINES:
            print(printable(f'left out {item.file}: {item.detail}'))
    if shown.keys() & PLACED_BY_HAND:
        print('some pictures are left out because nothing tells where their boxes '
              'belong; --frame upright takes the boxes as they are, --frame stored '
              'turns them with their pictures')
    rows = account.rows()
    if len(rows) > 2 or splits.rest:
        table = Table(Column('', overflow='fold'), 'pictures', 'boxes')
        for name, pictures, boxes in rows:
            table.add_row(name, str(pictures), str(boxes))
        if splits.rest:
            boxes = sum(len(picture.objects) for picture in splits.rest)
            table.add_row('used, but in no split', str(len(splits.rest)), str(boxes))
        Console().print(table)
    table = Table(Column('class', overflow='fold'), 'boxes', *splits.members)
    of_split = {name: Counter(item.name for picture in members
                              for item in picture.objects)
                for name, members in splits.members.items()}
    for name, count in counts.most_common():
        table.add_row(escape(name), str(count), *(str(each[name])
                                           for each in of_split.values()))
    Console().print(table)


def classes_of(splits: Splits) -> list[str]:
    """The classes that can be trained, the most frequent first."""
    trained = splits.members.get('train') or next(iter(splits.members.values()))
    counts = Counter(item.name for picture in trained for item in picture.objects)
    return [name for name, _ in counts.most_common()]


def left_out(account: Account, rest: list[Picture]) -> str:
    """A table of all that is not used, a line each; ``rest`` is in no split."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(('file', 'reason', 'in detail', 'boxes'))
    writer.writerows((str(item.file), item.reason, item.detail, item.boxes)
                     for item in (*account.left_pictures, *account.left_boxes))
    writer.writerows((str(picture.image), 'in no split', '', len(picture.objects))
                     for picture in rest)
    return text.getvalue()


def download(years: list[str], out: Path) -> Path:
    """Fetch VOC with torchvision, which checks and unpacks it.

    Raises:
        UserError: If it cannot be obtained.
    """
    if out.name != 'VOCdevkit':
        raise UserError(f'-o {out}: VOC unpacks into a folder VOCdevkit; call it so')
    from torchvision.datasets import VOCDetection  # seconds, for torch comes with it

    out.parent.mkdir(parents=True, exist_ok=True)
    for year in years:
        for part in DOWNLOADS[year]:
            if (out / f'VOC{year}/ImageSets/Main/{part}.txt').is_file():
                print(f'{out}/VOC{year} {part}: exists already')
                continue
            try:
                data = VOCDetection(out.parent, year, part, download=True)
            except (OSError, RuntimeError) as error:
                raise UserError(f'VOC {year} {part} cannot be downloaded ({error}); '
                                'run the same command to try again') from error
            print(f'{out}/VOC{year} {part}: {len(data)} images')
    return out
