"""A data set in VOC layout, with any classes.

Comes in: a folder and a split. Goes out: mmdet's data, and a report of what was left
out.
"""

import logging
from collections import Counter
from difflib import get_close_matches
from pathlib import Path

from mmdet.datasets import BaseDetDataset, VOCDataset
from mmengine.logging import print_log
from PIL import Image, UnidentifiedImageError
from rich.progress import track

from ..registry import DATASETS
from ..utils.errors import UserError
from .problem import Problem
from .proposals import add_proposals, find_proposal_file
from .voc_annotation import VOCAnnotation, read_voc_annotation
from .voc_layout import find_folders, find_image, read_split

MANY = 2000  # files, from which on reading them deserves a progress bar
SHOWN = 50  # lines about left-out boxes, before they are only counted


@DATASETS.register_module()
class VOCFolder(BaseDetDataset):
    """Images and boxes of a folder in VOC layout.

    What mmdet's ``VOCDataset`` drops without a word is named here: boxes without area
    or outside their image are left out and reported by file, boxes of other classes are
    counted, and a class that no annotation has is refused.

    Args:
        data_root: A folder with ``Annotations``, ``JPEGImages`` and ``ImageSets/Main``,
            or a ``VOCdevkit`` that holds such folders.
        split: Name of the split file, without ``.txt``.
        folders: Which folders of a ``VOCdevkit``; None for all.
        metainfo: ``classes``, a tuple of names. Default: the 20 of VOC.
        allow_missing_classes: Whether a class may be in no annotation in training, as
            in a small part of a data set.
        filter_cfg: mmdet's; with ``filter_empty_gt`` images without boxes are left out
            in training, and counted.
        **kwargs: The rest of mmdet's ``BaseDetDataset``; a relative ``proposal_file``
            starts at the data root, or, if it is not there, at the current folder, and
            ``{split}`` in it stands for the split.

    Raises:
        UserError: If a folder, a split, an annotation, an image or the file of
            proposals is missing or broken, if a class is in no annotation (in
            training), or if no image is left.
    """

    METAINFO = VOCDataset.METAINFO

    def __init__(self, data_root: str, split: str = 'trainval',
                 folders: list[str] | None = None, metainfo: dict | None = None,
                 allow_missing_classes: bool = False, **kwargs) -> None:
        self.split = split
        self.allow_missing_classes = allow_missing_classes
        self.folders = folders
        metainfo = dict(metainfo or {})
        if 'classes' in metainfo:
            classes = metainfo['classes'] = tuple(metainfo['classes'])
            colors = self.METAINFO['palette']
            metainfo.setdefault(
                'palette', [colors[i % len(colors)] for i in range(len(classes))])
        super().__init__(data_root=data_root, metainfo=metainfo, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Read all annotations of the split.

        Returns:
            list[dict]: ``img_path``, ``img_id``, ``height``, ``width``, ``instances``.
        """
        root = Path(self.data_root).expanduser()
        names = [(folder, name) for folder in find_folders(root, self.folders)
                 for name in read_split(folder, self.split)]
        self._label_of = {name: i for i, name in enumerate(self.metainfo['classes'])}
        self._found: Counter = Counter()  # boxes of each class, in the config or not
        skipped: list[Problem] = []
        data_list = []
        steps = names if len(names) <= MANY else track(names, f'{root} {self.split}')
        for folder, name in steps:
            image = find_image(folder, name)
            annotation = read_voc_annotation(
                folder / 'Annotations' / f'{name}.xml', image_size(image))
            skipped += annotation.skipped
            for note in annotation.notes:
                if note.kind == 'size mismatch':
                    _warn(str(note))
            data_list.append(self._data_info(annotation, image, name))
        self._report(skipped, root)
        return data_list

    def _data_info(self, annotation: VOCAnnotation, image: Path, name: str) -> dict:
        self._found.update(item.name for item in annotation.objects)
        instances = [
            dict(bbox=list(item.bbox), bbox_label=self._label_of[item.name],
                 ignore_flag=int(item.difficult))
            for item in annotation.objects if item.name in self._label_of]
        return dict(img_path=str(image), img_id=name, height=annotation.height,
                    width=annotation.width, instances=instances)

    def _report(self, skipped: list[Problem], root: Path) -> None:
        """Say what was left out; refuse what can not be meant."""
        where = f'{root} ({self.split})'
        for line in skipped[:SHOWN]:
            _warn(f'skipped {line}')
        if skipped:
            _warn(f'{where}: {len(skipped)} boxes skipped, all others are used')
        others = {name: count for name, count in self._found.items()
                  if name not in self._label_of}
        classes = self.metainfo['classes']
        missing = [name for name in classes if name not in self._found]
        counts = ', '.join(f'{name} ({n})' for name, n in self._found.most_common())
        if self._found and len(missing) == len(classes):
            raise UserError(
                f'{where}: no image is left: the annotations have the classes '
                f'{counts}; the config asks for {", ".join(classes)}. Name yours with '
                f'--classes {" ".join(sorted(self._found))}')
        if missing and not (self.test_mode or self.allow_missing_classes):
            near = {name: get_close_matches(name, self._found, 1, cutoff=0.75)
                    for name in missing}
            hints = ', '.join(f'{name} (did you mean {close[0]}?)' if close else name
                              for name, close in near.items())
            raise UserError(
                f'{where}: no annotation has the class {hints}; there are '
                f'{counts or "no boxes at all"}. Name yours with --classes, or set '
                'allow_missing_classes=True of the dataset if that is meant')
        if missing:
            _warn(f'{where}: no annotation has the class {", ".join(missing)}')
        if others:
            left_out = ', '.join(f'{name} ({n})' for name, n in others.items())
            _warn(f'{where}: boxes of classes that are not in the config are left out: '
                  f'{left_out}')

    def load_proposals(self) -> None:
        """Add ``proposals`` to each image, before any is left out.

        mmdet's own runs what the file holds, and takes no file with more images.
        """
        name = self.proposal_file.replace('{split}', self.split)
        path = find_proposal_file(name, self.data_root, self.split)
        self.proposal_file = str(path)
        add_proposals(self.data_list, path)

    def filter_data(self) -> list[dict]:
        """Leave out images that can not be trained on, and count them.

        Raises:
            UserError: If none is left.
        """
        if self.test_mode:
            return self.data_list
        cfg = self.filter_cfg or {}
        smallest = cfg.get('min_size', 0)
        kept = [info for info in self.data_list
                if min(info['width'], info['height']) >= smallest
                and (info['instances'] or not cfg.get('filter_empty_gt', False))]
        dropped = len(self.data_list) - len(kept)
        if not kept:
            raise UserError(
                f'{self.data_root} ({self.split}): no image is left of {dropped}: none '
                f'has a box and sides of at least {smallest} pixels')
        if dropped:
            _warn(f'{self.data_root} ({self.split}): {dropped} images without a box or '
                  f'smaller than {smallest} pixels are not trained on')
        return kept


def image_size(path: Path) -> tuple[int, int]:
    """Width and height from an image's header.

    Raises:
        UserError: If it is no image that can be opened.
    """
    try:
        with Image.open(path) as image:
            return image.size
    except (UnidentifiedImageError, OSError) as error:
        raise UserError(f'{path}: not a readable image ({error})') from error


def _warn(message: str) -> None:
    print_log(message, logger='current', level=logging.WARNING)
