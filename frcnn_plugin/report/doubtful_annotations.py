"""Annotations that may be wrong: a sure detector says otherwise.

Source of the kinds, overlooked, swapped and badly located: Tkachenko et al., ObjectLab,
arXiv:2309.00832.
"""

import csv
import io
from collections.abc import Sequence

import numpy as np

from ..evaluation.calibration import score_of
from ..evaluation.operating_points import OperatingPoints
from ..evaluation.records import ImageRecord
from .analysis import IOU_THR, ious
from .mistakes import POOR_IOU, Mistake, false_positives, owners

SURE = 0.9  # the least probability of a detection that is worth a look
FILE = 'annotations_to_check.csv'
COLUMNS = 'picture', 'x1', 'y1', 'x2', 'y2', 'class', 'probability', 'why'


def doubtful_annotations(records: Sequence[ImageRecord], classes: Sequence[str],
                         points: OperatingPoints) -> list[Mistake]:
    """Detections that the annotations call wrong, and that the detector is sure of.

    They have a probability of at least :data:`SURE`, highest score first. An object
    that a detection with a higher score finds is annotated well, difficult objects say
    nothing, and what two tiles show is listed once.
    """
    thresholds = [score_of(SURE, each) for each in points.maps]
    doubts: list[Mistake] = []
    for each in false_positives(records, classes, np.array(thresholds)):
        known = [other.bbox for other in doubts if other.label == each.label
                 and other.record.path == each.record.path]
        if not (overlaps(each, known) or overlaps(each, each.record.ignored_bboxes)
                or found_better(each)):
            doubts.append(each)
    return doubts


def overlaps(doubt: Mistake, boxes: Sequence[np.ndarray]) -> bool:
    """Whether it is in the same place as one of some boxes, each of (4,)."""
    return bool((ious(doubt.bbox[None], np.reshape(boxes, (-1, 4))) >= IOU_THR).any())


def found_better(doubt: Mistake) -> bool:
    """Whether a detection with a higher score finds the object nearest to it."""
    record = doubt.record
    near = ious(doubt.bbox[None], record.gt_bboxes)[0]
    if near.max(initial=0) < POOR_IOU:
        return False
    owner = owners(record, ious(record.bboxes, record.gt_bboxes))
    return bool((record.scores[owner == near.argmax()] >= doubt.score).any())


def table_of(doubts: Sequence[Mistake], classes: Sequence[str],
             points: OperatingPoints) -> str:
    """A CSV table with :data:`COLUMNS`; boxes in pixels of the picture."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator='\n')
    rows.writerow(COLUMNS)
    for each in doubts:
        (probability,) = points.probabilities(np.array([each.score]),
                                              np.array([each.label]))
        rows.writerow([each.record.path, *(f'{side:.1f}' for side in each.bbox),
                       classes[each.label], f'{probability:.2f}', each.kind])
    return text.getvalue()
