"""Pairs the images and VOC annotations of a folder, wherever they lie in it."""

from pathlib import Path

from ..datasets.voc_layout import IMAGE_SUFFIXES
from ..errors import DataError


def pair_files(root: Path) -> tuple[dict[str, tuple[Path, Path]], list[Path]]:
    """Images and the XML files of the same name.

    Args:
        root: The folder, searched with all its subfolders.

    Returns:
        tuple: Image and annotation by name, and the images without an annotation.

    Raises:
        DataError: If there is no pair, or two files of one kind have the same name.
    """
    if not root.is_dir():
        raise DataError(f'{root}: no such folder')
    files = sorted(path for path in root.rglob('*') if path.is_file())
    images: dict[str, Path] = {}
    annotations: dict[str, Path] = {}
    for path in files:
        found = (images if path.suffix in IMAGE_SUFFIXES else
                 annotations if path.suffix == '.xml' else {})
        other = found.setdefault(path.stem, path)
        if other != path:
            raise DataError(f'{other} and {path} have one name; rename one of them')
    pairs = {name: (path, annotations[name]) for name, path in images.items()
             if name in annotations}
    if not pairs:
        raise DataError(
            f'{root}: {len(images)} images and {len(annotations)} XML files, and no '
            'image has an XML file of its name')
    return pairs, [path for name, path in images.items() if name not in pairs]
