"""Average precision beside pycocotools, and beside the definition in plain loops."""

import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from mmdet.evaluation.metrics import CocoMetric
from mmengine.logging import MMLogger
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from frcnn_plugin.evaluation import VOCMetric

CLASSES = ('a', 'b', 'c')
IMAGES = 12


@pytest.fixture(scope='module')
def data():
    """Ground truth and detections: [(boxes, labels, difficult)], [(boxes, scores,
    labels)], where some detections are near their boxes and some are anywhere."""
    random = np.random.RandomState(0)
    truth, found = [], []
    for _ in range(IMAGES):
        num = random.randint(1, 8)
        corners = random.uniform(0, 120, (num, 2)).round()
        boxes = np.hstack([corners, corners + random.uniform(15, 60, (num, 2)).round()])
        labels = random.randint(0, 3, num)
        truth.append((boxes, labels, random.rand(num) < 0.2))
        near = boxes + random.normal(0, 5, boxes.shape)
        corners = random.uniform(0, 120, (4, 2))
        anywhere = np.hstack([corners, corners + random.uniform(15, 60, (4, 2))])
        found.append((np.vstack([near, anywhere]), random.rand(num + 4),
                      np.hstack([labels, random.randint(0, 3, 4)])))
    return truth, found


def overlap(a, b) -> float:
    """IoU where the last pixel belongs to a box, as in VOC's development kit."""
    width = min(a[2], b[2]) - max(a[0], b[0]) + 1
    height = min(a[3], b[3]) - max(a[1], b[1]) + 1
    if width <= 0 or height <= 0:
        return 0.0
    area = [(c[2] - c[0] + 1) * (c[3] - c[1] + 1) for c in (a, b)]
    return width * height / (sum(area) - width * height)


def average_precision(truth, found, label: int, iou_thr: float, mode: str) -> float:
    """AP of one class, after the text of the VOC development kit."""
    num, ranked = 0, []
    for image, (_, labels, difficult) in enumerate(truth):
        num += sum(1 for j in range(len(labels))
                   if labels[j] == label and not difficult[j])
        boxes, scores, classes = found[image]
        ranked += [(scores[k], image, boxes[k]) for k in range(len(scores))
                   if classes[k] == label]
    taken, hits, misses, curve = set(), 0, 0, []
    for _, image, box in sorted(ranked, key=lambda each: -each[0]):
        boxes, labels, difficult = truth[image]
        mine = [j for j in range(len(labels)) if labels[j] == label]
        best = max(mine, key=lambda j: overlap(box, boxes[j]), default=None)
        if best is not None and overlap(box, boxes[best]) >= iou_thr:
            if difficult[best]:
                continue
            if (image, best) not in taken:
                taken.add((image, best))
                hits += 1
                curve.append((hits / num, hits / (hits + misses)))
                continue
        misses += 1
        curve.append((hits / num, hits / (hits + misses)))

    def best_precision(recall: float) -> float:
        return max((p for r, p in curve if r >= recall), default=0.0)

    if mode == '11points':
        # py-faster-rcnn's points, of which 0.3, 0.6 and 0.7 are a bit too large, so
        # that a recall of exactly 3 in 10 does not reach the third
        return sum(best_precision(point) for point in np.arange(0.0, 1.1, 0.1)) / 11
    recalls = sorted({0.0, *(r for r, _ in curve)})
    return sum((after - before) * best_precision(after)
               for before, after in pairwise(recalls))


@pytest.mark.parametrize('mode', ['11points', 'area'])
@pytest.mark.parametrize('iou_thr', [0.5, 0.75])
def test_voc(data, mode, iou_thr, compare):
    MMLogger.get_current_instance()
    truth, found = data
    results = []
    for (boxes, labels, difficult), (dets, scores, classes) in zip(
            truth, found, strict=True):
        rows = np.hstack([dets, scores[:, None]])
        results.append((
            dict(bboxes=boxes[~difficult], labels=labels[~difficult],
                 bboxes_ignore=boxes[difficult], labels_ignore=labels[difficult]),
            [rows[classes == label] for label in range(3)]))
    metric = VOCMetric(iou_thrs=iou_thr, eval_mode=mode)
    metric.dataset_meta = dict(classes=CLASSES)
    mine = metric.compute_metrics(results)
    for label, name in enumerate(CLASSES):
        expected = average_precision(truth, found, label, iou_thr, mode)
        assert 0.01 < expected < 0.9
        compare(f'AP of VOC, {mode}, IoU {iou_thr}, class {name}',
                mine[f'class/{name}'], expected, atol=1e-6)


def test_coco(data, tmp_path, compare):
    truth, found = data
    annotations, detections = [], []
    for image, (boxes, labels, _) in enumerate(truth):
        for (x1, y1, x2, y2), label in zip(boxes, labels, strict=True):
            annotations.append(dict(
                id=len(annotations) + 1, image_id=image, category_id=int(label) + 1,
                iscrowd=0, bbox=[x1, y1, x2 - x1, y2 - y1],
                area=(x2 - x1) * (y2 - y1)))
        dets, scores, classes = found[image]
        for (x1, y1, x2, y2), score, label in zip(dets, scores, classes, strict=True):
            detections.append(dict(
                image_id=image, category_id=int(label) + 1, score=float(score),
                bbox=[x1, y1, x2 - x1, y2 - y1]))
    file = tmp_path / 'truth.json'
    file.write_text(json.dumps(dict(
        images=[dict(id=i, width=200, height=200) for i in range(IMAGES)],
        annotations=annotations,
        categories=[dict(id=i + 1, name=name) for i, name in enumerate(CLASSES)])))
    coco = COCO(str(file))
    peer = COCOeval(coco, coco.loadRes(detections), 'bbox')
    peer.evaluate()
    peer.accumulate()
    peer.summarize()

    metric = CocoMetric(ann_file=str(file), metric='bbox')
    metric.dataset_meta = dict(classes=CLASSES)
    for image, (dets, scores, classes) in enumerate(found):
        metric.process({}, [dict(
            img_id=image, ori_shape=(200, 200), pred_instances=dict(
                bboxes=torch.from_numpy(dets), scores=torch.from_numpy(scores),
                labels=torch.from_numpy(classes)))])
    mine = metric.evaluate(IMAGES)
    for index, name in ((0, 'mAP'), (1, 'mAP_50'), (2, 'mAP_75')):
        assert 0.05 < peer.stats[index] < 0.95
        compare(f'COCO {name}', mine[f'coco/bbox_{name}'], round(peer.stats[index], 3),
                atol=1e-6)
