"""A folder of any layout becomes one in VOC layout, with splits."""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..datasets.voc_layout import IMAGE_SUFFIXES, read_split
from ..errors import CannotWriteError, OutputExistsError, SplitError, UserError
from ..io.progress import progress
from ..io.whole_files import FULL
from .given_splits import given_splits
from .near_duplicates import groups_of
from .placement import clean_name
from .splits import SPLITS, complete, share_out
from .understand import Understood
from .voc_writer import Picture, same_file, write_picture, write_split

SHARES = (0.8, 0.1, 0.1)
LEFT_OUT = 'left_out.csv'


@dataclass
class Splits:
    """Which picture goes where.

    Attributes:
        members: Pictures of train, val and test.
        how: In words where the splits come from.
        rest: Pictures that the given splits leave out.
    """

    members: dict[str, list[Picture]]
    how: str
    rest: list[Picture]


def choose_splits(found: Understood, shares: Sequence[float] | None, seed: int,
                  name: str | None = None) -> Splits:
    """The splits that are given, or new ones.

    Args:
        found: The folder, understood.
        shares: Of train, val and test, to share out anew whatever is given; None to
            take what is given, and to share out 0.8, 0.1, 0.1 if nothing is.
        seed: Of the choice.
        name: The one split that everything is in.

    Raises:
        SplitError: If there are too few pictures.
    """
    classes = {picture.name: [item.name for item in picture.objects]
               for picture in found.pictures}
    by_name = {picture.name: picture for picture in found.pictures}
    if name:
        return Splits({name: found.pictures}, f'all of it is the split {name}', [])
    given = {} if shares else given_splits(found)
    groups = groups_of([picture.image for picture in found.pictures])
    together = {picture.name: groups[picture.image] for picture in found.pictures}
    names, made = complete(given, classes, seed, together)
    if names['train'] and given:
        how = 'splits as given: ' + ', '.join(
            f'{split} {len(members)}' for split, members in given.items())
        how += f'; {made}' if made else ''
    else:
        names = share_out(list(by_name), classes, shares or SHARES, seed, together)
        numbers = '/'.join(f'{share:g}' for share in shares or SHARES)
        how = f'splits made {numbers}' + each_class(names, classes)
        alone = len(set(groups.values()))
        if alone < len(groups):
            how += (f'; {len(groups) - alone} pictures show nearly the same as others '
                    'and are in the same split')
    if not names['train']:
        raise SplitError(f'{found.files.root}: {len(by_name)} pictures are too few for '
                         'these shares, none is left to train on')
    members = {split: [by_name[name] for name in names[split]] for split in SPLITS}
    taken = {name for each in names.values() for name in each}
    return Splits(members, how, [picture for name, picture in by_name.items()
                                 if name not in taken])


def each_class(names: dict[str, list[str]], classes: dict[str, list[str]]) -> str:
    """In words whether each class is in each split."""
    counts = {split: Counter(kind for name in members for kind in set(classes[name]))
              for split, members in names.items() if members}
    every = sorted({kind for found in classes.values() for kind in found})
    short = {split: [kind for kind in every if not found[kind]]
             for split, found in counts.items()}
    if not any(short.values()):
        return ', each class in each'
    return ', each class in each but ' + ', '.join(
        f'{split} without {" and ".join(kinds)}' for split, kinds in short.items()
        if kinds)


def write_folder(found: Understood, splits: Splits, out: Path, copy: bool,
                 texts: dict[str, str]) -> None:
    """Write pictures, annotations and splits.

    A new folder appears whole or not at all. Into one that exists, files are moved only
    if none of them would replace another.

    Args:
        found: The folder, understood.
        splits: Which pictures are in which split.
        out: The folder to make.
        copy: Whether pictures are copied instead of linked.
        texts: The texts of more files, by name. One that exists stays as it is, except
            for :data:`LEFT_OUT`, which is always rewritten.

    Raises:
        OutputExistsError: If there is a folder in another layout, or a file with other
            content.
        UserError: If the folder cannot be written.
    """
    # a labelling tool may have left the pictures in OUT/JPEGImages
    empty = not out.exists() or (out.is_dir() and all(
        path.suffix == '.part' for path in out.iterdir()))  # of a killed process
    if not empty and not (out / 'Annotations').is_dir() and (
            found.files.root.resolve() != (out / 'JPEGImages').resolve()):
        raise OutputExistsError(f'{out}: exists already and is not in VOC layout')
    part = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        # in the same file system: OUT may be mounted, and its parent not writable
        part = Path(tempfile.mkdtemp(prefix='.', suffix='.part',
                                     dir=out if out.is_dir() else out.parent))
        pictures = [each for members in splits.members.values() for each in members]
        for picture in progress(pictures, f'writing {out}', quiet=200):
            write_picture(part, picture, copy)
        for split, members in splits.members.items():
            if members:
                write_split(part, split, [picture.name for picture in members])
        if out.exists():
            add_to_folder(part, out)
        for name, text in texts.items():
            target = (out if out.exists() else part) / name
            if not target.exists() or name == LEFT_OUT:
                target.write_text(text, encoding='utf-8', errors='backslashreplace')
        if not out.exists():
            part.chmod(0o755)
            part.replace(out)
    except OSError as error:
        kind = CannotWriteError if error.errno in FULL else UserError
        raise kind(f'{out}: cannot be written ({error})') from error
    finally:
        if part:
            shutil.rmtree(part, ignore_errors=True)


def add_to_folder(part: Path, out: Path) -> None:
    """Move files into a folder, none over another one, and none if one would be."""
    moves = []
    for path in sorted(each for each in part.rglob('*') if not each.is_dir()):
        target = out / path.relative_to(part)
        others = [target] if path.suffix in ('.txt', '.xml') else [
            target.with_name(f'{target.stem}{suffix}')
            for suffix in {path.suffix, *IMAGE_SUFFIXES}]
        for other in filter(os.path.lexists, others):
            if other != target or not same_file(path, target):
                raise OutputExistsError(f'{other}: exists already with other content')
        if not os.path.lexists(target):
            moves.append((path, target))
    for path, target in moves:
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)


def name_in_place(found: Understood, frame: str | None) -> bool:
    """Whether a folder lacks only split files; if so, pictures get their names in it.

    False if ``frame`` says which way round the boxes of a turned picture are: training
    would not know.
    """
    root = found.files.root
    names = [str(found.files.relative(picture.image).with_suffix(''))
             for picture in found.pictures]
    for picture, name in zip(found.pictures, names, strict=True):
        xml = root / 'Annotations' / f'{name.removeprefix("JPEGImages/")}.xml'
        as_it_is = picture.source == xml and not picture.moved and not (
            frame and picture.turned)
        if not as_it_is or clean_name(name) != name or (
                not name.startswith('JPEGImages/')):
            return False
    for picture, name in zip(found.pictures, names, strict=True):
        picture.name = name.removeprefix('JPEGImages/')
    return True


def lists_match(root: Path, splits: Splits) -> bool:
    """Whether the split files of a folder in VOC layout list these very members."""
    try:
        return all(set(read_split(root, split)) == {each.name for each in members}
                   for split, members in splits.members.items() if members)
    except SplitError:  # one is missing, or empty
        return False


def write_missing_splits(found: Understood, splits: Splits) -> None:
    """Write the split files that are not there yet.

    Raises:
        OutputExistsError: If one that is there has other members than it should.
    """
    root = found.files.root
    names = {split: [picture.name for picture in members]
             for split, members in splits.members.items() if members}
    for split in names:
        path = root / 'ImageSets/Main' / f'{split}.txt'
        if path.exists() and set(read_split(root, split)) != set(names[split]):
            raise OutputExistsError(f'{path}: exists already with other names than the '
                                    'splits need')
    for split, members in names.items():
        if not (root / 'ImageSets/Main' / f'{split}.txt').exists():
            write_split(root, split, members)
