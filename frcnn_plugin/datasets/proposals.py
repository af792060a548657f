"""Files of proposals: boxes and scores by the name of the image.

Ours are ``.npz`` files of four plain arrays: ``names`` (I,) of the images, ``counts``
(I,) of their proposals, and float32 ``bboxes`` (N, 4) and ``scores`` (N,), those of one
image after the other. mmdet's are pickles of ``{name: dict(bboxes=..., scores=...)}``.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from ..errors import FoldersError, ProposalsError
from ..io.data_pickle import read_data_pickle
from ..io.whole_files import whole_or_absent


def proposal_key(image: str | Path) -> str:
    """The name of an image in a file of proposals: the last two parts of its path."""
    return '/'.join(Path(image).parts[-2:])


def images_by_key(images: Iterable[str | Path]) -> dict[str, Path]:
    """Images by their names in a file of proposals.

    Raises:
        FoldersError: If two images have the same name.
    """
    named: dict[str, Path] = {}
    for image in map(Path, images):
        other = named.setdefault(proposal_key(image), image)
        if other != image:
            raise FoldersError(
                f'{other} and {image} have one name in a file of proposals, '
                f'{proposal_key(image)}; each folder needs a file of its own, or the '
                'images other names')
    return named


def find_proposal_file(proposal_file: str, data_root: str, split: str) -> Path:
    """The file that a config names, in the data root or else in the current folder.

    Raises:
        ProposalsError: If it is in neither.
    """
    path = Path(proposal_file).expanduser()
    for found in (Path(data_root).expanduser() / path, path):  # alike if it is absolute
        if found.is_file():
            return found
    raise ProposalsError(f'{path}: no such file of proposals for the split {split}, '
                         f'neither in {data_root} nor in the current folder')


def add_proposals(data_list: list[dict], path: Path) -> None:
    """Put ``proposals`` into each entry of a data list, which has ``img_path``.

    The file may also have other images: it may serve several splits.

    Raises:
        UserError: If the file is damaged or contains code, lacks an image, or has
            malformed boxes or scores; or if two images have the same name.
    """
    content = read_proposals(path)
    images = images_by_key(info['img_path'] for info in data_list)
    missing = [key for key in images if key not in content]
    if missing:
        raise ProposalsError(f'{path}: has no proposals for {len(missing)} of '
                             f'{len(images)} images, the first is {missing[0]}')
    for info in data_list:
        key = proposal_key(info['img_path'])
        try:
            info['proposals'] = _checked(content[key])
        except ValueError as error:
            raise ProposalsError(f'{path}: {key}: {error}') from error


def write_proposals(path: Path, proposals: Mapping[str, Mapping]) -> None:
    """Write a ``.npz`` file, which is whole or absent.

    It has ``bboxes`` (n, 4) and ``scores`` (n,) of each image by its name.
    """
    bboxes = [np.zeros((0, 4)), *(entry['bboxes'] for entry in proposals.values())]
    scores = [np.zeros(0), *(entry['scores'] for entry in proposals.values())]
    with whole_or_absent(path) as file:
        np.savez(file, names=np.array([*proposals], dtype=np.str_),
                 counts=np.array([len(each) for each in scores[1:]], dtype=np.int64),
                 bboxes=np.concatenate(bboxes, dtype=np.float32),
                 scores=np.concatenate(scores, dtype=np.float32))


def read_proposals(path: Path) -> dict:
    """The content of a ``.npz`` of ours, or of a pickle as mmdet has it, by image name.

    Returns:
        dict: ``bboxes`` and ``scores`` of each image; from a pickle whatever it holds.

    Raises:
        UserError: If the file is damaged, is not one of proposals, or could run code.
    """
    if path.suffix != '.npz':
        content = read_data_pickle(path)
        if not isinstance(content, dict):
            raise ProposalsError(f'{path}: holds a {type(content).__name__}, not a '
                                 "dict of proposals by 'JPEGImages/NAME.jpg'")
        return content
    arrays = read_arrays(path, ('names', 'counts', 'bboxes', 'scores'))
    names, counts, bboxes, scores = arrays.values()
    if (names.dtype.kind != 'U' or counts.dtype.kind not in 'iu' or (counts < 0).any()
            or names.shape != (len(np.unique(names)),) or counts.shape != names.shape
            or bboxes.shape != (counts.sum(), 4) or scores.shape != bboxes.shape[:1]):
        shapes = ', '.join(f'{name} {array.dtype} {array.shape}'
                           for name, array in arrays.items())
        raise ProposalsError(f'{path}: its arrays do not belong together ({shapes})')
    ends = np.cumsum(counts)
    return {str(name): dict(bboxes=boxes, scores=values) for name, boxes, values in zip(
        names, np.split(bboxes, ends)[:-1], np.split(scores, ends)[:-1], strict=True)}


def read_arrays(path: Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Arrays of at least one axis from a ``.npz`` file; no code in it is run."""
    try:
        with np.load(path, allow_pickle=False) as content:
            return {name: np.atleast_1d(content[name]) for name in names}
    except Exception as error:  # what is damaged may raise anything
        reason = ' '.join(str(error).split()) or type(error).__name__
        if 'allow_pickle' in reason:  # numpy goes on to advise loading it unsafely
            reason = 'it holds objects, which could run code'
        raise ProposalsError(f'{path}: damaged or not a file of proposals '
                             f'({reason})') from error


def _checked(entry: object) -> dict[str, np.ndarray]:
    """One image's proposals; raises ValueError with what is wrong with them."""
    if not isinstance(entry, dict) or 'bboxes' not in entry:
        raise ValueError('there are no bboxes')
    found = {}
    for name in [name for name in ('bboxes', 'scores') if name in entry]:
        if not isinstance(entry[name], np.ndarray):
            raise ValueError(f'{name} are a {type(entry[name]).__name__}, not an array')
        found[name] = np.asarray(entry[name], dtype=np.float32)
        if not np.isfinite(found[name]).all():
            raise ValueError(f'{name} are not all finite numbers')
    shape = found['bboxes'].shape
    if len(shape) != 2 or shape[1] != 4:
        raise ValueError(f'bboxes have the shape {shape}, not (n, 4)')
    if 'scores' in found and found['scores'].shape != shape[:1]:
        raise ValueError(
            f'{shape[0]} bboxes and scores of shape {found["scores"].shape}')
    return found
