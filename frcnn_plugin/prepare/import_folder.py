"""Reads a folder of images and VOC annotations, wherever they lie in it, as pictures.

Comes in: a folder. Goes out: pairs of an image and its XML file.
"""

from pathlib import Path

from ..datasets.voc_layout import IMAGE_SUFFIXES
from ..errors import UserError


def pair_files(root: Path) -> tuple[dict[str, tuple[Path, Path]], list[Path]]:
    """Images and the XML files of the same name.

    Args:
        root: The folder, looked through with all inside it.

    Returns:
        tuple: Image and annotation by name, and the images without an annotation.

    Raises:
        UserError: If there is no pair, or two images have one name.
    """
    if not root.is_dir():
        raise UserError(f'{root}: no such folder')
    files = sorted(path for path in root.rglob('*') if path.is_file())
    images: dict[str, Path] = {}
    annotations: dict[str, Path] = {}
    for path in files:
        found = (images if path.suffix in IMAGE_SUFFIXES else
                 annotations if path.suffix == '.xml' else {})
        other = found.setdefault(path.stem, path)
        if other != path:
            raise UserError(f'{other} and {path} have one name; rename one of them')
    pairs = {name: (path, annotations[name]) for name, path in images.items()
             if name in annotations}
    if not pairs:
        raise UserError(
            f'{root}: {len(images)} images and {len(annotations)} XML files, and no '
            'image has an XML file of its name')
    return pairs, [path for name, path in images.items() if name not in pairs]
