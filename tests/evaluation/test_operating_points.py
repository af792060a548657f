"""Scores to cut at: chosen on a few pictures, good on others."""

import json

import numpy as np
import pytest
from mmdet.evaluation import eval_map
from sklearn.metrics import precision_recall_curve

from frcnn_plugin.errors import UserError
from frcnn_plugin.evaluation.calibration import fit_map
from frcnn_plugin.evaluation.operating_points import (
    OperatingPoints,
    Outcomes,
    best_score,
    choose,
    curve,
    pool,
)
from frcnn_plugin.evaluation.outcomes import operating_points_of, outcomes_of
from frcnn_plugin.evaluation.records import ImageRecord, for_mmdet

NONE = Outcomes(np.zeros(0, np.float32), np.zeros(0, bool), 0)
KINDS = {  # parameters of beta distributions: of right and of wrong scores
    'usual': ((4, 1.5), (1, 4)), 'confident': ((6, 0.5), (0.6, 1)),
    'timid': ((1.5, 3), (0.7, 8))}


def draw(kind: str, objects: int, seed: int) -> Outcomes:
    """Of 100 objects 92 are found, with 150 wrong detections, none below 0.05."""
    rng = np.random.default_rng(seed)
    parts = [rng.beta(*shape, number) for shape, number in zip(
        KINDS[kind], (rng.binomial(objects, 0.92), rng.poisson(1.5 * objects)),
        strict=True)]
    scores = np.concatenate(parts).astype(np.float32)
    right = np.arange(len(scores)) < len(parts[0])
    order = np.argsort(-scores)
    kept = order[scores[order] > 0.05]
    return Outcomes(scores[kept], right[kept], objects)


def cut(known: Outcomes, precision: float | None = None) -> float:
    """Where some detections are cut, by their own calibration."""
    return best_score(known, fit_map(known.scores, known.right), precision)


def random_records(number: int, seed: int = 0) -> list[ImageRecord]:
    """Objects of two classes, some difficult, and detections around them."""
    rng = np.random.default_rng(seed)
    records = []
    for index in range(number):
        corners = rng.uniform(0, 300, (14, 2))
        found = np.hstack([corners, corners + rng.uniform(20, 90, (14, 2))])
        gt = (found + rng.uniform(-9, 9, (14, 4)))[:10]
        labels = rng.integers(0, 2, 14)
        order = rng.permutation(14)
        records.append(ImageRecord(
            f'{index}.jpg', gt[:8].astype(np.float32), labels[:8],
            gt[8:].astype(np.float32), labels[8:10],
            found[order].astype(np.float32),
            np.sort(rng.random(14).astype(np.float32))[::-1], labels[order]))
    return records


def test_right_and_wrong_as_for_the_ap():
    records = random_records(12)
    _, theirs = eval_map(*for_mmdet(records, 2), iou_thr=0.5, logger='silent',
                         use_legacy_coordinate=True)
    for mine, item in zip(outcomes_of(records, 2), theirs, strict=True):
        assert mine.num_gts == item['num_gts'] > 20
        assert 0 < mine.right.sum() < len(mine.scores) < item['num_dets']
        found = curve(mine, mine.scores)
        for name in ('precision', 'recall'):  # without those on difficult objects
            known = np.ravel(item[name]).astype(float)
            values = getattr(found, name)
            assert abs(values[:, None] - known).min(1).max() < 1e-6
        assert found.recall[-1] == pytest.approx(np.ravel(item['recall'])[-1])


def test_curves_are_those_of_sklearn():
    outcomes = draw('usual', 80, 0)
    outcomes = outcomes._replace(num_gts=int(outcomes.right.sum()))  # as it sees them
    precision, recall, scores = precision_recall_curve(outcomes.right, outcomes.scores)
    found = curve(outcomes, scores)
    np.testing.assert_allclose(found.precision, precision[:-1])
    np.testing.assert_allclose(found.recall, recall[:-1])
    np.testing.assert_allclose(
        found.f1, 2 * precision[:-1] * recall[:-1] / (precision + recall)[:-1])
    assert [float(part[0]) for part in curve(outcomes, [1.01])] == [1, 0, 0]


@pytest.mark.parametrize('kind', KINDS)
def test_f1_on_other_pictures_is_nearly_the_best(kind):
    """And nearer to it, on average, than the top of the jagged curve leads."""
    fresh = draw(kind, 20_000, 999)
    best = curve(fresh, fresh.scores).f1.max()
    lost, lost_by_the_top = [], []
    for seed in range(100):
        known = draw(kind, 100, seed)
        top = known.scores[curve(known, known.scores).f1.argmax()]
        for losses, score in ((lost, cut(known)), (lost_by_the_top, top)):
            losses.append(best - curve(fresh, [score]).f1[0])
    assert np.mean(lost) < 0.006
    assert np.mean(lost) < 0.7 * np.mean(lost_by_the_top)


@pytest.mark.parametrize('wanted', [0.8, 0.95])
def test_a_precision_on_other_pictures(wanted):
    """And nearer to it than by the jagged curve, cut above its last fall below."""
    fresh = draw('usual', 20_000, 999)
    reached, by_the_curve = [], []
    for seed in range(200):
        known = draw('usual', 200, seed)
        below = np.flatnonzero(curve(known, known.scores).precision >= wanted)[-1]
        for found, score in ((reached, cut(known, wanted)),
                             (by_the_curve, known.scores[below])):
            found.append([float(part[0]) for part in curve(fresh, [score])[:2]])
    precision, recall = np.transpose(reached)
    assert abs(precision.mean() - wanted) < 0.02
    assert precision.std() < 0.97 * np.std(by_the_curve, axis=0)[0]
    highest = curve(fresh, fresh.scores)
    assert recall.mean() > highest.recall[highest.precision >= wanted].max() - 0.06


def test_where_all_are_right_the_middle():
    sure = Outcomes(np.float32([0.9] * 30 + [0.1] * 30), np.arange(60) < 30, 30)
    assert 0.4 < cut(sure) < 0.6


def test_rare_classes_are_cut_as_all_together():
    many, few = draw('timid', 20, 0), draw('confident', 9, 1)
    points = choose([many, few, NONE], 'abc', 100)
    assert points['pooled'] == ['b', 'c'] and points['f1']['c'] is None
    together = cut(pool([many, few]))
    a, b, c = points['thresholds'].values()
    assert b == c == pytest.approx(together, abs=1e-4) and abs(a - together) > 0.01
    assert points['calibration']['b'] == points['calibration']['c'] != (
        points['calibration']['a'])
    assert points['f1']['a'] == pytest.approx(
        curve(many, [points['thresholds']['a']]).f1[0], abs=1e-4)


def test_nothing_annotated():
    wrong = draw('usual', 50, 0)
    wrong = wrong._replace(right=np.zeros_like(wrong.right), num_gts=0)
    for outcomes in ([NONE, NONE], [wrong, NONE]):
        points = choose(outcomes, 'ab', 3)
        assert points['thresholds'] == dict(a=0.5, b=0.5)
        assert points['calibration'] == dict(a=[1, 1, 0], b=[1, 1, 0])


def test_only_wrong_ones_found():
    """Of objects that were never found nobody knows where to cut."""
    wrong = draw('usual', 50, 0)
    wrong = wrong._replace(right=np.zeros_like(wrong.right))
    for precision in (None, 0.9):
        assert choose([wrong], 'a', 3, precision)['thresholds'] == dict(a=0.5)


def test_a_precision_that_is_not_reached():
    poor = draw('usual', 50, 0)
    poor = poor._replace(right=np.arange(len(poor.right)) % 2 == 0)
    assert choose([poor], 'a', 3, 0.95)['thresholds'] == dict(a=1.0)


def test_equal_scores_are_cut_together():
    """And a score of almost 1 is not cut lower than it is."""
    high = np.float32(0.99997)
    same = Outcomes(np.float32([high] * 40 + [0.5] * 40), np.arange(80) < 40, 40)
    (cut_at,) = choose([same], 'a', 3, 0.9)['thresholds'].values()
    assert cut_at == pytest.approx(high, abs=1e-6)
    mixed = same._replace(scores=np.full(80, high))
    assert choose([mixed], 'a', 3, 0.9)['thresholds'] == dict(a=1.0)


def test_nothing_found():
    points = choose([NONE._replace(num_gts=20)], 'a', 3)
    assert points['thresholds'] == dict(a=0.5) and points['f1'] == dict(a=0)


def test_it_can_be_stored_as_text():
    points = operating_points_of(random_records(20), ('cat', 'dog'), 0.9)
    assert json.loads(json.dumps(points)) == points
    assert points['images'] == 20 and points['rule'] == 'precision 0.9'
    read = OperatingPoints.read(points, 2)
    np.testing.assert_allclose(read.thresholds, list(points['thresholds'].values()))
    scores, labels = np.float32([0.2, 0.7, 0.7]), np.array([0, 0, 1])
    found = read.probabilities(scores, labels)
    assert found.dtype == np.float32 and found[0] < found[1] != found[2]


@pytest.mark.parametrize(('change', 'says'), [
    (dict(thresholds=dict(a=0.5)), 'not of 2 classes'), (dict(thresholds=3), 'damaged'),
    (dict(calibration=dict(a=[1, 1], b=[1, 1, 0])), 'damaged'),
    (dict(thresholds=dict(a=0.5, b=float('nan'))), 'not finite'),
    (dict(thresholds=dict(a=0.5, b='os.system')), 'damaged')])
def test_a_damaged_one_is_refused(change, says):
    points = choose([draw('usual', 20, 0)] * 2, 'ab', 3)
    with pytest.raises(UserError, match=says):
        OperatingPoints.read({**points, **change}, 2)
