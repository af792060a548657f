import pytest
import torch
from helpers import random_boxes
from mmdet.models.task_modules import MaxIoUAssigner
from mmengine.structures import InstanceData
from torchvision.models.detection._utils import Matcher
from torchvision.ops import box_iou

from frcnn_plugin.ops import match


def batch_of_ground_truth(counts, size=160):
    """Padded ground truth, and the same as a list."""
    rows = [random_boxes(count, size, size) for count in counts]
    width = max(max(counts), 1)
    padded = torch.stack([
        torch.cat([row, torch.zeros(width - len(row), 4)]) for row in rows])
    mask = torch.tensor([[i < count for i in range(width)] for count in counts])
    return padded, mask, rows


@pytest.mark.parametrize('low_quality', [False, True])
def test_equals_mmdets_assigner(low_quality):
    anchors = random_boxes(400)
    padded, mask, rows = batch_of_ground_truth([7, 1, 0, 12])
    ours = match(anchors, padded, mask, pos_iou_thr=0.7, neg_iou_thr=(0, 0.3),
                 match_low_quality=low_quality, min_pos_iou=0.3,
                 reassign_low_quality=True)
    peer = MaxIoUAssigner(pos_iou_thr=0.7, neg_iou_thr=0.3, min_pos_iou=0.3,
                          match_low_quality=low_quality)
    for image, gt in enumerate(rows):
        expected = peer.assign(
            InstanceData(priors=anchors),
            InstanceData(bboxes=gt, labels=torch.zeros(len(gt), dtype=torch.long)))
        found = torch.where(ours.labels[image] == 1, ours.gt_indices[image] + 1,
                            ours.labels[image])
        assert torch.equal(found, expected.gt_inds)


def test_equals_torchvisions_matcher():
    anchors = random_boxes(300)
    padded, mask, rows = batch_of_ground_truth([5, 9])
    ours = match(anchors, padded, mask, pos_iou_thr=0.6, neg_iou_thr=(0, 0.4),
                 match_low_quality=True)
    peer = Matcher(0.6, 0.4, allow_low_quality_matches=True)
    for image, gt in enumerate(rows):
        expected = peer(box_iou(gt, anchors))  # -1 below, -2 between
        found = torch.where(ours.labels[image] == 1, ours.gt_indices[image],
                            -1 - (ours.labels[image] == -1).long())
        assert torch.equal(found, expected)


def test_the_best_anchor_of_a_box_must_take_part():
    anchors = torch.tensor([[0.0, 0, 10, 10], [0, 0, 20, 20]])
    gt, mask = torch.tensor([[[0.0, 0, 11, 11]]]), torch.tensor([[True]])
    valid = torch.tensor([[False, True]])
    found = match(anchors, gt, mask, pos_iou_thr=0.9, neg_iou_thr=(0, 0.1),
                  match_low_quality=True, valid=valid)
    assert found.labels.tolist() == [[-1, 1]]


def test_a_box_that_no_anchor_meets_forces_nothing():
    gt, mask = torch.tensor([[[90.0, 90, 99, 99]]]), torch.tensor([[True]])
    found = match(torch.tensor([[0.0, 0, 10, 10]]), gt, mask, pos_iou_thr=0.7,
                  neg_iou_thr=(0, 0.3), match_low_quality=True)
    assert found.labels.tolist() == [[0]]


@pytest.mark.parametrize('inclusive, label', [(False, -1), (True, 0)])
def test_the_upper_bound_of_the_background_may_be_closed(inclusive, label):
    box = torch.tensor([[0.0, 0, 10, 10]])
    gt = torch.tensor([[[0.0, 0, 10, 5]]])  # IoU 0.5
    found = match(box, gt, torch.ones(1, 1, dtype=torch.bool), pos_iou_thr=0.6,
                  neg_iou_thr=(0.0, 0.5), neg_inclusive=inclusive)
    assert found.labels.item() == label


def test_offset_counts_the_last_pixel():
    box, gt = torch.tensor([[0.0, 0, 9, 9]]), torch.tensor([[[0.0, 0, 9, 4]]])
    options = dict(pos_iou_thr=0.5, neg_iou_thr=(0.0, 0.5))
    mask = torch.ones(1, 1, dtype=torch.bool)
    assert match(box, gt, mask, **options).labels.item() == 0  # 4 / 9
    assert match(box, gt, mask, offset=1, **options).labels.item() == 1  # 5 / 10
