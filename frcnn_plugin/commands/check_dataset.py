"""``frcnn check-dataset``: what is wrong with a data set, before training."""

import argparse
import json
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ..datasets.problems import Problem
from ..datasets.voc_layout import find_folders, read_split
from ..errors import SplitError
from ..prepare.check_files import FileReport, check_file
from ..prepare.clean_copy import write_clean_copy
from .common import progress
from .parser import parse

MAX_LINES = 200  # of the table, before the rest is only counted


def check_dataset(argv: list[str] | None = None) -> int:
    """Run ``frcnn check-dataset``; 1 if a problem costs training an image or a box."""
    args = parse('check_dataset', argv)
    classes = tuple(args.classes) if args.classes else None
    folders = find_folders(args.data_root)
    problems: list[Problem] = []
    counts: Counter = Counter()
    images = 0
    for folder in folders:
        lists = folder / 'ImageSets' / 'Main'
        splits = {name: read_split(folder, name) for name in split_names(lists, args)}
        names = list(dict.fromkeys(name for each in splits.values() for name in each))
        reports = check_all(folder, names, classes, args.jobs)
        problems += problems_of_splits(lists, splits)
        for report in reports:
            problems += report.problems
            counts.update(report.counts)
        images += len(names)
        if args.fix:
            target = args.fix if len(folders) == 1 else args.fix / folder.name
            write_clean_copy(folder, target, splits, reports, classes)
    costly = sum(problem.costs_data for problem in problems)
    report_to_user(args.data_root, problems, counts, classes or ())
    print(f'{args.data_root}: {images} images, {counts.total()} boxes, '
          f'{len(problems)} problems; {costly} of them cost training data'
          + (f'; cleaned copy: {args.fix}' if args.fix else ''))
    if args.json:
        args.json.write_text(json.dumps(dict(
            images=images, counts=counts, problems=list(map(vars, problems))),
            indent=1, default=str))
    return int(costly > 0)


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


def problems_of_splits(lists: Path, splits: dict[str, list[str]]) -> list[Problem]:
    """Names that a split has twice, and images of a test split that are trained on."""
    problems = [
        Problem(lists / f'{split}.txt', 'listed twice',
                f'{name} is listed more than once', costs_data=False)
        for split, names in splits.items()
        for name, count in Counter(names).items() if count > 1]
    trained = {*splits.get('train', []), *splits.get('trainval', [])}
    shared = [name for name in splits.get('test', []) if name in trained]
    if shared:
        problems.append(Problem(
            lists / 'test.txt', 'tested and trained', f'{len(shared)} images of the '
            f'test split are trained on, for example {shared[0]}', costs_data=False))
    return problems


def report_to_user(root: Path, problems: list[Problem], counts: Counter,
                   classes: tuple[str, ...]) -> None:
    """Print what is wrong by file, and the boxes of each class."""
    console = Console()
    if problems:
        table = Table('file', 'problem', 'in detail', 'costs data', title=f'in {root}')
        ordered = sorted(problems, key=lambda problem: not problem.costs_data)
        for problem in ordered[:MAX_LINES]:
            table.add_row(str(problem.file.relative_to(root)), problem.kind,
                          problem.detail, 'yes' if problem.costs_data else '')
        console.print(table)
        if len(problems) > MAX_LINES:
            print(f'... and {len(problems) - MAX_LINES} more; all of them: --json FILE')
        kinds = Counter(problem.kind for problem in problems)
        print(', '.join(f'{kind}: {count}' for kind, count in kinds.most_common()))
    table = Table('class', 'boxes')
    for name in dict.fromkeys([*classes, *dict(counts.most_common())]):
        other = classes and name not in classes
        table.add_row(f'{name} (not one of the classes)' if other else name,
                      str(counts[name]))
    console.print(table)
