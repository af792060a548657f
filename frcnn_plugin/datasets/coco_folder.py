"""A data set in COCO layout, with any classes."""

from collections import Counter, defaultdict
from pathlib import Path

from mmdet.datasets import CocoDataset
from mmengine.fileio import get_local_path

from ..errors import ClassesError, DataError, TurnedPicturesError
from ..io.processes import in_processes
from ..registry import DATASETS
from .coco_annotations import edges_of, read_coco
from .orientation import PictureSize, place, read_size
from .proposals import add_proposals, find_proposal_file
from .reports import keep_trainable, report_classes, report_skipped


@DATASETS.register_module()
class CocoFolder(CocoDataset):
    """mmdet's ``CocoDataset`` that says what is wrong with its files.

    What the stock class drops silently is named here: boxes without area or outside
    their image are left out and reported, boxes of other classes are counted. A class
    without an annotation, a missing image, and the name of an image that leads out of
    its folder are refused. A file of proposals is read as data.

    Args:
        *args: mmdet's.
        allow_missing_classes: Whether a class may have no annotation in training, as
            in a small part of a data set.
        frame: ``'upright'`` if no picture is stored turned, or all boxes are of the
            pictures as viewers show them; then no picture is opened. Default: each is
            looked at.
        **kwargs: mmdet's; a relative ``proposal_file`` starts at the data root, or, if
            it is not there, at the current folder.

    Raises:
        UserError: If the annotations, an image or the file of proposals are missing or
            broken, if a class has no annotation (in training), if the classes are not
            in the order of the categories, if no image is left, or if pictures are
            stored turned and their boxes are not, or may not be, of the upright ones.
    """

    def __init__(self, *args, allow_missing_classes: bool = False,
                 frame: str | None = None, **kwargs) -> None:
        self.frame = frame
        self.allow_missing_classes = allow_missing_classes
        super().__init__(*args, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Read all annotations and check that the images exist.

        Returns:
            list[dict]: ``img_path``, ``img_id``, ``height``, ``width``, ``instances``.
        """
        with get_local_path(self.ann_file, backend_args=self.backend_args) as path:
            content, skipped = read_coco(Path(path))
        annotations = defaultdict(list)
        for item in content['annotations']:
            annotations[item['image_id']].append(item)
        self._label_categories(content)
        report_skipped(self.ann_file, skipped)
        data_list = [self.parse_data_info(dict(
            raw_img_info={**image, 'img_id': image['id']},
            raw_ann_info=annotations[image['id']])) for image in content['images']]
        turned = []
        if self.backend_args is None:
            paths = [info['img_path'] for info in data_list]
            look = is_there if self.frame == 'upright' else size_if_there
            for path, image, size in zip(paths, content['images'], in_processes(
                    look, paths), strict=True):
                if not size:
                    raise DataError(f'{path}: the image is missing; {self.ann_file} '
                                    'names it')
                if size is True or size.orientation == 1:
                    continue
                boxes = [edges_of(item) for item in annotations[image['id']]]
                if place(size, (image['width'], image['height']), boxes)[0] != boxes:
                    turned.append(path)
        if turned:  # CocoMetric reads the boxes from the file, where they stay as here
            raise TurnedPicturesError(
                f'{self.ann_file}: {len(turned)} pictures are stored turned, and their '
                'boxes are of the stored picture, or it cannot be told, for example '
                f'{turned[0]}')
        return data_list

    def _label_categories(self, content: dict) -> None:
        """Set ``cat_ids`` and ``cat2label``: a label is a place among the classes.

        Raises:
            DataError: If the classes are in another order than the categories or, in a
                test, one in the middle is missing: ``CocoMetric`` would mix them up.
        """
        classes = tuple(self.metainfo['classes'])
        names = {item['id']: item['name'] for item in content['categories']}
        found = Counter(names[item['category_id']] for item in content['annotations'])
        report_classes(self.ann_file, found, classes,
                       self.test_mode or self.allow_missing_classes)
        ordered = [name for name in names.values() if name in classes]
        if ordered != [name for name in classes if name in ordered]:
            raise ClassesError(f'{self.ann_file}: its categories come in another order '
                               f'than the classes: {" ".join(ordered)}')
        if self.test_mode and ordered != list(classes[:len(ordered)]):
            raise DataError(f'{self.ann_file}: its categories lack one of the classes '
                            'and have others after it, which CocoMetric would confuse. '
                            f'It has {", ".join(ordered)}; add the others to its '
                            'categories')
        self.cat_ids = [key for key, name in names.items() if name in classes]
        self.cat2label = {key: classes.index(names[key]) for key in self.cat_ids}

    def load_proposals(self) -> None:
        """Add ``proposals`` to each image; mmdet's own would run code in the file."""
        path = find_proposal_file(self.proposal_file, self.data_root or '.',
                                  Path(self.ann_file).stem)
        self.proposal_file = str(path)
        add_proposals(self.data_list, path)

    def filter_data(self) -> list[dict]:
        """Leave out images that cannot be trained on, and count them.

        Raises:
            DataError: If no image is left.
        """
        if self.test_mode:
            return self.data_list
        return keep_trainable(self.ann_file, self.data_list, self.filter_cfg)


def is_there(path: str) -> bool:
    """Whether it is a file."""
    return Path(path).is_file()


def size_if_there(path: str) -> PictureSize | None:
    """The size of a picture; None if it is no file."""
    return read_size(path) if is_there(path) else None
