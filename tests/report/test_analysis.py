"""Figures of a test whose answers are known, and mmdet's beside them."""

import numpy as np
import pytest
from mmdet.evaluation import eval_map

from frcnn_plugin.evaluation.calibration import IDENTITY
from frcnn_plugin.evaluation.operating_points import OperatingPoints
from frcnn_plugin.evaluation.records import ImageRecord, for_mmdet
from frcnn_plugin.report.analysis import by_class, confusion_matrix, ious
from frcnn_plugin.report.doubtful_annotations import (
    doubtful_annotations,
    table_of,
)
from frcnn_plugin.report.mistakes import false_positives, misses, owners

CLASSES = ('cat', 'dog')


def boxes(*rows) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def at(score: float) -> np.ndarray:
    return np.full(2, score, np.float32)


@pytest.fixture
def record() -> ImageRecord:
    """A cat, found twice; a dog taken for a cat; a missed dog; a difficult one."""
    return ImageRecord(
        'a.jpg',
        boxes((0, 0, 40, 40), (100, 100, 200, 200), (300, 0, 320, 20)),
        np.array([0, 1, 1]),
        boxes((400, 400, 450, 450)), np.array([1]),
        boxes((0, 0, 40, 38), (102, 100, 200, 200), (2, 0, 40, 40),
              (400, 400, 450, 448), (500, 500, 520, 520), (0, 0, 40, 15)),
        np.array([0.9, 0.8, 0.7, 0.65, 0.6, 0.55], np.float32),
        np.array([0, 0, 0, 1, 1, 0]))


def test_confusions(record):
    np.testing.assert_array_equal(confusion_matrix([record], 2, at(0.5)), [
        [1, 0, 0],   # the cat
        [1, 0, 1],   # one dog taken for a cat, one missed
        [2, 1, 0]])  # the second cat, the slice of a cat, the dog of nothing
    np.testing.assert_array_equal(confusion_matrix([record], 2, at(0.85)), [
        [1, 0, 0], [0, 0, 2], [0, 0, 0]])


def test_each_class_is_cut_at_a_score_of_its_own(record):
    cut = np.float32([0.75, 0.62])  # of cats, of dogs
    np.testing.assert_array_equal(confusion_matrix([record], 2, cut), [
        [1, 0, 0], [1, 0, 1], [0, 0, 0]])
    assert [each.kind for each in false_positives([record], CLASSES, cut, 10)] == [
        'annotated as dog']
    missed = misses([record], np.float32([0.95, 0.1]), 10)
    assert sorted(each.label for each in missed) == [0, 1, 1]
    assert sorted(each.label for each in misses([record], np.float32([0.1, 0.95]), 10)
                  ) == [1, 1]


def test_kinds_of_mistakes(record):
    found = false_positives([record], CLASSES, at(0), 10)
    assert [(each.kind, round(each.score, 2)) for each in found] == [
        ('annotated as dog', 0.8), ('found twice', 0.7),
        ('nothing annotated there', 0.6),
        ('badly placed, IoU 0.39', 0.55)]
    assert [each.score for each in false_positives([record], CLASSES, at(0), 2)] == [
        each.score for each in found[:2]]


def test_annotations_that_look_wrong(record):
    thresholds = at(0.5)
    doubting = OperatingPoints(thresholds, np.array([IDENTITY] * 2))
    assert doubtful_annotations([record], CLASSES, doubting) == []
    sure = OperatingPoints(thresholds, np.array([(1.0, 1.0, 1.0)] * 2))  # 0.8 to 0.92
    found = doubtful_annotations([record], CLASSES, sure)
    assert table_of(found, CLASSES, sure).splitlines() == [
        'picture,x1,y1,x2,y2,class,probability,why',
        'a.jpg,102.0,100.0,200.0,200.0,cat,0.92,annotated as dog']
    surer = OperatingPoints(thresholds, np.array([(1.0, 1.0, 3.0)] * 2))
    # a slice of the cat that was found whole says nothing, nor does it a second time,
    # as if from another tile
    found = doubtful_annotations([record, record], CLASSES, surer)
    assert [each.kind for each in found] == [
        'annotated as dog', 'nothing annotated there']
    difficult = record._replace(
        ignored_bboxes=boxes((400, 400, 450, 450), (500, 500, 520, 520)),
        ignored_labels=np.array([1, 0]))
    assert [each.kind for each in doubtful_annotations([difficult], CLASSES, surer)
            ] == ['annotated as dog']


def test_misses_are_the_largest_first(record):
    missed = misses([record], at(0.5), 10)
    assert [(each.label, each.kind) for each in missed] == [
        (1, 'not found'), (1, 'not found')]
    assert missed[0].bbox[2] == 200
    missed = misses([record], at(0.95), 10)
    assert [each.kind for each in missed] == [
        'not found', 'found with a score of 0.90 only', 'not found']


def test_ap_is_mmdets_and_mistakes_agree_with_it():
    rng = np.random.default_rng(0)
    records = []
    for number in range(8):
        corners = rng.uniform(0, 200, (9, 2))
        found = np.hstack([corners, corners + rng.uniform(10, 120, (9, 2))])
        gt = found[:5] + rng.uniform(-6, 6, (5, 4))
        records.append(ImageRecord(
            f'{number}.jpg', gt.astype(np.float32), rng.integers(0, 2, 5),
            boxes(), np.zeros(0, np.int64), found.astype(np.float32),
            np.sort(rng.random(9).astype(np.float32))[::-1], rng.integers(0, 2, 9)))
    results = by_class(records, CLASSES)
    _, expected = eval_map(*for_mmdet(records, 2), iou_thr=0.5, dataset=CLASSES,
                           logger='silent', use_legacy_coordinate=True)
    for result, item in zip(results, expected, strict=True):
        assert result.ap == float(item['ap'])
        assert (result.num_gts, result.num_dets) == (item['num_gts'], item['num_dets'])
        label = CLASSES.index(result.name)
        right = sum(((owners(record, ious(record.bboxes, record.gt_bboxes)) >= 0)
                     & (record.labels == label)).sum() for record in records)
        assert right == round(item['recall'][-1] * item['num_gts'])


@pytest.mark.parametrize(('y2', 'right'), [(9, 1), (8.9, 0)])
def test_ap_confusions_and_mistakes_share_one_iou_at_the_threshold(y2, right):
    """10 of 20 rows of pixels are an IoU of 0.5: the last pixel counts."""
    record = ImageRecord(
        'a.jpg', boxes((0, 0, 9, 19)), np.array([0]), boxes(), np.zeros(0, np.int64),
        boxes((0, 0, 9, y2)), np.float32([0.9]), np.array([0]))
    assert by_class([record], CLASSES)[0].ap == right
    assert confusion_matrix([record], 2, at(0.5))[0, 0] == right
    assert len(false_positives([record], CLASSES, at(0), 1)) == 1 - right
    assert len(misses([record], at(0.5), 1)) == 1 - right


def test_a_difficult_object_at_the_threshold():
    """A detection on it is no mistake, whatever else the image holds."""
    record = ImageRecord(
        'a.jpg', boxes(), np.zeros(0, np.int64), boxes((0, 0, 9, 19)), np.array([0]),
        boxes((0, 0, 9, 9)), np.float32([0.9]), np.array([0]))
    assert not confusion_matrix([record], 2, at(0.5)).any()
    assert not false_positives([record], CLASSES, at(0), 1)


def test_sizes(record):
    cat, dog = by_class([record, record], CLASSES)
    assert cat.ap_by_size['small'] is None and cat.ap_by_size['medium'] == 1
    assert dog.ap_by_size == dict(small=0, medium=None, large=0)
