"""Finds the folders, splits and images of a data set in VOC layout."""

import glob
from pathlib import Path

from ..errors import (
    DataError,
    DataRootError,
    FoldersError,
    OtherSplitError,
    SplitError,
)

# of pictures that OpenCV reads, in lower case; files may have any case
IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')

FLAGS = ('-1', '0', '1')  # after each name in VOC's split files of one class


def find_folders(data_root: Path, names: list[str] | None = None) -> list[Path]:
    """The folders in VOC layout of a data root.

    Args:
        data_root: A folder with ``Annotations``, or one that holds such folders, as
            ``VOCdevkit`` does.
        names: Which of the held folders; None for all. Not used where the data root is
            itself in VOC layout.

    Raises:
        DataRootError: If there is no such folder.
        FoldersError: If one of the names is not there.
    """
    layout = ('a folder with Annotations/, JPEGImages/ and ImageSets/Main/*.txt, or a '
              'VOCdevkit that holds such folders')
    if not data_root.is_dir():
        raise DataRootError(f'{data_root}: no such folder; a data root is {layout}')
    if (data_root / 'Annotations').is_dir():
        return [data_root]
    there = sorted(path.parent for path in data_root.glob('*/Annotations'))
    if not there:
        raise DataRootError(f'{data_root}: no Annotations/ in it; a data root is '
                            f'{layout}')
    if names is None:
        return there
    missing = [name for name in names if data_root / name not in there]
    if missing:
        raise FoldersError(f'{data_root}: {", ".join(missing)} is not there, only '
                           f'{", ".join(path.name for path in there)}')
    return [data_root / name for name in names]


def read_split(folder: Path, split: str) -> list[str]:
    """The image names of one split file, in its order.

    Args:
        folder: A folder in VOC layout.
        split: Name of a file in ``ImageSets/Main``, without ``.txt``.

    Raises:
        SplitError: If the file is missing, empty or not UTF-8, or a name leads out of
            the folder.
    """
    path = folder / 'ImageSets' / 'Main' / f'{split}.txt'
    if not path.is_file():
        there = sorted(other.stem for other in path.parent.glob('*.txt'))
        if there:
            raise OtherSplitError(f'{path}: the split file is missing; there are '
                                  f'{", ".join(there)}')
        raise SplitError(f'{path}: the split file is missing; it lists one image name '
                         'on each line, without suffix')
    try:
        lines = path.read_text(encoding='utf-8-sig').splitlines()
    except UnicodeDecodeError as error:
        raise SplitError(f'{path}: not a text file in UTF-8 ({error})') from error
    rows = [line.strip() for line in lines if line.strip()]
    flagged = all(row.rpartition(' ')[0] and row.rpartition(' ')[2] in FLAGS
                  for row in rows)
    names = [_image_name(row, flagged) for row in rows]
    for name in names:
        if Path(name).is_absolute() or '..' in Path(name).parts or '\0' in name:
            raise SplitError(f'{path}: refused, {name!r} is not the name of an image '
                             f'in {folder / "JPEGImages"}, but leads out of it')
    if not names:
        raise SplitError(f'{path}: the split file is empty')
    return names


def is_image(path: Path) -> bool:
    """Whether a file's suffix is one of :data:`IMAGE_SUFFIXES`, in any case."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def find_image(folder: Path, name: str) -> Path:
    """The image of a name, with any suffix that is read.

    Raises:
        DataError: If it is missing.
    """
    base = folder / 'JPEGImages' / name
    for suffix in (*IMAGE_SUFFIXES, *map(str.upper, IMAGE_SUFFIXES)):
        path = base.with_name(f'{base.name}{suffix}')
        if path.is_file():
            return path
    for path in sorted(base.parent.glob(f'{glob.escape(base.name)}.*')):
        if path.stem == base.name and is_image(path):  # .Jpg
            return path
    raise DataError(f'{base}.jpg: the image is missing, with any other suffix too; its '
                    'name is in the split file')


def _image_name(line: str, flagged: bool) -> str:
    """The name on a line of a split file, without suffix and the flag of a class."""
    line = line.rpartition(' ')[0].rstrip() if flagged else line
    suffix = Path(line).suffix
    return line.removesuffix(suffix) if is_image(Path(line)) else line
