"""``frcnn prepare-voc``: data sets of any usual layout into that of PASCAL VOC."""

import argparse
import random
from pathlib import Path

from rich.console import Console
from rich.progress import track
from torchvision.datasets import VOCDetection

from ..datasets.problems import Problem
from ..errors import UserError
from ..prepare.import_coco import import_coco
from ..prepare.import_folder import pair_files
from ..prepare.import_yolo import import_yolo
from ..prepare.voc_writer import Picture, place_file, write_picture, write_split
from .parser import parse

DEVKIT = Path('data/VOCdevkit')
MAX_LINES = 20  # about what was left out, before the rest is only counted
PARTS = ('train', 'val', 'test')
DOWNLOADS = {'2007': ('trainval', 'test'), '2012': ('trainval',)}


def prepare_voc(argv: list[str] | None = None) -> Path:
    """Run ``frcnn prepare-voc``.

    Returns the folder in VOC layout.
    """
    args = parse('prepare_voc', argv)
    if args.split and not (len(args.split) <= 2 and min(args.split) > 0
                           and sum(args.split) <= 1):
        raise UserError(f'--split {" ".join(map(str, args.split))}: one or two shares '
                        'above 0 and together at most 1')
    if args.out is None and (args.from_coco or args.from_yolo):
        raise UserError('-o DIR is missing: the folder that is to be made')
    if args.voc:
        return download(args.voc, args.out or DEVKIT)
    if args.from_folder:
        out, splits = take_folder(args)
    else:
        if args.from_coco:
            images = args.images or default_images(args.from_coco)
            pictures, problems = import_coco(args.from_coco, images, args.name)
        else:
            pictures, problems = import_yolo(args.from_yolo)
        out, splits = args.out, write_pictures(args.out, pictures, args.copy)
        report(problems)
    names = splits.pop(None, [])
    if args.split and not names:
        raise UserError(f'--split: the images of {out} are in splits already ('
                        f'{", ".join(splits) or "their split files exist"})')
    if names and not args.split:
        raise UserError(f'{out}: {len(names)} images are in no split; make the split '
                        'files with --split 0.8')
    if args.split and names:
        splits.update(share_out(names, args.split, args.seed))
    for split, members in splits.items():
        write_split(out, split, members)
    sizes = ', '.join(f'{split} {len(members)}' for split, members in splits.items())
    print(f'{out}: {sizes or "its split files exist already"}')
    return out


def download(years: list[str], out: Path) -> Path:
    """Fetch VOC with torchvision, which checks and unpacks it.

    Raises:
        UserError: If it cannot be obtained.
    """
    if out.name != 'VOCdevkit':
        raise UserError(f'-o {out}: VOC unpacks into a folder VOCdevkit; call it so')
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


def take_folder(args: argparse.Namespace) -> tuple[Path, dict]:
    """The images of a folder that has everything but the layout, or the split files.

    Raises:
        UserError: If its layout is to be made and ``-o`` does not say where.
    """
    root = args.from_folder
    whole = (root / 'Annotations').is_dir() and (root / 'JPEGImages').is_dir()
    pairs, alone = pair_files(root)
    if alone:
        print(f'warning: {len(alone)} images have no XML file and are left out, for '
              f'example {alone[0]}')
    if args.out is None or args.out.resolve() == root.resolve():
        if not whole:
            raise UserError(f'{root}: has no Annotations/ and JPEGImages/; -o DIR says '
                            'where such a folder is to be made')
        there = list((root / 'ImageSets/Main').glob('*.txt'))
        if there and args.split:
            raise UserError(f'{there[0].parent}: has split files already; delete them '
                            'first, or make a folder elsewhere with -o DIR')
        return root, {} if there else {None: list(pairs)}
    for name, (image, annotation) in track(pairs.items(), str(args.out),
                                           console=Console(stderr=True)):
        for part, file in (('JPEGImages', image), ('Annotations', annotation)):
            target = args.out / part / f'{name}{file.suffix}'
            place_file(file, target, args.copy)
    return args.out, {None: list(pairs)}


def default_images(annotations: Path) -> Path:
    """Where the images of an annotation file usually are."""
    for folder in (annotations.parent / 'images', annotations.parent.parent / 'images'):
        if folder.is_dir():
            return folder
    return annotations.parent


def write_pictures(out: Path, pictures: list[Picture],
                   copy: bool) -> dict[str | None, list[str]]:
    """Write all pictures; the names of each split."""
    splits: dict[str | None, list[str]] = {}
    for picture in track(pictures, str(out), console=Console(stderr=True)):
        write_picture(out, picture, copy)
        splits.setdefault(picture.split, []).append(picture.name)
    return splits


def share_out(names: list[str], shares: list[float],
              seed: int) -> dict[str, list[str]]:
    """Split names at random, always in the same way.

    Raises:
        UserError: If there are too few for that.
    """
    train = shares[0]
    val = shares[1] if len(shares) == 2 else (1 - train) / 2
    mixed = sorted(names)
    random.Random(seed).shuffle(mixed)
    ends = [0, round(train * len(mixed)), round((train + val) * len(mixed)), len(mixed)]
    parts = {part: sorted(mixed[begin:end]) for part, begin, end in zip(
        PARTS, ends[:-1], ends[1:], strict=True)}
    if not parts['train'] or (val > 0 and not parts['val']):
        raise UserError(f'--split: {len(names)} images are too few for these shares')
    return {part: members for part, members in parts.items() if members}


def report(problems: list[Problem]) -> None:
    """Say what was left out."""
    for problem in problems[:MAX_LINES]:
        print(f'warning: left out {problem}')
    if len(problems) > MAX_LINES:
        print(f'warning: {len(problems)} boxes left out in all')
