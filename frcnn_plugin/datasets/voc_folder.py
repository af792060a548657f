"""A data set in VOC layout, with any classes."""

from collections import Counter
from functools import partial
from pathlib import Path

from mmdet.datasets import BaseDetDataset, VOCDataset

from ..io.processes import in_processes
from ..io.progress import progress
from ..registry import DATASETS
from .orientation import read_size
from .problems import Problem
from .proposals import add_proposals, find_proposal_file
from .reports import (
    keep_trainable,
    report_classes,
    report_orientation,
    report_skipped,
    warn,
)
from .voc_annotation import VOCAnnotation, read_voc_annotation
from .voc_layout import find_folders, find_image, read_split

QUIET_FILES = 2000  # are read without a progress bar


@DATASETS.register_module()
class VOCFolder(BaseDetDataset):
    """Images and boxes of a folder in VOC layout.

    What mmdet's ``VOCDataset`` drops silently is named here: boxes without area or
    outside their image are left out and reported by file, boxes of other classes are
    counted, and a class without an annotation is refused.

    Args:
        data_root: A folder with ``Annotations``, ``JPEGImages`` and ``ImageSets/Main``,
            or a ``VOCdevkit`` that holds such folders.
        split: Name of the split file, without ``.txt``.
        folders: Which folders of a ``VOCdevkit``; None for all.
        metainfo: ``classes``, a tuple of names. Default: the 20 of VOC.
        allow_missing_classes: Whether a class may have no annotation in training, as
            in a small part of a data set.
        frame: Which way round the boxes of pictures stored turned are: ``'upright'``,
            as viewers and training show the picture, or ``'stored'``. Default: decided
            from each annotation; undecided pictures are left out and counted.
        filter_cfg: mmdet's; with ``filter_empty_gt`` images without boxes are left out
            in training, and counted.
        **kwargs: The rest of mmdet's ``BaseDetDataset``; a relative ``proposal_file``
            starts at the data root, or, if it is not there, at the current folder, and
            ``{split}`` in it stands for the split.

    Raises:
        UserError: If a folder, a split, an annotation, an image or the file of
            proposals is missing or broken, if a class has no annotation (in
            training), or if no image is left.
    """

    METAINFO = VOCDataset.METAINFO

    def __init__(self, data_root: str, split: str = 'trainval',
                 folders: list[str] | None = None, metainfo: dict | None = None,
                 allow_missing_classes: bool = False, frame: str | None = None,
                 **kwargs) -> None:
        self.split = split
        self.frame = frame
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
        self._found: Counter = Counter()  # boxes of each class of the annotations
        skipped: list[Problem] = []
        unplaced: list[Problem] = []
        data_list, turned = [], 0
        read = in_processes(partial(read_one, self.frame), names)
        for (_, name), (image, annotation) in zip(names, progress(
                read, f'{root} {self.split}', len(names), QUIET_FILES), strict=True):
            if annotation.unplaced:
                unplaced.append(annotation.unplaced)
                continue
            skipped += annotation.skipped
            for note in annotation.notes:
                if note.kind in ('size mismatch', 'scaled boxes'):
                    warn(str(note))
            turned += any(note.kind == 'turned boxes' for note in annotation.notes)
            data_list.append(self._data_info(annotation, image, name))
        where = f'{root} ({self.split})'
        report_skipped(where, skipped)
        report_orientation(where, unplaced, turned)
        report_classes(where, self._found, self.metainfo['classes'],
                       self.test_mode or self.allow_missing_classes)
        return data_list

    def _data_info(self, annotation: VOCAnnotation, image: Path, name: str) -> dict:
        self._found.update(item.name for item in annotation.objects)
        instances = [
            dict(bbox=list(item.bbox), bbox_label=self._label_of[item.name],
                 ignore_flag=int(item.difficult))
            for item in annotation.objects if item.name in self._label_of]
        return dict(img_path=str(image), img_id=name, height=annotation.height,
                    width=annotation.width, instances=instances)

    def load_proposals(self) -> None:
        """Add ``proposals`` to each image, before any is left out.

        mmdet's own would run code in the file, and takes no file with more images.
        """
        name = self.proposal_file.replace('{split}', self.split)
        path = find_proposal_file(name, self.data_root, self.split)
        self.proposal_file = str(path)
        add_proposals(self.data_list, path)

    def filter_data(self) -> list[dict]:
        """Leave out images that cannot be trained on, and count them.

        Raises:
            DataError: If no image is left.
        """
        if self.test_mode:
            return self.data_list
        return keep_trainable(f'{self.data_root} ({self.split})', self.data_list,
                              self.filter_cfg)


def read_one(frame: str | None, where: tuple[Path, str]) -> tuple[Path, VOCAnnotation]:
    """An image of a folder, and its annotation without the elements of its file."""
    folder, name = where
    image = find_image(folder, name)
    annotation = read_voc_annotation(
        folder / 'Annotations' / f'{name}.xml', read_size(image), frame)
    annotation.elements.clear()
    return image, annotation
