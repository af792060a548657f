"""Files of proposals, in the format of mmdet.

Comes in: the data list of a data set, and a pickle of ``{'JPEGImages/NAME.jpg':
dict(bboxes=(n, 4), scores=(n,))}``. Goes out: the same list, with the proposals of each
image.
"""

from pathlib import Path

import numpy as np

from ..errors import UserError
from ..io.data_pickle import read_data_pickle


def proposal_key(image: str | Path) -> str:
    """The name of an image in a file of proposals: the last two parts of its path."""
    return '/'.join(Path(image).parts[-2:])


def find_proposal_file(proposal_file: str, data_root: str, split: str) -> Path:
    """The file that a config means.

    Args:
        proposal_file: Its path; a relative one starts at the data root, or, if it is
            not there, at the current folder.
        data_root: The folder of the data set.
        split: The split that it is for, for the message.

    Raises:
        UserError: If it is missing.
    """
    path = Path(proposal_file).expanduser()
    in_root = Path(data_root).expanduser() / path  # an absolute path stays as it is
    if in_root.is_file():
        return in_root
    if path.is_file():
        return path
    raise UserError(
        f'{path}: no such file of proposals, neither in {data_root} nor from the '
        'current folder; make it with: frcnn make-proposals --data-root '
        f'{data_root} --split {split} --out {path}')


def add_proposals(data_list: list[dict], path: Path) -> None:
    """Put ``proposals`` into each entry of a data list.

    Entries of the file for other images are fine: one file may serve several splits.

    Args:
        data_list: With ``img_path``; changed in place.
        path: The file.

    Raises:
        UserError: If the file is damaged or holds more than data, lacks an image, can
            not tell two images apart, or has boxes that are none.
    """
    content = read_data_pickle(path)
    if not isinstance(content, dict):
        raise UserError(f'{path}: holds a {type(content).__name__}, and no dict of '
                        "proposals by 'JPEGImages/NAME.jpg'")
    images = keyed([info['img_path'] for info in data_list])
    missing = [key for key in images if key not in content]
    if missing:
        raise UserError(
            f'{path}: has no proposals for {len(missing)} of {len(images)} images, the '
            f'first is {missing[0]}; make the file with frcnn make-proposals for '
            'this --data-root and all its splits: --split NAME NAME')
    for info in data_list:
        key = proposal_key(info['img_path'])
        try:
            info['proposals'] = _checked(content[key])
        except ValueError as error:
            raise UserError(f'{path}: {key}: {error}; make the file again with '
                            'frcnn make-proposals') from error


def keyed(images: list[str | Path]) -> dict[str, Path]:
    """Images by their names in a file of proposals, each once.

    Raises:
        UserError: If two of them have the same name.
    """
    named: dict[str, Path] = {}
    for image in map(Path, images):
        other = named.setdefault(proposal_key(image), image)
        if other != image:
            raise UserError(
                f'{other} and {image} have one name in a file of proposals, '
                f'{proposal_key(image)}; use one folder and one file of proposals for '
                'each data set (`folders`), or rename the images')
    return named


def _checked(entry: object) -> dict[str, np.ndarray]:
    """One image's proposals; raises ValueError with what is wrong with them."""
    if not isinstance(entry, dict) or 'bboxes' not in entry:
        raise ValueError('there are no bboxes')
    bboxes = _floats(entry['bboxes'], 'bboxes')
    if bboxes.ndim != 2 or bboxes.shape[1] != 4:
        raise ValueError(f'bboxes have the shape {bboxes.shape}, not (n, 4)')
    if 'scores' not in entry:
        return dict(bboxes=bboxes)
    scores = _floats(entry['scores'], 'scores')
    if scores.shape != bboxes.shape[:1]:
        raise ValueError(f'{len(bboxes)} bboxes and scores of shape {scores.shape}')
    return dict(bboxes=bboxes, scores=scores)


def _floats(values: object, name: str) -> np.ndarray:
    if not isinstance(values, np.ndarray):
        raise ValueError(f'{name} are a {type(values).__name__}, not an array')
    floats = np.asarray(values, dtype=np.float32)
    if not np.isfinite(floats).all():
        raise ValueError(f'{name} are not all finite numbers')
    return floats
