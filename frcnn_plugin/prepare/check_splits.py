"""Checks what a folder in VOC layout says about its pictures as a whole."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from ..datasets.problems import Problem
from ..datasets.voc_annotation import read_voc_annotation
from ..datasets.voc_layout import is_image
from ..errors import DataError
from .check_files import FileReport

DEVKIT = ('VOC2007', 'VOC2012')  # that configs of VOC read together
TRAINED = ('train', 'trainval')


def check_splits(lists: Path, splits: dict[str, list[str]]) -> list[Problem]:
    """What is wrong with the split files.

    Args:
        lists: The folder that they are in.
        splits: Names of the images of each split.
    """
    problems = []
    for split, names in splits.items():
        twice = [name for name, count in Counter(names).items() if count > 1]
        problems += [
            Problem(lists / f'{split}.txt', 'listed twice', f'{name} is listed more '
                    'than once', costs_data=False) for name in twice]
    trained = {name for split in TRAINED for name in splits.get(split, [])}
    shared = [name for name in splits.get('test', []) if name in trained]
    if shared:
        problems.append(Problem(
            lists / 'test.txt', 'tested and trained', f'{len(shared)} images of the '
            f'test split are trained on, for example {shared[0]}', costs_data=False))
    return problems


def check_layout(folder: Path, splits: dict[str, list[str]]) -> list[Problem]:
    """Splits that training asks for, and pictures and XML files that no split names.

    Args:
        folder: A folder in VOC layout.
        splits: Names of the images of all of its splits.
    """
    problems = []
    main = folder / 'ImageSets' / 'Main'
    if not ({'train', 'val'} <= set(splits) or {'trainval', 'test'} <= set(splits)):
        problems.append(Problem(
            main, 'missing split', 'training reads train and val, or trainval and '
            f'test; there is only {", ".join(splits)}'))
    listed = {name for names in splits.values() for name in names}
    pictures = _names(folder / 'JPEGImages', lambda path: is_image(path))
    xmls = _names(folder / 'Annotations', lambda path: path.suffix == '.xml')
    unused = sorted(pictures & xmls - listed)
    if unused:
        problems.append(Problem(
            folder / 'JPEGImages', 'in no split', f'{len(unused)} annotated images are '
            f'in no split, for example {unused[0]}', costs_data=False))
    alone = sorted(pictures - xmls - listed)
    if alone:
        problems.append(Problem(
            folder / 'JPEGImages', 'not annotated', f'{len(alone)} images in no split '
            f'have no XML file, for example {alone[0]}', costs_data=False))
    orphans = sorted(xmls - pictures - listed)
    if orphans:
        problems.append(Problem(
            folder / 'Annotations', 'no picture', f'{len(orphans)} XML files in no '
            f'split have no picture that is read, for example {orphans[0]}',
            boxes=sum(_count(folder / 'Annotations' / f'{name}.xml')
                      for name in orphans)))
    return problems


def check_classes(lists: Path, splits: dict[str, list[str]],
                  reports: Iterable[FileReport],
                  classes: tuple[str, ...] | None) -> list[Problem]:
    """Classes that training would miss: it refuses to begin without one.

    Args:
        lists: The folder of the split files.
        splits: Names of the images of each split.
        reports: What the check found out about each image.
        classes: The classes to train on; None for all that occur.
    """
    trained = {name for split in TRAINED for name in splits.get(split, [])}
    if not trained:
        return []
    everywhere, in_train = Counter(), Counter()
    for report in reports:
        everywhere.update(report.counts)
        if report.name in trained and report.usable:
            in_train.update(report.counts)
    missing = [name for name in classes or sorted(everywhere) if not in_train[name]]
    return [Problem(
        lists, 'class not in train', 'no image that is '
        f'trained on has a box of {name}, others have {everywhere[name]}',
        boxes=everywhere[name]) for name in missing]


def check_devkit(root: Path, folders: list[Path]) -> list[Problem]:
    """Folders of VOC that its configs read and that are not there."""
    there = [folder.name for folder in folders if folder.name in DEVKIT]
    if folders == [root] or len(there) != 1:
        return []
    other = next(name for name in DEVKIT if name not in there)
    return [Problem(root / other, 'missing folder', f'the configs of VOC read {other} '
                    f'too; without it their `folders` is to be {there}')]


def _names(folder: Path, test) -> set[str]:
    """The files below a folder, without suffix, as split files name them."""
    return {str(path.relative_to(folder).with_suffix(''))
            for path in folder.rglob('*') if test(path)}


def _count(path: Path) -> int:
    try:
        annotation = read_voc_annotation(path)
    except DataError:
        return 0
    return len(annotation.objects) + len(annotation.skipped)
