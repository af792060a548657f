"""Finds the parts of a data set in VOC layout.

Comes in: the folder that the user names. Goes out: the lists of images, or one line
that says what is missing and what is there instead.
"""

from pathlib import Path

from ..errors import UserError

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.JPG', '.JPEG', '.PNG', '.BMP')

FLAGS = ('-1', '0', '1')  # of a class, behind each name in VOC's files by class


def find_folders(data_root: Path, names: list[str] | None = None) -> list[Path]:
    """The folders with ``Annotations`` that a data root stands for.

    Args:
        data_root: Such a folder itself, or one that holds some, as ``VOCdevkit`` does.
        names: Which of those that it holds; None for all. Not used where the data root
            is such a folder itself.

    Raises:
        UserError: If there is none, or one of the names is not there.
    """
    layout = ('a folder with Annotations/, JPEGImages/ and ImageSets/Main/*.txt, or a '
              'VOCdevkit that holds such folders')
    if not data_root.is_dir():
        raise UserError(f'{data_root}: no such folder; give {layout} with --data-root')
    if (data_root / 'Annotations').is_dir():
        return [data_root]
    there = sorted(path.parent for path in data_root.glob('*/Annotations'))
    if not there:
        raise UserError(f'{data_root}: no Annotations/ in it; --data-root takes '
                        f'{layout}')
    if names is None:
        return there
    missing = [name for name in names if data_root / name not in there]
    if missing:
        raise UserError(
            f'{data_root}: {", ".join(missing)} is not there, only '
            f'{", ".join(path.name for path in there)}; choose with `folders` of '
            'the dataset in the config, or --folders of frcnn make-proposals')
    return [data_root / name for name in names]


def read_split(folder: Path, split: str) -> list[str]:
    """The image names of one split file, in its order.

    Args:
        folder: A folder in VOC layout.
        split: Name of a file in ``ImageSets/Main``, without ``.txt``.

    Raises:
        UserError: If the file is missing or empty, or a name leads out of the folder.
    """
    path = folder / 'ImageSets' / 'Main' / f'{split}.txt'
    if not path.is_file():
        there = sorted(other.stem for other in path.parent.glob('*.txt'))
        raise UserError(
            f'{path}: the split file is missing; ' + (
                f'there are {", ".join(there)}: choose with --cfg-options '
                'train_dataloader.dataset.split=NAME '
                'val_dataloader.dataset.split=NAME, or with --split NAME of '
                'frcnn test and frcnn make-proposals'
                if there else 'it lists one image name a line, without suffix'))
    try:
        lines = path.read_text(encoding='utf-8-sig').splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f'{path}: not a text file in UTF-8 ({error})') from error
    rows = [line.strip() for line in lines if line.strip()]
    flagged = all(row.rpartition(' ')[0] and row.rpartition(' ')[2] in FLAGS
                  for row in rows)
    names = [_image_name(row, flagged) for row in rows]
    for name in names:
        if Path(name).is_absolute() or '..' in Path(name).parts or '\0' in name:
            raise UserError(f'{path}: refused, {name!r} is no name of an image in '
                            f'{folder / "JPEGImages"}, but leads out of it')
    if not names:
        raise UserError(f'{path}: the split file is empty')
    return names


def find_image(folder: Path, name: str) -> Path:
    """The image of a name, whatever its suffix.

    Raises:
        UserError: If there is none.
    """
    for suffix in IMAGE_SUFFIXES:
        path = folder / 'JPEGImages' / f'{name}{suffix}'
        if path.is_file():
            return path
    raise UserError(f'{folder / "JPEGImages" / name}.jpg: the image is missing, and so '
                    'is one of another suffix; its name is in the split file')


def _image_name(line: str, flagged: bool) -> str:
    """The name on a line of a split file: no flag of a class behind it, no suffix."""
    line = line.rpartition(' ')[0].rstrip() if flagged else line
    suffix = Path(line).suffix
    return line.removesuffix(suffix) if suffix in IMAGE_SUFFIXES else line
