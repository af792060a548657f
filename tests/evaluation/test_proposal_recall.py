import math

import pytest
import torch
from helpers import random_boxes
from torchvision.ops import box_iou

from frcnn_plugin.evaluation import ProposalRecall
from frcnn_plugin.evaluation.proposal_recall import best_ious


def sample(bboxes, scores, gt_bboxes) -> dict:
    return dict(pred_instances=dict(bboxes=bboxes, scores=scores),
                gt_instances=dict(bboxes=gt_bboxes))


def evaluate(samples: list[dict], **options) -> dict:
    metric = ProposalRecall(**options)
    metric.process({}, samples)
    return metric.compute_metrics(metric.results)


def test_equals_a_count_in_a_loop():
    samples = [sample(random_boxes(60), torch.rand(60), random_boxes(n))
               for n in (5, 0, 9)]
    metrics = evaluate(samples, nums=(5, 20, 100), iou_thrs=(0.5,))
    for num in (5, 20, 100):
        found = total = 0
        for image in samples:
            best = image['pred_instances']['scores'].argsort(descending=True)[:num]
            for gt_bbox in image['gt_instances']['bboxes']:
                ious = box_iou(image['pred_instances']['bboxes'][best], gt_bbox[None])
                found, total = found + bool((ious >= 0.5).any()), total + 1
        assert metrics[f'recall50@{num}'] == pytest.approx(found / total)
    assert metrics['per_image'] == 60


def test_better_scores_come_first():
    gt = torch.tensor([[0.0, 0, 10, 10]])
    bboxes = torch.tensor([[50.0, 50, 60, 60], [0, 0, 10, 10]])
    first = evaluate([sample(bboxes, torch.tensor([0.1, 0.9]), gt)], nums=(1,))
    last = evaluate([sample(bboxes, torch.tensor([0.9, 0.1]), gt)], nums=(1, 2))
    assert first['recall50@1'] == 1
    assert (last['recall50@1'], last['recall50@2']) == (0, 1)


def test_nothing_proposed_and_nothing_to_find():
    none = evaluate([sample(torch.zeros(0, 4), torch.zeros(0), random_boxes(3))])
    assert none['recall50@50'] == 0 and none['per_image'] == 0
    empty = evaluate([sample(random_boxes(3), torch.rand(3), torch.zeros(0, 4))])
    assert math.isnan(empty['recall50@50'])
    assert best_ious(random_boxes(3), torch.zeros(0, 4), (1, 2)).shape == (2, 0)
