"""Reports what is wrong with a data set: boxes skipped, counted or refused."""

import logging
from collections import Counter
from difflib import get_close_matches

from mmengine.logging import print_log

from ..errors import ClassesError, DataError
from .problems import Problem

MAX_LINES = 50  # about skipped boxes, before they are only counted


def report_skipped(where: str, skipped: list[Problem]) -> None:
    """Warn of skipped boxes, one line each up to a limit, and count them."""
    for problem in skipped[:MAX_LINES]:
        warn(f'skipped {problem}')
    if skipped:
        warn(f'{where}: {len(skipped)} boxes skipped, all others are used')


def report_orientation(where: str, unplaced: list[Problem], turned: int) -> None:
    """Warn of images left out and of boxes turned: their pictures are stored turned."""
    for problem in unplaced[:MAX_LINES]:
        warn(f'left out {problem}')
    if unplaced:
        warn(f'{where}: {len(unplaced)} images with {sum(p.boxes for p in unplaced)} '
             'boxes are left out, for the picture is stored turned and nothing tells '
             "which way round its boxes are; the dataset's setting frame='stored' or "
             "'upright' says it for all")
    if turned:
        warn(f'{where}: the boxes of {turned} images are those of the picture as it is '
             'stored; they are turned with it')


def report_classes(where: str, found: Counter, classes: tuple[str, ...],
                   may_miss: bool) -> None:
    """Warn of boxes of other classes; refuse classes that must be a mistake.

    Args:
        where: The data set, for the message.
        found: Number of boxes of each class in the annotations.
        classes: The classes of the config.
        may_miss: Whether some of them may have no box.

    Raises:
        ClassesError: If none of the classes has a box, or one of them has none and
            must have one.
    """
    missing = [name for name in classes if name not in found]
    counts = ', '.join(f'{name} ({n})' for name, n in found.most_common())
    if found and len(missing) == len(classes):
        raise ClassesError(
            f'{where}: no image is left: the annotations have the classes {counts}; '
            f'the config asks for {", ".join(classes)}')
    if missing and not may_miss:
        near = {name: get_close_matches(name, found, 1, cutoff=0.75)
                for name in missing}
        hints = ', '.join(f'{name} (did you mean {close[0]}?)' if close else name
                          for name, close in near.items())
        raise ClassesError(
            f'{where}: no annotation has the class {hints}, which the dataset permits '
            'with allow_missing_classes=True only; there are '
            f'{counts or "no boxes at all"}')
    if missing:
        warn(f'{where}: no annotation has the class {", ".join(missing)}')
    others = {name: count for name, count in found.items() if name not in classes}
    if others:
        left_out = ', '.join(f'{name} ({n})' for name, n in others.items())
        warn(f'{where}: boxes of classes that are not in the config are left out: '
             f'{left_out}')


def keep_trainable(where: str, data_list: list[dict],
                   filter_cfg: dict | None) -> list[dict]:
    """Leave out images that cannot be trained on, and count them.

    Args:
        where: The data set, for the messages.
        data_list: With ``width``, ``height`` and ``instances``.
        filter_cfg: mmdet's: ``filter_empty_gt`` and ``min_size``.

    Raises:
        DataError: If no image is left.
    """
    cfg = filter_cfg or {}
    smallest = cfg.get('min_size', 0)
    kept = [info for info in data_list
            if min(info['width'], info['height']) >= smallest
            and (info['instances'] or not cfg.get('filter_empty_gt', False))]
    dropped = len(data_list) - len(kept)
    if not kept:
        raise DataError(f'{where}: no image is left of {dropped}: none has a box and '
                        f'sides of at least {smallest} pixels')
    if dropped:
        warn(f'{where}: {dropped} images without a box or smaller than {smallest} '
             'pixels are not trained on')
    return kept


def warn(message: str) -> None:
    """Log a warning."""
    print_log(message, logger='current', level=logging.WARNING)
