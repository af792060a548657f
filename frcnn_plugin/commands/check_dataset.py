"""``frcnn check-dataset``: what is wrong with a data set, before training."""

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from ..datasets.problems import Problem
from ..datasets.voc_layout import find_folders, read_split
from ..errors import SplitError, UserError
from ..io.large_image import allow_large_pictures
from ..io.progress import progress
from ..prepare.check_files import FileReport, check_file
from ..prepare.check_splits import (
    check_classes,
    check_devkit,
    check_layout,
    check_splits,
)
from ..prepare.clean_copy import write_clean_copy
from .parser import parse

MAX_LINES = 200  # of the table, before the rest is only counted


def check_dataset(argv: list[str] | None = None) -> int:
    """Run ``frcnn check-dataset``; 1 if a person has to look.

    That is if a problem costs training an image or a box, or keeps it from beginning.
    """
    args = parse('check_dataset', argv)
    allow_large_pictures()
    classes = tuple(args.classes) if args.classes else None
    folders = find_folders(args.data_root)
    if args.json and not args.json.absolute().parent.is_dir():
        raise UserError(f'{args.json}: there is no such folder to write it into')
    for target in filter(None, (args.pictures, args.fix)):
        above = next(each for each in (target, *target.absolute().parents)
                     if os.path.lexists(each))
        if not above.is_dir():
            raise UserError(f'{target}: {above} is not a folder')
    problems = check_devkit(args.data_root, folders)
    every: list[FileReport] = []
    counts: Counter = Counter()
    images = 0
    for folder in folders:
        lists = folder / 'ImageSets' / 'Main'
        splits = {name: read_split(folder, name) for name in split_names(lists, args)}
        names = list(dict.fromkeys(name for each in splits.values() for name in each))
        reports = check_all(folder, names, classes, args.jobs)
        problems += check_splits(lists, splits)
        if not args.split:
            problems += check_layout(folder, splits)
        problems += check_classes(lists, splits, reports, classes)
        every += reports
        for report in reports:
            problems += report.problems
            counts.update(report.counts)
        images += len(names)
        if args.fix:
            target = args.fix if len(folders) == 1 else args.fix / folder.name
            write_clean_copy(folder, target, splits, reports, classes)
    costly = [problem for problem in problems if problem.costs_data]
    report_to_user(args.data_root, problems, counts, classes or ())
    lost = sum(not report.usable for report in every)
    print(f'{args.data_root}: {images} images, {counts.total()} boxes, '
          f'{len(problems)} problems; {len(costly)} of them cost training data: '
          f'{lost} images and {sum(problem.boxes for problem in costly)} boxes'
          + (f'; cleaned copy: {args.fix}' if args.fix else ''))
    if args.pictures:
        from ..visualization.doubtful import draw_doubtful  # brings torch

        number = draw_doubtful(every, args.pictures)
        print(f'{args.pictures}: the {number} most doubtful images, with their boxes')
    if args.json:
        args.json.write_text(json.dumps(dict(
            images=images, counts=counts, problems=list(map(vars, problems))),
            indent=1, default=str))
    return int(bool(costly))


def split_names(lists: Path, args: argparse.Namespace) -> Iterable[str]:
    """The splits to look at.

    VOC has files of each class too, such as ``cat_train``; they list the same images.
    """
    if args.split:
        return args.split
    there = {path.stem for path in lists.glob('*.txt')}
    if not there:
        raise SplitError(f'{lists}: no split file; it lists one image name on each '
                         'line, without suffix')
    return sorted(name for name in there if name.rpartition('_')[2] not in there
                  or not name.rpartition('_')[0])


def check_all(folder: Path, names: list[str], classes: tuple[str, ...] | None,
              jobs: int) -> list[FileReport]:
    """Check every image, with a progress bar, on several cores."""
    check = partial(check_file, folder, classes=classes)
    if jobs <= 1 or len(names) < 32:
        return list(progress(map(check, names), folder, len(names)))
    with ProcessPoolExecutor(jobs) as pool:
        return list(progress(pool.map(check, names, chunksize=8), folder, len(names)))


def report_to_user(root: Path, problems: list[Problem], counts: Counter,
                   classes: tuple[str, ...]) -> None:
    """Print what is wrong by file, and the boxes of each class."""
    console = Console()
    if problems:
        table = Table(Column('file', overflow='fold'), 'problem', 'in detail',
                      'costs data', title=f'in {root}')
        ordered = sorted(problems, key=lambda problem: not problem.costs_data)
        for problem in ordered[:MAX_LINES]:
            file = escape(str(problem.file.relative_to(root)))
            table.add_row(file, problem.kind, escape(problem.detail),
                          'yes' if problem.costs_data else '')
        console.print(table)
        if len(problems) > MAX_LINES:
            print(f'... and {len(problems) - MAX_LINES} more; all of them: --json FILE')
        kinds = Counter(problem.kind for problem in problems)
        print(', '.join(f'{kind}: {count}' for kind, count in kinds.most_common()))
    table = Table(Column('class', overflow='fold'), 'boxes')
    for name in dict.fromkeys([*classes, *dict(counts.most_common())]):
        other = classes and name not in classes
        table.add_row(escape(name) + (' (not one of the classes)' if other else ''),
                      str(counts[name]))
    console.print(table)
