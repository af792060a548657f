"""COCO's AP beside pycocotools itself, called as its own demo calls it."""

import contextlib
import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.structures import DetDataSample
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from frcnn_plugin.evaluation import BoxAP

CLASSES = ('cat', 'dog', 'dog/puppy')
NAMES = {'AP': 0, 'AP50': 1, 'AP75': 2, 'AP_small': 3, 'AP_medium': 4, 'AP_large': 5,
         'AR100': 8}

corners = st.sampled_from([0, 4, 8, 40])
sides = st.sampled_from([12, 16, 20, 22, 60, 80, 120])
boxes = st.tuples(corners, corners, sides, sides, st.integers(0, 2))
scores = st.sampled_from([0.2, 0.5, 0.5, 0.9])  # often the same
images = st.lists(st.tuples(
    st.lists(boxes, max_size=4), st.lists(boxes, max_size=2),
    st.lists(st.tuples(boxes, scores), max_size=8)), min_size=1, max_size=4)


def instances(rows, **more) -> dict:
    """Boxes x, y, w, h, label as a data sample has them."""
    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 5)
    corners = torch.cat([table[:, :2], table[:, :2] + table[:, 2:4]], dim=1)
    return dict(bboxes=corners, labels=table[:, 4].long(), **more)


def samples_of(images) -> list[dict]:
    return [dict(
        gt_instances=instances(objects), ignored_instances=instances(ignored),
        pred_instances=instances([box for box, _ in found], scores=torch.tensor(
            [score for _, score in found], dtype=torch.float64)))
        for objects, ignored, found in images]


class HeedsIgnore(COCOeval):
    """COCOeval which does not write ``iscrowd`` over ``ignore``."""

    def _prepare(self):
        super()._prepare()
        for objects in self._gts.values():
            for each in objects:
                each['ignore'] = each['iscrowd'] or each['difficult']


def by_pycocotools(images, crowd: bool) -> COCOeval:
    objects, found = [], []
    for index, (annotated, ignored, detected) in enumerate(images, 1):
        for rows, state in ((annotated, False), (ignored, True)):
            objects += [dict(
                id=len(objects) + place, image_id=index, category_id=label + 1,
                bbox=[x, y, w, h], area=w * h, iscrowd=int(state and crowd),
                difficult=state) for place, (x, y, w, h, label) in enumerate(rows, 1)]
        found += [dict(image_id=index, category_id=label + 1, bbox=[x, y, w, h],
                       score=score) for (x, y, w, h, label), score in detected]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = dict(
            info={}, images=[dict(id=index) for index in range(1, len(images) + 1)],
            annotations=objects,
            categories=[dict(id=label) for label in range(1, len(CLASSES) + 1)])
        truth.createIndex()
        peer = HeedsIgnore(truth, truth.loadRes(found) if found else COCO(), 'bbox')
        peer.evaluate()
        peer.accumulate()
        peer.summarize()
    return peer


def measure(samples, **options) -> dict:
    metric = BoxAP(**options)
    metric.dataset_meta = dict(classes=CLASSES)
    metric.process({}, samples)
    return metric.compute_metrics(metric.results)


@settings(max_examples=200, deadline=None)
@given(images=images, crowd=st.booleans())
def test_equals_pycocotools(images, crowd):
    peer = by_pycocotools(images, crowd)
    wanted = {name: peer.stats[place] for name, place in NAMES.items()}
    for k, name in enumerate(CLASSES):
        precision = peer.eval['precision'][:, :, k, 0, -1]
        wanted |= {f'AP/{name}': precision.mean(), f'AP50/{name}': precision[0].mean(),
                   f'AP75/{name}': precision[5].mean()}
    wanted = {name: value for name, value in wanted.items() if value != -1}
    assert measure(samples_of(images), crowd=crowd, resamples=0) == pytest.approx(
        wanted, abs=1e-6)


def test_one_detection_on_a_difficult_box_is_neither_right_nor_wrong(capsys):
    box, other = (0, 0, 50, 50, 0), (200, 200, 50, 50, 0)
    objects, found = [other], [(box, 0.9), (other, 0.8)]
    ap = [measure(samples_of([(objects, ignored, found)]), resamples=0)['AP']
          for ignored in ([], [box])]
    assert ap == pytest.approx([0.5, 1])
    twice = samples_of([(objects, [box], [(box, 0.95), *found])])
    assert measure(twice, resamples=0)['AP'] == pytest.approx(0.5)
    assert measure(twice, resamples=0, crowd=True)['AP'] == pytest.approx(1)
    assert not capsys.readouterr().out  # pycocotools tells all that it does


def test_a_box_is_as_wide_as_the_difference_of_its_edges():
    """10 of 20 pixels are an IoU of 0.5, 1024 square pixels are both sizes."""
    half = measure(samples_of([([(0, 0, 20, 10, 0)], [], [((0, 0, 10, 10, 0), 1)])]))
    assert (half['AP50'], half['AP75']) == (pytest.approx(1), 0)
    square = (0, 0, 32, 32, 0)
    both = measure(samples_of([([square], [], [(square, 1)])]))
    assert {'AP_small', 'AP_medium'} < set(both) and 'AP_large' not in both


def test_no_object_and_no_detection():
    found = measure(samples_of([([], [], []), ([], [], [((0, 0, 9, 9, 0), 0.5)])]))
    assert found == {}
    none = measure(samples_of([([(0, 0, 9, 9, 1)], [], []), ([], [], [])]))
    assert none['AP'] == none['AP50/dog'] == none['AP_high'] == none['AR100'] == 0
    assert 'AP/cat' not in none


def test_by_mmengines_evaluator():
    rng = np.random.default_rng(0)
    samples = []
    for _ in range(20):
        table = np.hstack([rng.uniform(0, 90, (4, 2)), rng.uniform(20, 60, (4, 2)),
                           rng.integers(0, 3, (4, 1))])
        near = table + np.hstack([rng.normal(0, 3, (4, 4)), np.zeros((4, 1))])
        sample = DetDataSample(gt_instances=InstanceData(**instances(table)))
        sample.pred_instances = InstanceData(
            **instances(near, scores=torch.tensor(rng.random(4))))
        samples.append(sample)
    evaluator = Evaluator([dict(type='frcnn_plugin.BoxAP', seed=1)])
    evaluator.dataset_meta = dict(classes=CLASSES)
    evaluator.process(data_samples=samples)
    found = evaluator.evaluate(len(samples))
    for name in ('AP', 'AP50', 'AP75'):
        low, high = (found[f'coco/{name}{end}'] for end in ('_low', '_high'))
        assert 0 < low < found[f'coco/{name}'] < high <= 1
    assert set(found) >= {'coco/AP_medium', 'coco/AR100', 'coco/AP50/dog/puppy'}
