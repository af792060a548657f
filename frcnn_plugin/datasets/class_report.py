"""Which classes a data set has, against those that a config asks for.

Comes in: counts. Goes out: warnings, or one line that says what can not be meant.
"""

import logging
from collections import Counter
from difflib import get_close_matches

from mmengine.logging import print_log

from ..errors import UserError
from .problem import Problem

SHOWN = 50  # lines about left-out boxes, before they are only counted


def report_skipped(where: str, skipped: list[Problem]) -> None:
    """Say which boxes were left out."""
    for line in skipped[:SHOWN]:
        warn(f'skipped {line}')
    if skipped:
        warn(f'{where}: {len(skipped)} boxes skipped, all others are used')


def report_classes(where: str, found: Counter, classes: tuple[str, ...],
                   may_miss: bool) -> None:
    """Say which boxes of other classes are left out; refuse what can not be meant.

    Args:
        where: The data set, for the message.
        found: Boxes of each class that is there.
        classes: Those that the config asks for.
        may_miss: Whether some of them may be in no annotation.

    Raises:
        UserError: If none of the classes is there, or one is not and must be.
    """
    missing = [name for name in classes if name not in found]
    counts = ', '.join(f'{name} ({n})' for name, n in found.most_common())
    if found and len(missing) == len(classes):
        raise UserError(
            f'{where}: no image is left: the annotations have the classes '
            f'{counts}; the config asks for {", ".join(classes)}. Name yours with '
            f'--classes {" ".join(sorted(found))}')
    if missing and not may_miss:
        near = {name: get_close_matches(name, found, 1, cutoff=0.75)
                for name in missing}
        hints = ', '.join(f'{name} (did you mean {close[0]}?)' if close else name
                          for name, close in near.items())
        raise UserError(
            f'{where}: no annotation has the class {hints}; there are '
            f'{counts or "no boxes at all"}. Name yours with --classes, or set '
            'allow_missing_classes=True of the dataset if that is meant')
    if missing:
        warn(f'{where}: no annotation has the class {", ".join(missing)}')
    others = {name: count for name, count in found.items() if name not in classes}
    if others:
        left_out = ', '.join(f'{name} ({n})' for name, n in others.items())
        warn(f'{where}: boxes of classes that are not in the config are left out: '
             f'{left_out}')


def keep_trainable(where: str, data_list: list[dict],
                   filter_cfg: dict | None) -> list[dict]:
    """Leave out images that can not be trained on, and count them.

    Args:
        where: The data set, for the messages.
        data_list: With ``width``, ``height`` and ``instances``.
        filter_cfg: mmdet's: ``filter_empty_gt`` and ``min_size``.

    Raises:
        UserError: If none is left.
    """
    cfg = filter_cfg or {}
    smallest = cfg.get('min_size', 0)
    kept = [info for info in data_list
            if min(info['width'], info['height']) >= smallest
            and (info['instances'] or not cfg.get('filter_empty_gt', False))]
    dropped = len(data_list) - len(kept)
    if not kept:
        raise UserError(f'{where}: no image is left of {dropped}: none has a box and '
                        f'sides of at least {smallest} pixels')
    if dropped:
        warn(f'{where}: {dropped} images without a box or smaller than {smallest} '
             'pixels are not trained on')
    return kept


def warn(message: str) -> None:
    """Log a warning."""
    print_log(message, logger='current', level=logging.WARNING)
