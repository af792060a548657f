"""A data set in VOC layout, with any classes."""

from collections import Counter
from pathlib import Path

from mmdet.datasets import BaseDetDataset, VOCDataset
from PIL import Image, UnidentifiedImageError
from rich.progress import track

from ..errors import DataError
from ..registry import DATASETS
from .problems import Problem, keep_trainable, report_classes, report_skipped, warn
from .proposals import add_proposals, find_proposal_file
from .voc_annotation import VOCAnnotation, read_voc_annotation
from .voc_layout import find_folders, find_image, read_split

ORIENTATION = 274  # the tag of EXIF; values from 5 on swap the sides
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
        self._found: Counter = Counter()  # boxes of each class of the annotations
        skipped: list[Problem] = []
        data_list = []
        quiet = len(names) <= QUIET_FILES
        for folder, name in names if quiet else track(names, f'{root} {self.split}'):
            image = find_image(folder, name)
            annotation = read_voc_annotation(
                folder / 'Annotations' / f'{name}.xml', image_size(image))
            skipped += annotation.skipped
            for note in annotation.notes:
                if note.kind == 'size mismatch':
                    warn(str(note))
            data_list.append(self._data_info(annotation, image, name))
        where = f'{root} ({self.split})'
        report_skipped(where, skipped)
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


def image_size(path: Path) -> tuple[int, int]:
    """Width and height from an image's header, turned by its EXIF tag as in training.

    Raises:
        DataError: If it cannot be opened as an image.
    """
    try:
        with Image.open(path) as image:
            return turned_size(image)
    except (UnidentifiedImageError, OSError) as error:
        raise DataError(f'{path}: not a readable image ({error})') from error


def turned_size(image: Image.Image) -> tuple[int, int]:
    """Width and height of an open image, turned by its EXIF tag."""
    if image.format == 'PNG' and 'exif' not in image.info:
        return image.size  # a tag after the pixels would need all of them decoded
    turned = image.getexif().get(ORIENTATION, 1) >= 5
    return image.size[::-1] if turned else image.size
