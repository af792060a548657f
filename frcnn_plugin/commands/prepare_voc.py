"""``frcnn prepare-voc``: data sets of any usual layout into that of PASCAL VOC."""

import argparse
import random
from collections import defaultdict
from pathlib import Path

from torchvision.datasets import VOCDetection

from ..errors import UserError
from ..prepare.import_coco import import_coco
from ..prepare.import_folder import pair_files
from ..prepare.import_yolo import import_yolo
from ..prepare.voc_writer import place_file, write_picture, write_split
from .common import progress
from .parser import parse

DEVKIT = Path('data/VOCdevkit')
MAX_LINES = 20  # about what was left out, before the rest is only counted
DOWNLOADS = {'2007': ('trainval', 'test'), '2012': ('trainval',)}

Splits = dict[str | None, list[str]]  # the names of each split; None: of no split


def prepare_voc(argv: list[str] | None = None) -> Path:
    """Run ``frcnn prepare-voc``; returns the folder in VOC layout."""
    args = parse('prepare_voc', argv)
    if args.split and not (len(args.split) <= 2 and min(args.split) > 0
                           and sum(args.split) <= 1):
        raise UserError(f'--split {" ".join(map(str, args.split))}: one or two shares '
                        'above 0 and together at most 1')
    if args.out is None and (args.from_coco or args.from_yolo):
        raise UserError('-o DIR is missing: the folder that is to be made')
    if args.voc:
        return download(args.voc, args.out or DEVKIT)
    out = args.out or args.from_folder
    splits = take_folder(args, out) if args.from_folder else take_pictures(args)
    names = splits.pop(None, [])
    if args.split and not names:
        raise UserError(f'--split: the images of {out} are in splits already ('
                        f'{", ".join(splits) or "their split files exist"})')
    if names and not args.split:
        raise UserError(f'{out}: {len(names)} images are in no split; make the split '
                        'files with --split 0.8')
    if args.split:
        splits.update(share_out(names, args.split, args.seed))
    for split, members in splits.items():
        write_split(out, split, members)
    sizes = ', '.join(f'{split} {len(members)}' for split, members in splits.items())
    print(f'{out}: {sizes or "its split files exist already"}')
    return out


def download(years: list[str], out: Path) -> Path:
    """Fetch VOC with torchvision, which checks and unpacks it."""
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


def take_folder(args: argparse.Namespace, out: Path) -> Splits:
    """Take a folder that has everything but the layout, or the split files."""
    root = args.from_folder
    pairs, alone = pair_files(root)
    if alone:
        print(f'warning: {len(alone)} images have no XML file and are left out, for '
              f'example {alone[0]}')
    if out.resolve() == root.resolve():
        if not ((root / 'Annotations').is_dir() and (root / 'JPEGImages').is_dir()):
            raise UserError(f'{root}: has no Annotations/ and JPEGImages/; -o DIR says '
                            'where such a folder is to be made')
        there = list((root / 'ImageSets/Main').glob('*.txt'))
        if there and args.split:
            raise UserError(f'{there[0].parent}: has split files already; delete them '
                            'first, or make a folder elsewhere with -o DIR')
        return {} if there else {None: list(pairs)}
    for name, files in progress(pairs.items(), out):
        for part, file in zip(('JPEGImages', 'Annotations'), files, strict=True):
            place_file(file, out / part / f'{name}{file.suffix}', args.copy)
    return {None: list(pairs)}


def take_pictures(args: argparse.Namespace) -> Splits:
    """Write the pictures of a data set in COCO's or YOLO's layout."""
    if args.from_coco:
        folder = args.from_coco.parent
        usual = (folder / 'images', folder.parent / 'images')
        images = args.images or next(filter(Path.is_dir, usual), folder)
        pictures, problems = import_coco(args.from_coco, images, args.name)
    else:
        pictures, problems = import_yolo(args.from_yolo)
    splits = defaultdict(list)
    for picture in progress(pictures, args.out):
        write_picture(args.out, picture, args.copy)
        splits[picture.split].append(picture.name)
    for problem in problems[:MAX_LINES]:
        print(f'warning: left out {problem}')
    if len(problems) > MAX_LINES:
        print(f'warning: {len(problems)} boxes left out in all')
    return splits


def share_out(names: list[str], shares: list[float],
              seed: int) -> dict[str, list[str]]:
    """Split names at random, always in the same way."""
    train = shares[0]
    val = shares[1] if len(shares) == 2 else (1 - train) / 2
    mixed = sorted(names)
    random.Random(seed).shuffle(mixed)
    first, second = round(train * len(mixed)), round((train + val) * len(mixed))
    parts = dict(train=mixed[:first], val=mixed[first:second], test=mixed[second:])
    if not parts['train'] or (val > 0 and not parts['val']):
        raise UserError(f'--split: {len(names)} images are too few for these shares')
    return {part: sorted(members) for part, members in parts.items() if members}
