"""Annotations that may be wrong: a sure detector says otherwise.

Source of the kinds, overlooked, swapped and badly located: Tkachenko et al., ObjectLab,
arXiv:2309.00832.
"""

import csv
import io
from collections import Counter
from collections.abc import Sequence

import numpy as np

from ..evaluation.operating_points import SCORES, OperatingPoints
from ..evaluation.records import ImageRecord
from .mistakes import FOUND_TWICE, Mistake, false_positives

SURE = 0.9  # the least probability of a detection that is worth a look
FILE = 'annotations_to_check.csv'
COLUMNS = 'picture', 'x1', 'y1', 'x2', 'y2', 'class', 'probability', 'why'


def doubtful_annotations(records: Sequence[ImageRecord], classes: Sequence[str],
                         points: OperatingPoints) -> list[Mistake]:
    """Detections that the annotations call wrong, although they are surely right.

    They are those with a probability of at least :data:`SURE`, highest score first.
    """
    thresholds = []
    for label in range(len(classes)):
        sure = points.probabilities(SCORES, np.full(len(SCORES), label)) >= SURE
        thresholds.append([*SCORES[sure], np.inf][0])
    return [each for each in false_positives(records, classes, np.array(thresholds))
            if each.kind != FOUND_TWICE]


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


def pictures_in(doubts: Sequence[Mistake]) -> str:
    """How many there are, in words."""
    files = Counter(each.record.path for each in doubts)
    return (f'{len(doubts)} annotation{"s" * (len(doubts) > 1)} in {len(files)} '
            f'picture{"s" * (len(files) > 1)}')
